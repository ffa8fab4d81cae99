//! The comparison as a table in Markdown: a line for each library, ours first.

use std::fmt::Write;

use bench_suite::curve;

use super::figures::{Figure, Ratio, beside};
use super::rounds::Outcome;
use super::worker::Measured;

/// Where libraries are compared.
const RECALLS: [f64; 4] = [0.90, 0.95, 0.99, 0.995];

/// Where their distances are counted.
const COUNTED_AT: f64 = 0.95;

const NONE: &str = "–";

pub(super) fn text(outcomes: &[Outcome]) -> String {
    let ours = outcomes.first().and_then(|ours| ours.rounds.as_deref().ok());
    let mut lines = vec![head()];
    for (place, outcome) in outcomes.iter().enumerate() {
        let reference = ours.filter(|_| place > 0);
        lines.push(match &outcome.rounds {
            Ok(rounds) => row(outcome.name, rounds, reference),
            Err(failure) => vec![outcome.name.to_owned(), format!("not measured: {failure}")],
        });
    }
    let mut text = markdown(&lines);
    text.push('\n');
    let _ = writeln!(
        text,
        "Medians over the rounds. In brackets the factor by which {} is faster: the median of the \
         rounds and its range. QPS on one thread, at equal recall between two measured ef; {NONE} \
         where no two lie around it.",
        outcomes.first().map_or("ours", |ours| ours.name)
    );
    for outcome in outcomes.iter().filter(|o| !o.note.is_empty() && o.rounds.is_ok()) {
        let _ = writeln!(text, "{}: {}.", outcome.name, outcome.note);
    }
    text
}

fn head() -> Vec<String> {
    let at = |recall: &f64| format!("QPS at {recall}");
    let first = ["library".to_owned(), "build, s".to_owned()];
    let last = ["bytes per vector".to_owned(), format!("distances per query at {COUNTED_AT}")];
    first.into_iter().chain(RECALLS.iter().map(at)).chain(last).collect()
}

fn row(name: &str, rounds: &[Measured], ours: Option<&[Measured]>) -> Vec<String> {
    let seconds = beside(ours, rounds, |m| Some(m.build.seconds), |ours, theirs| theirs / ours);
    let qps = |recall: f64| {
        let figure = move |m: &Measured| curve::qps_between(&m.searches, recall);
        cell(beside(ours, rounds, figure, |ours, theirs| ours / theirs), 0)
    };
    let alone = |figure: fn(&Measured) -> Option<f64>| {
        cell(beside(None, rounds, figure, |ours, theirs| theirs / ours), 0)
    };
    let mut cells = vec![name.to_owned(), cell(seconds, 2)];
    cells.extend(RECALLS.map(qps));
    cells.push(alone(|m| m.build.bytes_per_vector));
    cells.push(alone(|m| curve::distances_between(&m.searches, COUNTED_AT)));
    cells
}

fn cell(figure: Option<Figure>, decimals: usize) -> String {
    let Some(Figure { median, ratio }) = figure else { return NONE.to_owned() };
    match ratio {
        None => format!("{median:.decimals$}"),
        Some(Ratio { median: factor, rounds: 1, .. }) => {
            format!("{median:.decimals$} ({factor:.2})")
        }
        Some(Ratio { lowest, median: factor, highest, .. }) => {
            format!("{median:.decimals$} ({factor:.2}, {lowest:.2}–{highest:.2})")
        }
    }
}

/// The lines as a table whose columns stand below each other; the first line is its head. A line may
/// have fewer cells.
fn markdown(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let full = |line: &&Vec<String>| line.len() == columns;
    let width = |column: usize| {
        lines.iter().filter(full).map(|line| line[column].chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (place, line) in lines.iter().enumerate() {
        for (cell, &width) in line.iter().zip(&widths) {
            let _ = write!(text, "| {cell:<width$} ");
        }
        text.push_str("|\n");
        if place == 0 {
            let rule = |width: &usize| format!("|{}", "-".repeat(width + 2));
            text.extend(widths.iter().map(rule));
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::peers::figures::tests::round;
    use crate::commands::peers::worker::Failure;

    #[test]
    fn a_line_for_each_library_and_a_reason_where_there_are_no_figures() {
        let points = |qps: f64| [(0.85, 2.0 * qps, Some(80.0)), (0.96, qps, Some(100.0))];
        let outcome = |name, note, rounds| Outcome { name, note, rounds };
        let outcomes = [
            outcome("ours", "", Ok(vec![round(1.0, &points(900.0)), round(2.0, &points(700.0))])),
            outcome(
                "theirs",
                "is slow",
                Ok(vec![round(2.0, &points(450.0)), round(6.0, &points(350.0))]),
            ),
            outcome("missing", "unseen", Err(Failure::Ended("no compiler".to_owned()))),
        ];
        let text = text(&outcomes);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("| library | build, s "), "{text}");
        assert!(lines[2].starts_with("| ours    | 1.50 "), "{text}");
        assert!(lines[3].contains("| 4.00 (2.50, 2.00–3.00) |"), "{text}");
        assert!(lines[3].contains(" (2.00, 2.00–2.00) | – "), "QPS at 0.95, none at 0.99: {text}");
        assert!(lines[3].contains("| 12               | 98"), "{text}");
        assert_eq!(lines[4], "| missing | not measured: no compiler |");
        assert!(text.ends_with("\ntheirs: is slow.\n"), "{text}");
    }

    #[test]
    fn one_round_has_no_range() {
        let ratio = Some(Ratio { lowest: 2.0, median: 2.0, highest: 2.0, rounds: 1 });
        assert_eq!(cell(Some(Figure { median: 7.0, ratio }), 1), "7.0 (2.00)");
        assert_eq!(cell(None, 1), "–");
    }
}
