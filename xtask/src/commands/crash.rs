//! `cargo xtask crash`: a process that writes to a durable index is killed, again and again, and each
//! time what it had acknowledged must be there. Some of these processes are refused memory now and then,
//! in the middle of large batches; some of those end by it, as Rust programs do, which counts as a kill.

mod memory;

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use bench_suite::{
    crash::{BATCH, Course, Held, contents, no_vectors},
    random::Random,
};
use indicatif::ProgressBar;
use nearfield_hnsw::{
    Durable, Index, Params,
    durable::{Every, OnFlush, Policy, RecoverError, WriteError},
};
use serde::Serialize;

/// Kills after which a new index is begun, since ids are not used again and the index grows.
const KILLS_PER_INDEX: u64 = 50;

/// Operations of the first thread between checkpoints.
const CHECKPOINT: u64 = 40;

/// The most points in a batch of a process that is refused memory, the most bytes that it is left, and
/// the kills after which it gets a new index.
const LARGE_BATCH: u64 = 3000;
const LEFT: u64 = 4 << 20;
const MEMORY_ROUNDS_PER_INDEX: u64 = 4;

/// How much longer than others such a process lives.
const LONGER: u64 = 20;

/// What a process prints when memory was refused to an operation.
const REFUSED: &str = "refused";

/// Kill a process that writes, at random moments, and look for what it had acknowledged.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often to kill
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    kills: u64,
    /// How often, after that, to kill one that is refused memory now and then; on Linux
    #[arg(long, default_value_t = 20)]
    memory_rounds: u64,
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
    /// Whether that process is refused memory
    #[arg(long, hide = true)]
    scarce: bool,
}

impl Args {
    fn course(&self, thread: usize) -> Course {
        let batch = if self.scarce { LARGE_BATCH } else { BATCH };
        Course { seed: self.seed, thread: thread as u64, batch }
    }
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
    /// Of them, those of processes that were refused memory now and then.
    memory_rounds: u64,
    /// Processes that ended since they were refused memory.
    aborts: u64,
    /// Operations that were refused for want of memory, and done when there was some.
    refused: u64,
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

pub(crate) fn run(mut args: Args) -> Result<()> {
    if let Some(words) = &args.write {
        return write(&args, words);
    }
    let mut random = Random::new(args.seed);
    let mut summary = Summary::default();
    let memory_rounds = if memory::CAN_BE_SCARCE { args.memory_rounds } else { 0 };
    let all = args.kills + memory_rounds;
    let bar = ProgressBar::new(all);
    while summary.kills < all {
        args.scarce = summary.kills >= args.kills;
        let rounds = if args.scarce {
            MEMORY_ROUNDS_PER_INDEX.min(all - summary.kills)
        } else {
            KILLS_PER_INDEX.min(args.kills - summary.kills)
        };
        let folder = tempfile::tempdir()?;
        let index = folder.path().join("index");
        let result = one_index(&args, &index, rounds, &mut random, &mut summary, &bar);
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
    let Summary { kills, memory_rounds, aborts, refused, unborn, .. } = summary;
    let Summary { acknowledged, done_unacknowledged, replayed, skipped, cut, .. } = summary;
    println!("{kills} kills, {unborn} of them before there was an index");
    println!(
        "{memory_rounds} with little memory: {refused} operations refused for want of it and done \
         later, {aborts} processes ended by it"
    );
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
    rounds: u64,
    random: &mut Random,
    summary: &mut Summary,
    bar: &ProgressBar,
) -> Result<()> {
    // The limit holds for all threads of a process: one can tell what it refuses.
    let threads = if args.scarce { 1 } else { args.threads };
    let mut held = vec![Held::default(); threads as usize];
    for _ in 0..rounds {
        let policies = [Acknowledge::Synced, Acknowledge::Every, Acknowledge::OnFlush];
        // Most of the time the one that promises most.
        let policy = policies[(random.below(5) as usize).saturating_sub(2)];
        let longest = args.longest * if args.scarce { LONGER } else { 1 };
        let life = Duration::from_micros(random.below(longest * 1000));
        let acknowledged = live_and_die(args, folder, &held, policy, life, summary)?;
        summary.kills += 1;
        summary.memory_rounds += u64::from(args.scarce);
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
    summary: &mut Summary,
) -> Result<Vec<u64>> {
    let mut process = start(args, folder, held, policy)?;
    let output = process.stdout.take().context("a pipe from the process")?;
    let threads = held.len();
    let reader = thread::spawn(move || count(output, threads));
    thread::sleep(life);
    process.kill()?;
    let status = process.wait()?;
    let is_aborted = is_aborted(status);
    ensure!(
        status.code().is_none() && (args.scarce || !is_aborted),
        "the process ended by itself: {status}"
    );
    summary.aborts += u64::from(is_aborted);
    let counts =
        reader.join().map_err(|_| anyhow::anyhow!("the reader of the pipe panicked"))??;
    summary.refused += counts.refused;
    Ok(counts.acknowledged)
}

/// Whether a process ended as Rust programs do that are refused memory.
fn is_aborted(status: ExitStatus) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        const SIGABRT: i32 = 6;
        status.signal() == Some(SIGABRT)
    }
    #[cfg(not(unix))]
    {
        let _ = status;
        false
    }
}

fn start(args: &Args, folder: &Path, held: &[Held], policy: Acknowledge) -> Result<Child> {
    let policy = match policy {
        Acknowledge::Synced => "synced",
        Acknowledge::Every => "every",
        Acknowledge::OnFlush => "on-flush",
    };
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["crash", "--seed", &args.seed.to_string(), "--policy", policy]);
    if args.scarce {
        command.arg("--scarce");
    }
    command.arg("--write").arg(folder).args(held.iter().map(|held| held.operations.to_string()));
    Ok(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?)
}

/// What a process said before it ended.
#[derive(Debug)]
struct Counts {
    /// How many operations of each thread it had acknowledged.
    acknowledged: Vec<u64>,
    /// How many were refused for want of memory.
    refused: u64,
}

/// Counts the lines that come through the pipe.
fn count(output: impl io::Read, threads: usize) -> Result<Counts> {
    let mut counts = Counts { acknowledged: vec![0; threads], refused: 0 };
    for line in BufReader::new(output).lines() {
        let line = line?;
        if line == REFUSED {
            counts.refused += 1;
            continue;
        }
        let thread: usize = line.parse().context("a line of the process")?;
        *counts.acknowledged.get_mut(thread).context("a thread that there is")? += 1;
    }
    Ok(counts)
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
        let course = args.course(thread);
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
            let params = Params::default().m(8).ef_construction(40);
            Ok(Durable::create(folder, Index::new(no_vectors(), params)?)?)
        }
        Err(error) => Err(error.into()),
    }
}

fn write_all<P: Policy>(args: &Args, index: &Durable<u64, f32, P>, from: &[u64]) -> Result<()> {
    thread::scope(|scope| {
        let write = |(thread, from): (usize, &u64)| {
            let (course, from) = (args.course(thread), *from);
            scope.spawn(move || one_thread(index, course, from, args.scarce))
        };
        let threads: Vec<_> = from.iter().enumerate().map(write).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Result<()>>| {
            thread.join().map_err(|_| anyhow::anyhow!("a thread that writes panicked"))?
        };
        threads.into_iter().try_for_each(join)
    })
}

fn one_thread<P: Policy>(
    index: &Durable<u64, f32, P>,
    course: Course,
    from: u64,
    is_scarce: bool,
) -> Result<()> {
    // Differs from life to life, so that no limit is met at the same place again and again.
    let mut random = Random::new(course.seed ^ u64::from(std::process::id()));
    for number in from.. {
        if is_scarce && random.below(2) == 0 {
            memory::leave(random.below(LEFT))?;
            let done = course.apply(index, number);
            memory::lift()?;
            if let Err(error) = done {
                ensure!(matches!(error, WriteError::Refused(_)), error);
                say(REFUSED)?;
                index.check().context("after memory was refused")?;
                course.apply(index, number)?;
            }
        } else {
            course.apply(index, number)?;
        }
        say(&course.thread.to_string())?;
        if course.thread == 0 && number % CHECKPOINT == CHECKPOINT - 1 {
            index.checkpoint()?;
        }
    }
    Ok(())
}

/// Writes a line to the pipe, at once, so that it is there as a whole or not at all.
fn say(line: &str) -> Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(format!("{line}\n").as_bytes())?;
    Ok(output.flush()?)
}
