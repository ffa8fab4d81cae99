//! What a report says, before it has a look: sections of sentences, tables and charts.

/// A whole page.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) title: String,
    pub(super) subtitle: String,
    /// The findings that matter, as sentences.
    pub(super) findings: Vec<Finding>,
    /// What the reader should know before trusting them.
    pub(super) caveats: Vec<String>,
    pub(super) sections: Vec<Section>,
    pub(super) footer: String,
}

/// A figure and what it means, in plain language.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    /// `17×`, `24 ns`: short enough to be set large.
    pub(super) figure: String,
    /// The rest of the story.
    pub(super) meaning: String,
}

/// A part of the page.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// The fragment that links to it.
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Clone, Debug)]
pub(super) enum Block {
    Heading(String),
    Text(String),
    Table(Table),
    /// Charts that stand beside each other where there is room.
    Charts(Vec<Chart>),
    /// Shown on demand.
    More {
        title: String,
        blocks: Vec<Self>,
    },
}

/// A table: the first column names the row, the others hold figures.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// Columns from the left that hold words rather than figures.
    pub(super) words: usize,
}

/// A cell, perhaps shaded by how much it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    pub(super) text: String,
    /// 0…1: the shade in a heat map.
    pub(super) heat: Option<f64>,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), heat: None }
    }
}

/// A chart: series over two axes.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    pub(super) title: String,
    /// How it was measured and how to read it.
    pub(super) caption: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
}

/// One axis of a chart.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// What it shows, with its unit.
    pub(super) label: String,
    pub(super) scale: Scale,
    /// Where a grid line stands, and what is written there; the outer two bound the chart.
    pub(super) ticks: Vec<(f64, String)>,
}

/// How a value becomes a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    Log,
    /// By the share that is missed, in its logarithm: 0.9, 0.99 and 0.999 are equally far apart.
    Recall,
}

impl Scale {
    pub(super) fn place(self, value: f64) -> f64 {
        match self {
            Self::Log => value.log10(),
            // A perfect recall has no place of its own; it stands at the edge.
            Self::Recall => -(1.0 - value).max(1e-4).log10(),
        }
    }
}

/// Points that belong together.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    /// Index into the palette.
    pub(super) colour: usize,
    pub(super) style: Style,
    pub(super) points: Vec<Point>,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// A line with a dot at each point.
    Line,
    /// Broken, with hollow dots: the other machine.
    Broken,
    /// A line alone: a limit, not a measurement of ours.
    Limit,
    /// Dots alone.
    Dots,
    /// Hollow dots alone.
    Hollow,
}

/// A point, perhaps with a word beside it.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) label: String,
    /// Below the point rather than above it.
    pub(super) below: bool,
}

impl Point {
    pub(super) fn new(x: f64, y: f64) -> Self {
        Self { x, y, label: String::new(), below: false }
    }

    pub(super) fn labelled(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }
}
