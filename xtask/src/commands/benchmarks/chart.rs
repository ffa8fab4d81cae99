//! The chart of one measurement: bars of queries per second, a panel for each set.

use anyhow::{Context, Result, anyhow};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde::Deserialize;
use serde_json::Value;

const WIDTH: i32 = 840;
const NAMES: i32 = 150;
const TOP: i32 = 64;
const ROW: i32 = 26;
const BAR: i32 = 16;

const INK: RGBColor = RGBColor(36, 41, 47);
const OURS: RGBColor = RGBColor(9, 105, 218);
const OTHERS: RGBColor = RGBColor(175, 184, 193);

/// Which columns are drawn. The first row has our queries per second, the others by how many times we
/// are faster.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chart {
    /// The SVG file, from the root of the repository.
    pub(crate) path: String,
    pub(crate) title: String,
    panels: Vec<Panel>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Panel {
    /// The place of its column.
    column: usize,
    label: String,
}

impl Chart {
    /// The chart as SVG.
    pub(crate) fn draw(&self, rows: &[Vec<Value>]) -> Result<String> {
        let height = TOP + ROW * i32::try_from(rows.len())? + 14;
        let mut svg = String::new();
        {
            let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
            let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            let failed = |error| anyhow!("the chart cannot be drawn: {error}");
            root.fill(&WHITE).map_err(failed)?;
            root.draw(&text(&self.title, (12, 18), 16, HPos::Left)).map_err(failed)?;
            for (place, row) in (0..).zip(rows) {
                let name = row.first().and_then(Value::as_str).context("a row has no name")?;
                let name = name.trim_matches('*');
                let at = (NAMES - 8, TOP + ROW * place + BAR / 2);
                root.draw(&text(name, at, 13, HPos::Right)).map_err(failed)?;
            }
            let width = (WIDTH - NAMES - 12) / i32::try_from(self.panels.len())?;
            for (place, panel) in (0..).zip(&self.panels) {
                let left = NAMES + width * place;
                root.draw(&text(&panel.label, (left, TOP - 18), 13, HPos::Left)).map_err(failed)?;
                let figures = panel.figures(rows)?;
                let most = figures.iter().copied().fold(1.0, f64::max);
                for (row, figure) in (0..).zip(figures) {
                    let top = TOP + ROW * row;
                    let length = (f64::from(width - 64) * figure / most).round() as i32;
                    let color = if row == 0 { OURS } else { OTHERS };
                    let bar =
                        Rectangle::new([(left, top), (left + length, top + BAR)], color.filled());
                    root.draw(&bar).map_err(failed)?;
                    let label = commas(figure.round() as u64);
                    let at = (left + length + 6, top + BAR / 2);
                    root.draw(&text(&label, at, 12, HPos::Left)).map_err(failed)?;
                }
            }
            root.present().map_err(failed)?;
        }
        Ok(svg)
    }
}

impl Panel {
    /// Queries per second, row by row.
    fn figures(&self, rows: &[Vec<Value>]) -> Result<Vec<f64>> {
        let number = |row: &Vec<Value>| {
            let cell = row.get(self.column).and_then(Value::as_f64);
            cell.with_context(|| format!("column {} is to be drawn and has no number", self.column))
        };
        let ours = rows.first().map(number).context("there are no rows")??;
        let others = rows.iter().skip(1).map(|row| Ok(ours / number(row)?));
        std::iter::once(Ok(ours)).chain(others).collect()
    }
}

fn text(words: &str, at: (i32, i32), size: i32, anchor: HPos) -> Text<'static, (i32, i32), String> {
    let style = TextStyle::from(("sans-serif", size).into_font())
        .color(&INK)
        .pos(Pos::new(anchor, VPos::Center));
    Text::new(words.to_owned(), at, style)
}

/// A whole number with commas between thousands.
pub(super) fn commas(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
