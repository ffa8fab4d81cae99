//! Cells as people read them: a row each, and at the end who wins.

use std::fmt::Write as _;

use bench_suite::kernel_cells::Cell;

/// The names of the columns.
pub(super) const HEAD: &str = "metric    elements    dim shape       where  backend         ns    \
                               peer ns  ratio  peer";

/// One line of the table.
pub(super) fn row(cell: &Cell) -> String {
    let Cell { metric, element, dim, place, backend, ns, .. } = cell;
    let shape = cell.shape.name();
    let mut row =
        format!("{metric:<9} {element:<8} {dim:>6} {shape:<11} {place:<6} {backend:<7} {ns:>10.2}");
    if let (Some(peer), Some(peer_ns), Some(ratio)) = (&cell.peer, cell.peer_ns, cell.ratio()) {
        let _ = write!(row, " {peer_ns:>10.2} {ratio:>6.2}  {peer}");
    }
    row
}

/// The mean of all ratios, and the cells in which a peer is faster, the worst first.
pub(super) fn summary(cells: &[Cell]) -> String {
    let ratios: Vec<f64> = cells.iter().filter_map(Cell::ratio).collect();
    if ratios.is_empty() {
        return String::new();
    }
    let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
    let ratio = |cell: &Cell| cell.ratio().unwrap_or(f64::INFINITY);
    let mut lost: Vec<&Cell> = cells.iter().filter(|cell| ratio(cell) < 1.0).collect();
    lost.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));

    let (count, lost_count) = (ratios.len(), lost.len());
    let mut text = format!(
        "\n{mean:.3} times as fast as the fastest peer, by the geometric mean of {count} cells; \
         {lost_count} lose{}\n",
        if lost.is_empty() { "" } else { ":" }
    );
    for cell in lost {
        let _ = writeln!(text, "{}", row(cell));
    }
    text
}

#[cfg(test)]
mod tests {
    use bench_suite::kernel_cells::Shape;

    use super::*;

    fn cell(dim: usize, ns: f64, peer_ns: Option<f64>) -> Cell {
        Cell {
            metric: "l2".to_owned(),
            element: "f32".to_owned(),
            dim,
            shape: Shape::OneToMany,
            place: "l2".to_owned(),
            backend: "avx512".to_owned(),
            ns,
            peer: peer_ns.map(|_| "simsimd".to_owned()),
            peer_ns,
        }
    }

    #[test]
    fn rows_stand_below_the_head() {
        let row = row(&cell(100, 4.0, Some(10.0)));
        assert_eq!(
            format!("{HEAD}\n{row}"),
            "metric    elements    dim shape       where  backend         ns    peer ns  ratio  peer\n\
             l2        f32         100 one_to_many l2     avx512        4.00      10.00   2.50  simsimd"
        );
    }

    #[test]
    fn the_summary_names_the_cells_that_lose_the_worst_first() {
        let cells = [
            cell(32, 1.0, Some(8.0)),
            cell(64, 10.0, Some(9.0)),
            cell(96, 1.0, None),
            cell(128, 4.0, Some(2.0)),
        ];
        let text = summary(&cells);
        let lines: Vec<&str> = text.lines().collect();
        let mean = (8.0f64 * 0.9 * 0.5).cbrt();
        assert!(lines[1].starts_with(&format!("{mean:.3} times")), "{text}");
        assert!(lines[1].ends_with("of 3 cells; 2 lose:"), "{text}");
        assert_eq!(lines[2..], [row(&cells[3]), row(&cells[1])]);
        assert_eq!(summary(&cells[2..3]), "");
    }
}
