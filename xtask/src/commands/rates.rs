//! `cargo xtask rates`: how much inserting and searching get in each other's way.

use std::io::{self, Write};
use std::process::Command;

use anyhow::Context;
use bench_suite::{
    rates::{self, Ours, Rates},
    table::Prepare,
};
use nearfield_hnsw::space::VectorElement;
use nearfield_kernels::Metric;

use super::workload;

use crate::process::{self, cargo, command};

/// Libraries whose index can be searched while it grows: features and binaries of `index-peers`.
const PEERS: [&str; 2] = ["hnsw_rs", "usearch"];

/// Files are .fbin .f16bin .u8bin .i8bin .ibin .fvecs .ivecs .bvecs or .npy, each also with .zst.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    rates: rates::Args,
    /// Measure hnsw_rs and usearch as well, pass by pass; they are compiled first
    #[arg(long)]
    peers: bool,
    /// Print JSON lines instead of a table
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let seconds = args.rates.seconds;
    anyhow::ensure!(seconds > 0.0, "--seconds is {seconds}; it must be above 0");
    match args.rates.data.metric {
        _ if args.peers => beside_peers(&args),
        Metric::Hamming | Metric::Jaccard => measure::<u64>(&args),
        _ => measure::<f32>(&args),
    }
}

fn measure<E: Prepare + VectorElement>(args: &Args) -> anyhow::Result<()> {
    let workload = workload::read::<E>(&args.rates.files())?;
    let mut printer = Printer::new(args.json)?;
    rates::run::<E, Ours<E>>(&workload, &args.rates.settings(), |rates| printer.print(rates))?;
    Ok(())
}

/// One pass of each library after another, each in a process of its own. One that fails is named, and
/// does not stop the others.
fn beside_peers(args: &Args) -> anyhow::Result<()> {
    let words = args.rates.words_of_a_pass();
    let this = std::env::current_exe().context("finding this program")?;
    let mut ours = command(this);
    ours.args(["rates", "--json"]).args(&words);
    let mut libraries = vec![ours];
    for peer in PEERS {
        match process::read(&mut peer_cargo("build", peer)) {
            Ok(_) => {
                let mut run = peer_cargo("run", peer);
                run.args(["--", "rates"]).args(&words);
                libraries.push(run);
            }
            Err(error) => eprintln!("{peer} cannot be built: {error:#}"),
        }
    }
    let mut printer = Printer::new(args.json)?;
    for _ in 0..args.rates.passes {
        for library in &mut libraries {
            match process::read(library) {
                Ok(lines) => {
                    for line in lines.lines() {
                        printer.print(&serde_json::from_str(line)?)?;
                    }
                }
                Err(error) => eprintln!("{error:#}"),
            }
        }
    }
    Ok(())
}

fn peer_cargo(subcommand: &str, peer: &str) -> Command {
    let mut cargo = cargo([subcommand, "--quiet", "--release", "--package=index-peers"]);
    cargo.arg(format!("--features={peer}")).arg(format!("--bin=peer-{peer}"));
    cargo
}

/// Prints passes as they come, for machines or for people.
struct Printer {
    json: bool,
}

impl Printer {
    fn new(json: bool) -> io::Result<Self> {
        if !json {
            writeln!(io::stdout(), "{HEAD}")?;
        }
        Ok(Self { json })
    }

    fn print(&mut self, rates: &Rates) -> io::Result<()> {
        let line = if self.json { serde_json::to_string(rates)? } else { row(rates) };
        writeln!(io::stdout(), "{line}")
    }
}

const HEAD: &str = "library      points  inserts/s by 1 thread  searches/s alone  beside inserts  ratio  \
                    inserts/s beside  inserts/s by several threads";

fn row(rates: &Rates) -> String {
    let several = rates.inserts_n.iter().map(|by| {
        format!("{}: {:.0} ({:.2})", by.threads, by.inserts, by.inserts / rates.inserts_1)
    });
    format!(
        "{:<10} {:>8} {:>22.0} {:>17.0} {:>15.0} {:>6.2} {:>17.0}  {}",
        rates.library,
        rates.points,
        rates.inserts_1,
        rates.searches_alone,
        rates.searches_beside,
        rates.searches_beside / rates.searches_alone,
        rates.inserts_beside,
        several.collect::<Vec<_>>().join(", ")
    )
}
