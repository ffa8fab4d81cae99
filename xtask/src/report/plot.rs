//! Draws a [`Chart`] as SVG.
//!
//! plotters knows no style sheets, so each colour is drawn as a fixed key, and the page's style
//! sheet maps the keys to the colours of its light or dark scheme (`[fill="#…"]` selectors).

use std::ops::Range;

use plotters::coord::combinators::WithKeyPoints;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::document::{Axis, Chart, Point, Series, Style};

/// Size of the drawing; the page scales it. Small against the type, so that it reads on a phone.
const SIZE: (u32, u32) = (560, 380);
const TYPE: i32 = 15;

/// Key colour of text.
pub(super) const INK: RGBColor = RGBColor(0x1f, 0x29, 0x33);
/// Key colour of grid lines.
pub(super) const GRID: RGBColor = RGBColor(0xdd, 0xe2, 0xe8);
/// Key colour of the page, for the inside of hollow dots.
pub(super) const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xfe);
/// Key colours of series (after Okabe and Ito, which colour-blind people can tell apart).
pub(super) const SERIES: [RGBColor; 6] = [
    RGBColor(0x00, 0x5f, 0xb8),
    RGBColor(0xc4, 0x4e, 0x00),
    RGBColor(0x00, 0x84, 0x62),
    RGBColor(0xa8, 0x3f, 0x80),
    RGBColor(0x7a, 0x66, 0x00),
    RGBColor(0x5b, 0x65, 0x70),
];

type Drawing<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<WithKeyPoints<RangedCoordf64>, WithKeyPoints<RangedCoordf64>>,
>;

/// The chart as an `<svg>` element without fixed size.
pub(super) fn svg(chart: &Chart) -> anyhow::Result<String> {
    let mut out = String::new();
    {
        let area = SVGBackend::with_string(&mut out, SIZE).into_drawing_area();
        let (x, y) = (span(&chart.x), span(&chart.y));
        let mut drawing = ChartBuilder::on(&area)
            .margin_top(10)
            .margin_right(18)
            .x_label_area_size(46)
            .y_label_area_size(64)
            .build_cartesian_2d(
                x.clone().with_key_points(places(&chart.x)),
                y.clone().with_key_points(places(&chart.y)),
            )?;
        mesh(&mut drawing, chart)?;
        for series in &chart.series {
            draw(&mut drawing, chart, series, &x, &y)?;
        }
        area.present()?;
    }
    // The page sets the width; the drawing keeps its proportions.
    let (width, height) = SIZE;
    Ok(out.replacen(&format!(r#"width="{width}" height="{height}" "#), "", 1))
}

fn places(axis: &Axis) -> Vec<f64> {
    axis.ticks.iter().map(|(value, _)| axis.scale.place(*value)).collect()
}

fn span(axis: &Axis) -> Range<f64> {
    let places = places(axis);
    let lowest = places.iter().copied().fold(f64::MAX, f64::min);
    let highest = places.iter().copied().fold(f64::MIN, f64::max);
    if lowest < highest { lowest..highest } else { 0.0..1.0 }
}

fn mesh(drawing: &mut Drawing<'_, '_>, chart: &Chart) -> anyhow::Result<()> {
    let label = |axis: &Axis, place: f64| {
        let near = |(value, _): &&(f64, String)| (axis.scale.place(*value) - place).abs() < 1e-9;
        axis.ticks.iter().find(near).map(|(_, text)| text.clone()).unwrap_or_default()
    };
    let text = ("sans-serif", TYPE).into_font().color(&INK);
    drawing
        .configure_mesh()
        .x_labels(chart.x.ticks.len())
        .y_labels(chart.y.ticks.len())
        .max_light_lines(0)
        .bold_line_style(GRID)
        .axis_style(GRID)
        .label_style(text.clone())
        .axis_desc_style(text)
        .x_desc(&chart.x.label)
        .y_desc(&chart.y.label)
        .x_label_formatter(&|&place| label(&chart.x, place))
        .y_label_formatter(&|&place| label(&chart.y, place))
        .draw()?;
    Ok(())
}

fn draw(
    drawing: &mut Drawing<'_, '_>,
    chart: &Chart,
    series: &Series,
    x: &Range<f64>,
    y: &Range<f64>,
) -> anyhow::Result<()> {
    let colour = SERIES[series.colour % SERIES.len()];
    // What lies outside the axes stands at their edge: it is there, only not to scale.
    let place = |point: &Point| {
        let px = chart.x.scale.place(point.x).clamp(x.start, x.end);
        let py = chart.y.scale.place(point.y).clamp(y.start, y.end);
        (px, py)
    };
    let points: Vec<(f64, f64)> = series.points.iter().map(place).collect();
    let line = colour.stroke_width(2);
    match series.style {
        Style::Line | Style::Limit => {
            drawing.draw_series(LineSeries::new(points.clone(), line))?;
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
    let labels = series.points.iter().zip(&points).filter(|(point, _)| !point.label.is_empty());
    drawing.draw_series(labels.map(|(point, &at)| {
        EmptyElement::at(at) + Text::new(point.label.clone(), (7, -16), font.clone())
    }))?;
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
            points: points.iter().map(|&(x, y)| Point { x, y, label: "<ef>".to_owned() }).collect(),
        };
        let chart = Chart {
            title: "t".to_owned(),
            caption: "c".to_owned(),
            x: axis(Scale::Log, &[1.0, 10.0, 1000.0]),
            y: axis(Scale::Recall, &[0.5, 0.9, 0.999]),
            series: vec![series(Style::Line, &[(1.0, 0.5), (100.0, 1.0)]), series(Style::Broken, &[(5.0, 0.7)])],
        };
        let svg = svg(&chart).unwrap();
        for text in ["at 1\n", "at 10\n", "at 1000\n", "at 0.999\n"] {
            assert!(svg.contains(text), "{text:?} is missing in {svg}");
        }
        assert_eq!(svg.matches("<circle").count(), 6, "each point is filled and outlined");
        assert_eq!(svg.matches("&lt;ef&gt;").count(), 3);
        assert!(svg.contains("GB/s &amp; more"), "labels are escaped");
        assert!(svg.starts_with(r#"<svg viewBox="0 0 560 380""#), "{}", &svg[..80]);
    }
}
