//! `cargo xtask crash`: a process that writes to a durable index is killed, again and again, and each
//! time what it had acknowledged must be there.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use bench_suite::{
    crash::{Course, Held, contents, no_vectors},
    random::Random,
};
use indicatif::ProgressBar;
use nearfield_hnsw::{Durable, Every, Index, OnFlush, Params, Policy, RecoverError};
use serde::Serialize;

/// Kills after which a new index is begun, since ids are not used again and the index grows.
const KILLS_PER_INDEX: u64 = 50;

/// Operations of the first thread between checkpoints.
const CHECKPOINT: u64 = 40;

/// Kill a process that writes, at random moments, and look for what it had acknowledged.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often to kill
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    kills: u64,
    /// Threads that write
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=64))]
    threads: u64,
    /// Decides operations and moments
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The longest life of a process, in milliseconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    longest: u64,
    /// Print one JSON object instead of a sentence
    #[arg(long)]
    json: bool,
    /// Be the process that is killed: the folder, then how far each thread is
    #[arg(long, hide = true, num_args = 1..)]
    write: Option<Vec<String>>,
    /// The policy of that process
    #[arg(long, hide = true, default_value = "synced")]
    policy: Acknowledge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Acknowledge {
    Synced,
    Every,
    OnFlush,
}

/// What all the killing came to.
#[derive(Debug, Default, Serialize)]
struct Summary {
    kills: u64,
    /// Processes that were killed before the index was made.
    unborn: u64,
    /// Operations acknowledged, all of which were found.
    acknowledged: u64,
    /// Operations under way when a process was killed that were found done.
    done_unacknowledged: u64,
    /// Operations that were read from the log.
    replayed: u64,
    /// Openings after a checkpoint that was interrupted behind its snapshot.
    skipped: u64,
    /// Logs whose end was torn.
    cut: u64,
}

pub(crate) fn run(args: Args) -> Result<()> {
    if let Some(words) = &args.write {
        return write(&args, words);
    }
    let mut random = Random::new(args.seed);
    let mut summary = Summary::default();
    let bar = ProgressBar::new(args.kills);
    while summary.kills < args.kills {
        let folder = tempfile::tempdir()?;
        let index = folder.path().join("index");
        let result = one_index(&args, &index, &mut random, &mut summary, &bar);
        if let Err(error) = result {
            let kept = folder.keep();
            return Err(error.context(format!("the index is in {}", kept.display())));
        }
    }
    bar.finish_and_clear();
    if args.json {
        println!("{}", serde_json::to_string(&summary)?);
    } else {
        print(&summary);
    }
    Ok(())
}

fn print(summary: &Summary) {
    let Summary { kills, unborn, acknowledged, done_unacknowledged, replayed, skipped, cut } =
        summary;
    println!("{kills} kills, {unborn} of them before there was an index");
    println!("{acknowledged} operations acknowledged, all found");
    println!("{done_unacknowledged} found beside, which were under way");
    println!(
        "{replayed} read from the log, {skipped} openings with an older log, {cut} with a torn end"
    );
}

/// Kills processes that write to one index.
fn one_index(
    args: &Args,
    folder: &Path,
    random: &mut Random,
    summary: &mut Summary,
    bar: &ProgressBar,
) -> Result<()> {
    let mut held = vec![Held::default(); args.threads as usize];
    for _ in 0..KILLS_PER_INDEX.min(args.kills - summary.kills) {
        let policies = [Acknowledge::Synced, Acknowledge::Every, Acknowledge::OnFlush];
        // Most of the time the one that promises most.
        let policy = policies[(random.below(5) as usize).saturating_sub(2)];
        let life = Duration::from_micros(random.below(args.longest * 1000));
        let acknowledged = live_and_die(args, folder, &held, policy, life)?;
        summary.kills += 1;
        bar.inc(1);
        look(args, folder, &mut held, &acknowledged, summary)
            .with_context(|| format!("after kill {}", summary.kills))?;
    }
    Ok(())
}

/// Starts a process, kills it, and returns how many operations of each thread it had acknowledged.
fn live_and_die(
    args: &Args,
    folder: &Path,
    held: &[Held],
    policy: Acknowledge,
    life: Duration,
) -> Result<Vec<u64>> {
    let mut process = start(args, folder, held, policy)?;
    let output = process.stdout.take().context("a pipe from the process")?;
    let threads = held.len();
    let reader = thread::spawn(move || count(output, threads));
    thread::sleep(life);
    process.kill()?;
    let status = process.wait()?;
    ensure!(status.code().is_none(), "the process ended by itself: {status}");
    reader.join().map_err(|_| anyhow::anyhow!("the reader of the pipe panicked"))?
}

fn start(args: &Args, folder: &Path, held: &[Held], policy: Acknowledge) -> Result<Child> {
    let policy = match policy {
        Acknowledge::Synced => "synced",
        Acknowledge::Every => "every",
        Acknowledge::OnFlush => "on-flush",
    };
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["crash", "--seed", &args.seed.to_string(), "--policy", policy, "--write"]);
    command.arg(folder).args(held.iter().map(|held| held.operations.to_string()));
    Ok(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?)
}

/// How many lines of each thread came through the pipe.
fn count(output: impl io::Read, threads: usize) -> Result<Vec<u64>> {
    let mut acknowledged = vec![0; threads];
    for line in BufReader::new(output).lines() {
        let thread: usize = line?.parse().context("a line of the process")?;
        *acknowledged.get_mut(thread).context("a thread that there is")? += 1;
    }
    Ok(acknowledged)
}

/// Opens the index and finds what was acknowledged, and nothing half-done.
fn look(
    args: &Args,
    folder: &Path,
    held: &mut [Held],
    acknowledged: &[u64],
    summary: &mut Summary,
) -> Result<()> {
    let (index, recovery) = match Durable::<u64, f32>::open(folder) {
        Ok(opened) => opened,
        Err(RecoverError::NoIndex { .. }) => {
            let is_new = held.iter().all(|held| held.operations == 0);
            ensure!(is_new && acknowledged.iter().all(|n| *n == 0), "the index is gone");
            summary.unborn += 1;
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    index.check().context("the graph is not whole")?;
    let contents = contents(&index);
    for (thread, (held, acknowledged)) in held.iter_mut().zip(acknowledged).enumerate() {
        let course = Course { seed: args.seed, thread: thread as u64 };
        let expected = held.operations + acknowledged;
        let Some(found) = course.held(&contents, held, expected) else {
            bail!("thread {thread} had {expected} operations acknowledged; the index holds others");
        };
        summary.acknowledged += acknowledged;
        summary.done_unacknowledged += found - expected;
    }
    summary.replayed += recovery.operations;
    summary.skipped += u64::from(recovery.skipped > 0);
    summary.cut += u64::from(recovery.cut.is_some());
    Ok(())
}

/// Writes until it is killed.
fn write(args: &Args, words: &[String]) -> Result<()> {
    let (folder, from) = words.split_first().context("a folder")?;
    let from: Vec<u64> = from.iter().map(|number| number.parse()).collect::<Result<_, _>>()?;
    let index = open_or_create(&PathBuf::from(folder))?;
    match args.policy {
        Acknowledge::Synced => write_all(args, &index, &from),
        Acknowledge::Every => write_all(args, &index.relaxed(Every(7)), &from),
        Acknowledge::OnFlush => write_all(args, &index.relaxed(OnFlush), &from),
    }
}

fn open_or_create(folder: &Path) -> Result<Durable<u64, f32>> {
    match Durable::open(folder) {
        Ok((index, _)) => Ok(index),
        Err(RecoverError::NoIndex { .. }) => {
            fs::create_dir_all(folder)?;
            let params = Params { m: 8, ef_construction: 40, ..Params::default() };
            Ok(Durable::create(folder, Index::new(no_vectors(), params)?)?)
        }
        Err(error) => Err(error.into()),
    }
}

fn write_all<P: Policy>(args: &Args, index: &Durable<u64, f32, P>, from: &[u64]) -> Result<()> {
    thread::scope(|scope| {
        let write = |(thread, from): (usize, &u64)| {
            let course = Course { seed: args.seed, thread: thread as u64 };
            let from = *from;
            scope.spawn(move || one_thread(index, course, from))
        };
        let threads: Vec<_> = from.iter().enumerate().map(write).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Result<()>>| {
            thread.join().map_err(|_| anyhow::anyhow!("a thread that writes panicked"))?
        };
        threads.into_iter().try_for_each(join)
    })
}

fn one_thread<P: Policy>(index: &Durable<u64, f32, P>, course: Course, from: u64) -> Result<()> {
    let line = format!("{}\n", course.thread);
    for number in from.. {
        course.apply(index, number)?;
        // One write to the pipe, so that it is there as a whole or not at all.
        let mut output = io::stdout().lock();
        output.write_all(line.as_bytes())?;
        output.flush()?;
        drop(output);
        if course.thread == 0 && number % CHECKPOINT == CHECKPOINT - 1 {
            index.checkpoint()?;
        }
    }
    Ok(())
}
