//! A [`Document`] as one HTML page that needs nothing else: no script, no request.

use std::fmt::Write as _;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use plotters::style::RGBColor;

use super::document::{Block, Chart, Document, Finding, Section, Series, Style, Table};
use super::plot;

/// The page.
pub(super) fn page(document: &Document) -> anyhow::Result<String> {
    let sections =
        document.sections.iter().map(section).collect::<anyhow::Result<Vec<Markup>>>()?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (document.title) " · Nearfield hardware report" }
                style { (PreEscaped(style_sheet())) }
            }
            body {
                header {
                    p.kicker { (document.subtitle) }
                    h1 { (document.title) }
                }
                main {
                    section.findings { @for finding in &document.findings { (self::finding(finding)) } }
                    @if !document.caveats.is_empty() {
                        ul.caveats { @for caveat in &document.caveats { li { (caveat) } } }
                    }
                    nav { @for section in &document.sections { a href={ "#" (anchor(section)) } { (section.title) } } }
                    @for section in &sections { (section) }
                }
                footer { p { (document.footer) } }
            }
        }
    };
    Ok(page.into_string())
}

/// The fragment of a section: several may share an id (one per data set), but not a title.
fn anchor(section: &Section) -> String {
    let title: String = section
        .title
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    format!("{}-{title}", section.id)
}

fn finding(finding: &Finding) -> Markup {
    html! { div.finding { p.figure { (finding.figure) } p { (finding.meaning) } } }
}

fn section(section: &Section) -> anyhow::Result<Markup> {
    let blocks = section.blocks.iter().map(block).collect::<anyhow::Result<Vec<Markup>>>()?;
    Ok(html! {
        section id=(anchor(section)) {
            h2 { (section.title) }
            @for block in &blocks { (block) }
        }
    })
}

fn block(content: &Block) -> anyhow::Result<Markup> {
    Ok(match content {
        Block::Heading(text) => html! { h3 { (text) } },
        Block::Text(text) => html! { p { (text) } },
        Block::Table(table) => self::table(table),
        Block::Charts(charts) => {
            let figures = charts.iter().map(figure).collect::<anyhow::Result<Vec<Markup>>>()?;
            html! { div.charts { @for figure in &figures { (figure) } } }
        }
        Block::More { title, blocks } => {
            let blocks = blocks.iter().map(block).collect::<anyhow::Result<Vec<Markup>>>()?;
            html! { details { summary { (title) } @for block in &blocks { (block) } } }
        }
    })
}

fn table(table: &Table) -> Markup {
    let class = |column: usize| if column < table.words { "words" } else { "figures" };
    html! {
        div.scroll {
            table {
                @if !table.caption.is_empty() { caption { (table.caption) } }
                @if !table.head.is_empty() {
                    thead { tr { @for (i, name) in table.head.iter().enumerate() { th.(class(i)) scope="col" { (name) } } } }
                }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (i, cell) in row.iter().enumerate() {
                                @if i == 0 {
                                    th.(class(i)) scope="row" { (cell.text) }
                                } @else if let Some(heat) = cell.heat {
                                    td.heat.(class(i)) style=(format!("--heat:{:.0}%", heat * 100.0)) { (cell.text) }
                                } @else {
                                    td.(class(i)) { (cell.text) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn figure(chart: &Chart) -> anyhow::Result<Markup> {
    let svg = plot::svg(chart)?;
    Ok(html! {
        figure {
            h4 { (chart.title) }
            div role="img" aria-label=(format!("Chart: {}. {} against {}.", chart.title, chart.y.label, chart.x.label)) {
                (PreEscaped(svg))
            }
            p.legend { @for series in chart.series.iter().filter(|s| !s.name.is_empty()) { (key(series)) } }
            figcaption { (chart.caption) }
        }
    })
}

fn key(series: &Series) -> Markup {
    let style = match series.style {
        Style::Line => "line",
        Style::Broken => "broken",
        Style::Limit => "limit",
        Style::Dots => "dot",
        Style::Hollow => "hollow",
    };
    html! { span.key.(style).{ "c" (series.colour % plot::SERIES.len()) } { (series.name) } }
}

/// The fixed part, and the mapping of the drawings' key colours to the page's.
fn style_sheet() -> String {
    let mut css = include_str!("style.css").to_owned();
    let mut map = |RGBColor(r, g, b): RGBColor, variable: &str| {
        let key = format!("#{r:02X}{g:02X}{b:02X}");
        for attribute in ["fill", "stroke"] {
            let _ = writeln!(css, "svg [{attribute}=\"{key}\"]{{{attribute}:var(--{variable})}}");
        }
    };
    map(plot::INK, "ink");
    map(plot::GRID, "grid");
    map(plot::PAPER, "paper");
    for (i, colour) in plot::SERIES.into_iter().enumerate() {
        map(colour, &format!("c{i}"));
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;
    use crate::report::sections::document;

    fn sample_page() -> String {
        let other = sample();
        page(&document(&sample(), Some(&other))).unwrap()
    }

    #[test]
    fn the_page_asks_for_nothing_from_outside() {
        let page = sample_page();
        for outside in ["<script", "<link", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        // The namespace of SVG is a name, not a request.
        assert!(!page.replace("http://www.w3.org/2000/svg", "").contains("http"));
    }

    #[test]
    fn every_section_is_there_and_linked() {
        let page = sample_page();
        for title in
            ["Two machines", "Machine", "Memory", "Distance kernels", "Index: Fashion-MNIST"]
        {
            assert!(page.contains(&format!("<h2>{title}</h2>")), "{title}");
        }
        for link in page.split("href=\"#").skip(1) {
            let fragment = link.split('"').next().unwrap();
            assert_eq!(page.matches(&format!("id=\"{fragment}\"")).count(), 1, "{fragment}");
        }
        assert_eq!(page.matches("<svg").count(), 6, "of memory, kernels and the index two each");
    }

    #[test]
    fn names_are_text_not_markup() {
        let mut report = sample();
        report.facts.cpu.name = "<i>Fast & Furious</i>".to_owned();
        let page = page(&document(&report, None)).unwrap();
        assert!(!page.contains("<i>"));
        assert!(page.contains("&lt;i&gt;Fast &amp; Furious&lt;/i&gt;"));
    }

    #[test]
    fn every_colour_of_a_drawing_is_mapped() {
        let page = sample_page();
        for attribute in ["fill=\"", "stroke=\""] {
            for rest in page.split("<svg").skip(1).flat_map(|svg| svg.split(attribute).skip(1)) {
                let colour = rest.split('"').next().unwrap();
                assert!(
                    colour == "none" || page.contains(&format!("[{attribute}{colour}\"]")),
                    "{colour}"
                );
            }
        }
    }
}
