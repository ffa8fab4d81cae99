//! A [`Document`] as Markdown: all sentences and tables. The charts stay in the HTML page.

use super::document::{Block, Document, Table};

/// The text of `report.md`.
pub(super) fn text(document: &Document) -> String {
    let mut out = format!("# {}\n\n{}\n\n", escape(&document.title), escape(&document.subtitle));
    for finding in &document.findings {
        out += &format!("- **{}** {}\n", escape(&finding.figure), escape(&finding.meaning));
    }
    for caveat in &document.caveats {
        out += &format!("\n> {}\n", escape(caveat));
    }
    for section in &document.sections {
        out += &format!("\n## {}\n\n", escape(&section.title));
        blocks(&section.blocks, &mut out);
    }
    out + &format!("---\n\n{}\n", escape(&document.footer))
}

fn blocks(content: &[Block], out: &mut String) {
    for block in content {
        match block {
            Block::Heading(text) => *out += &format!("### {}\n\n", escape(text)),
            Block::Text(text) => *out += &format!("{}\n\n", escape(text)),
            Block::Table(table) => self::table(table, out),
            Block::Charts(charts) => {
                for chart in charts {
                    *out += &format!("*In report.html:* {}.\n\n", escape(&chart.title));
                }
            }
            Block::More { title, blocks } => {
                *out += &format!("### {}\n\n", escape(title));
                self::blocks(blocks, out);
            }
        }
    }
}

fn table(table: &Table, out: &mut String) {
    if !table.caption.is_empty() {
        *out += &format!("{}:\n\n", escape(&table.caption));
    }
    let columns = table.head.len().max(table.rows.first().map_or(0, Vec::len));
    let name = |i: usize| table.head.get(i).map_or(String::new(), |name| escape(name));
    let rule = |i: usize| if i < table.words { "---" } else { "--:" }.to_owned();
    let mut row = |cells: Vec<String>| *out += &format!("| {} |\n", cells.join(" | "));
    row((0..columns).map(name).collect());
    row((0..columns).map(rule).collect());
    for cells in &table.rows {
        row(cells.iter().map(|cell| escape(&cell.text)).collect());
    }
    *out += "\n";
}

/// `text` so that Markdown shows it as it is.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '<' | '>' | '|' | '[' | ']' | '#' | '&') {
            out.push('\\');
        }
        out.push(if c == '\n' { ' ' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;
    use crate::report::sections::document;

    #[test]
    fn all_sections_and_whole_tables_are_there() {
        let text = text(&document(&sample(), Some(&sample())));
        for title in
            ["Two machines", "Machine", "Memory", "Distance kernels", "Index: Fashion-MNIST"]
        {
            assert!(text.contains(&format!("\n## {title}\n")), "{title}");
        }
        // Within a table, every row has as many cells as the first.
        let mut columns = None;
        for line in text.lines() {
            let cells = line.replace("\\|", "").matches('|').count();
            columns = if cells == 0 { None } else { Some(columns.unwrap_or(cells)) };
            assert!(columns.is_none_or(|columns| columns == cells), "{line}");
        }
    }

    #[test]
    fn markup_in_names_is_shown_not_obeyed() {
        let mut report = sample();
        report.facts.cpu.name = "a|b <i> *c*".to_owned();
        let text = text(&document(&report, None));
        assert!(text.starts_with("# a\\|b \\<i\\> \\*c\\*"), "{}", &text[..40]);
    }
}
