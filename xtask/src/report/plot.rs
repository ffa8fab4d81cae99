//! Draws a [`Chart`] as SVG.
//!
//! plotters knows no style sheets, so each colour is drawn as a fixed key, and the page's style
//! sheet maps the keys to the colours of its light or dark scheme (`[fill="#…"]` selectors).

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::document::{Axis, Chart, Point, Series, Style};

/// Size of the drawing; the page scales it. Small against the type, so that it reads on a phone.
const SIZE: (u32, u32) = (560, 380);
/// Size of a drawing that is a file of its own.
#[cfg(any(test, feature = "all-commands"))]
const FILE_SIZE: (u32, u32) = (900, 600);
const TYPE: i32 = 15;

/// Key colour of text.
pub(super) const INK: RGBColor = RGBColor(0x1f, 0x29, 0x33);
/// Key colour of grid lines.
pub(super) const GRID: RGBColor = RGBColor(0xdd, 0xe2, 0xe8);
/// Key colour of the page, for the inside of hollow dots.
pub(super) const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xfe);
/// Key colours of series (after Okabe and Ito, which colour-blind people can tell apart).
pub(super) const SERIES: [RGBColor; 8] = [
    RGBColor(0x00, 0x5f, 0xb8),
    RGBColor(0xc4, 0x4e, 0x00),
    RGBColor(0x00, 0x84, 0x62),
    RGBColor(0xa8, 0x3f, 0x80),
    RGBColor(0x7a, 0x66, 0x00),
    RGBColor(0x5b, 0x65, 0x70),
    RGBColor(0xc0, 0x26, 0x2d),
    RGBColor(0x5b, 0x3f, 0xb0),
];

type Drawing<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Places, Places>>;

/// The chart as an `<svg>` element without fixed size, for a page that adds legend and colours.
pub(super) fn svg(chart: &Chart) -> anyhow::Result<String> {
    let out = drawn(chart, SIZE, false)?;
    // The page sets the width; the drawing keeps its proportions.
    let (width, height) = SIZE;
    Ok(out.replacen(&format!(r#"width="{width}" height="{height}" "#), "", 1))
}

/// The chart as a file of its own, with a background and a legend.
#[cfg(any(test, feature = "all-commands"))]
pub(super) fn file(chart: &Chart) -> anyhow::Result<String> {
    drawn(chart, FILE_SIZE, true)
}

fn drawn(chart: &Chart, size: (u32, u32), alone: bool) -> anyhow::Result<String> {
    let mut out = String::new();
    {
        let area = SVGBackend::with_string(&mut out, size).into_drawing_area();
        if alone {
            area.fill(&PAPER)?;
        }
        let mut drawing = ChartBuilder::on(&area)
            .margin_top(10)
            .margin_right(24)
            .x_label_area_size(46)
            .y_label_area_size(64)
            .build_cartesian_2d(Places::of(&chart.x), Places::of(&chart.y))?;
        mesh(&mut drawing, chart)?;
        for series in &chart.series {
            draw(&mut drawing, chart, series)?;
        }
        if alone {
            drawing
                .configure_series_labels()
                .position(SeriesLabelPosition::LowerLeft)
                .label_font(("sans-serif", TYPE).into_font().color(&INK))
                .background_style(PAPER)
                .border_style(GRID)
                .draw()?;
        }
        area.present()?;
    }
    Ok(out)
}

/// An axis as plotters sees it: linear in places, with grid lines where the axis has ticks.
struct Places {
    range: Range<f64>,
    ticks: Vec<(f64, String)>,
}

impl Places {
    fn of(axis: &Axis) -> Self {
        let place = |(value, text): &(f64, String)| (axis.scale.place(*value), text.clone());
        let ticks: Vec<(f64, String)> = axis.ticks.iter().map(place).collect();
        let places = ticks.iter().map(|(place, _)| *place);
        let (lowest, highest) =
            (places.clone().fold(f64::MAX, f64::min), places.fold(f64::MIN, f64::max));
        let range = if lowest < highest { lowest..highest } else { 0.0..1.0 };
        Self { range, ticks }
    }
}

impl Ranged for Places {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (place - self.range.start) / (self.range.end - self.range.start);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            vec![]
        } else {
            self.ticks.iter().map(|t| t.0).collect()
        }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Places {
    fn format(place: &f64) -> String {
        place.to_string()
    }

    fn format_ext(&self, place: &f64) -> String {
        self.ticks
            .iter()
            .find(|tick| tick.0 == *place)
            .map(|tick| tick.1.clone())
            .unwrap_or_default()
    }
}

fn mesh(drawing: &mut Drawing<'_, '_>, chart: &Chart) -> anyhow::Result<()> {
    let text = ("sans-serif", TYPE).into_font().color(&INK);
    drawing
        .configure_mesh()
        .bold_line_style(GRID)
        .axis_style(GRID)
        .label_style(text.clone())
        .axis_desc_style(text)
        .x_desc(&chart.x.label)
        .y_desc(&chart.y.label)
        .draw()?;
    Ok(())
}

fn draw(drawing: &mut Drawing<'_, '_>, chart: &Chart, series: &Series) -> anyhow::Result<()> {
    let colour = SERIES[series.colour % SERIES.len()];
    // What lies outside the axes stands at their edge: it is there, only not to scale.
    let (x, y) = (drawing.x_range(), drawing.y_range());
    let place = |point: &Point| {
        let across = chart.x.scale.place(point.x).clamp(x.start, x.end);
        let up = chart.y.scale.place(point.y).clamp(y.start, y.end);
        (across, up)
    };
    let points: Vec<(f64, f64)> = series.points.iter().map(place).collect();
    let line = colour.stroke_width(2);
    match series.style {
        Style::Line | Style::Limit => {
            let key = move |(x, y)| PathElement::new([(x, y), (x + 20, y)], line);
            let drawn = drawing.draw_series(LineSeries::new(points.clone(), line))?;
            drawn.label(&series.name).legend(key);
        }
        Style::Broken => {
            drawing.draw_series(DashedLineSeries::new(points.clone(), 6, 4, line))?;
        }
        Style::Dots | Style::Hollow => {}
    }
    if series.style != Style::Limit {
        let hollow = matches!(series.style, Style::Broken | Style::Hollow);
        let filled = if hollow { PAPER } else { colour };
        drawing.draw_series(points.iter().map(|&at| Circle::new(at, 4, filled.filled())))?;
        drawing.draw_series(points.iter().map(|&at| Circle::new(at, 4, line)))?;
    }
    let font = ("sans-serif", TYPE - 2).into_font().color(&colour);
    for (point, &at) in series.points.iter().zip(&points).filter(|(p, _)| !p.label.is_empty()) {
        let up = if point.below { 4 } else { -16 };
        // At the right edge there is room on the left only.
        let at_edge = at.0 > x.end - 0.1 * (x.end - x.start);
        let (side, across) = if at_edge { (HPos::Right, -7) } else { (HPos::Left, 7) };
        let style = font.clone().pos(Pos::new(side, VPos::Top));
        let text = Text::new(point.label.clone(), (across, up), style);
        drawing.draw_series([EmptyElement::at(at) + text])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::document::Scale;

    fn axis(scale: Scale, ticks: &[f64]) -> Axis {
        let ticks = ticks.iter().map(|&value| (value, format!("at {value}"))).collect();
        Axis { label: "GB/s & more".to_owned(), scale, ticks }
    }

    #[test]
    fn a_chart_shows_its_ticks_labels_and_points() {
        let series = |style, points: &[(f64, f64)]| Series {
            name: "one".to_owned(),
            colour: 1,
            style,
            points: points.iter().map(|&(x, y)| Point::new(x, y).labelled("<ef>")).collect(),
        };
        let chart = Chart {
            title: "t".to_owned(),
            caption: "c".to_owned(),
            x: axis(Scale::Log, &[1.0, 10.0, 1000.0]),
            y: axis(Scale::Recall, &[0.5, 0.9, 0.999]),
            series: vec![
                series(Style::Line, &[(1.0, 0.5), (100.0, 1.0)]),
                series(Style::Broken, &[(5.0, 0.7)]),
            ],
        };
        let svg = svg(&chart).unwrap();
        for text in ["at 1\n", "at 10\n", "at 1000\n", "at 0.999\n"] {
            assert!(svg.contains(text), "{text:?} is missing in {svg}");
        }
        assert_eq!(svg.matches("<circle").count(), 6, "each point is filled and outlined");
        assert_eq!(svg.matches("&lt;ef&gt;").count(), 3);
        assert!(svg.contains("GB/s &amp; more"), "labels are escaped");
        assert!(svg.starts_with(r#"<svg viewBox="0 0 560 380""#), "{}", &svg[..80]);
        assert!(!svg.contains("one\n"), "the page has the legend");

        let file = file(&chart).unwrap();
        assert!(file.starts_with(r#"<svg width="900" height="600""#), "{}", &file[..80]);
        assert!(file.contains("one\n"), "{file}");
    }
}
