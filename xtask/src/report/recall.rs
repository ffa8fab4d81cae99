//! A drawing of its own: recall and speed of libraries beside each other.

use anyhow::Context as _;

use super::{charts, document, plot};

/// A library's points of recall and queries per second, for [`recall_drawing`].
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// An SVG file of its own: queries per second against recall@`k`, the curves beside each other.
///
/// # Errors
/// When there is no point, or it cannot be drawn.
pub(crate) fn recall_drawing(k: usize, curves: Vec<Curve>) -> anyhow::Result<String> {
    let series = curves.into_iter().enumerate().map(|(colour, curve)| document::Series {
        name: curve.name,
        colour,
        style: document::Style::Line,
        points: curve.points.into_iter().map(|(x, y)| document::Point::new(x, y)).collect(),
    });
    let chart = charts::recall_of(k, series.collect()).context("there is nothing to draw")?;
    plot::file(&chart)
}
