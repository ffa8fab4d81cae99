//! The command line that says what to measure: the same words for every library.

use std::{ffi::OsString, num::NonZero, path::PathBuf, thread};

use nearfield_hnsw::Params;
use nearfield_kernels::Metric;

use crate::{ann::Settings, workload::Files};

/// The vectors to measure on, and how they are compared.
///
/// Three of them are needed, but clap learns that late (`required = false`): then a command that has
/// other vectors at hand may take `Option<DataArgs>`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct DataArgs {
    /// The rows to index
    #[arg(long, value_name = "FILE", required = false)]
    pub base: PathBuf,
    /// The rows to search for
    #[arg(long, value_name = "FILE", required = false)]
    pub query: PathBuf,
    /// The ids of the exact nearest rows, for recall
    #[arg(long, value_name = "FILE")]
    pub gt: Option<PathBuf>,
    /// l2, ip, cosine (normalises f32), l1, hamming or jaccard (packed bits from u8)
    #[arg(long, value_parser = metric, required = false)]
    pub metric: Metric,
}

/// The graph to build.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct GraphArgs {
    /// Links of a point on each level; twice as many on the lowest
    #[arg(long, default_value_t = Params::default().m)]
    pub m: usize,
    /// Beam of the searches that find a new point's neighbours
    #[arg(long, default_value_t = Params::default().ef_construction)]
    pub ef_construction: usize,
    /// Decides levels, the order of insertion, and what else a measurement draws by lot
    #[arg(long, default_value_t = Params::default().seed)]
    pub seed: u64,
}

impl GraphArgs {
    /// The parameters; what these arguments do not name is as it is by default.
    pub fn params(&self) -> Params {
        let Self { m, ef_construction, seed } = *self;
        Params::default().m(m).ef_construction(ef_construction).seed(seed)
    }

    /// The words that are read as this again.
    pub(crate) fn add_to(&self, words: &mut Words) {
        words.add("--m", self.m.to_string());
        words.add("--ef-construction", self.ef_construction.to_string());
        words.add("--seed", self.seed.to_string());
    }
}

/// What to build over the vectors, and how to search it.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct IndexArgs {
    /// The graph.
    #[command(flatten)]
    pub graph: GraphArgs,
    /// Threads that build [default: all cores]
    #[arg(long)]
    pub threads: Option<usize>,
    /// Neighbours to search for
    #[arg(long, default_value_t = 10)]
    pub k: usize,
    /// Beams of the searches to measure
    #[arg(long, value_delimiter = ',', default_value = "10,16,24,32,48,64,96,128,192,256")]
    pub ef: Vec<usize>,
    /// Index only the first rows; the truth is then computed anew
    #[arg(long, value_name = "N")]
    pub limit_base: Option<usize>,
    /// Search only for the first queries
    #[arg(long, value_name = "N")]
    pub limit_query: Option<usize>,
    /// Passes over all queries for each ef; the best one counts
    #[arg(long, default_value_t = 3)]
    pub passes: usize,
}

/// A metric by its name.
///
/// # Errors
/// A sentence with the names that are known.
pub fn metric(name: &str) -> Result<Metric, String> {
    Metric::ALL.into_iter().find(|metric| metric.name() == name).ok_or_else(|| {
        let known = Metric::ALL.map(Metric::name).join(", ");
        format!("known are {known}")
    })
}

impl DataArgs {
    /// The files, and how much of them is wanted.
    pub fn files(&self, index: &IndexArgs) -> Files {
        Files {
            base: self.base.clone(),
            query: self.query.clone(),
            truth: self.gt.clone(),
            metric: self.metric,
            limit_base: index.limit_base,
            limit_query: index.limit_query,
        }
    }

    /// The words that are read as this again.
    pub fn words(&self) -> Vec<OsString> {
        let mut words = Words::default();
        words.add("--base", self.base.as_os_str());
        words.add("--query", self.query.as_os_str());
        words.add_some("--gt", self.gt.as_ref().map(|path| path.as_os_str()));
        words.add("--metric", self.metric.name());
        words.0
    }
}

/// The files of a bundled set.
impl From<Files> for DataArgs {
    fn from(files: Files) -> Self {
        Self { base: files.base, query: files.query, gt: files.truth, metric: files.metric }
    }
}

impl IndexArgs {
    /// The settings; what these arguments do not name is as it is by default.
    pub fn settings(&self) -> Settings {
        Settings {
            params: self.graph.params(),
            threads: self.threads(),
            k: self.k,
            ef: self.ef.clone(),
            passes: self.passes,
            backend: None,
        }
    }

    /// Threads that build.
    pub fn threads(&self) -> usize {
        let cores = || thread::available_parallelism().map_or(1, NonZero::get);
        self.threads.unwrap_or_else(cores)
    }

    /// The words that are read as this again, the number of threads settled.
    pub fn words(&self) -> Vec<OsString> {
        let ef: Vec<String> = self.ef.iter().map(usize::to_string).collect();
        let mut words = Words::default();
        self.graph.add_to(&mut words);
        words.add("--threads", self.threads().to_string());
        words.add("--k", self.k.to_string());
        words.add("--ef", ef.join(","));
        words.add_some("--limit-base", self.limit_base.map(|n| n.to_string()));
        words.add_some("--limit-query", self.limit_query.map(|n| n.to_string()));
        words.add("--passes", self.passes.to_string());
        words.0
    }
}

/// A command line in the making.
#[derive(Default)]
pub(crate) struct Words(Vec<OsString>);

impl From<Words> for Vec<OsString> {
    fn from(words: Words) -> Self {
        words.0
    }
}

impl Words {
    pub(crate) fn add(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.extend([name.into(), value.into()]);
    }

    pub(crate) fn add_some(&mut self, name: &str, value: Option<impl Into<OsString>>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser, PartialEq)]
    struct Line {
        #[command(flatten)]
        data: DataArgs,
        #[command(flatten)]
        index: IndexArgs,
    }

    fn again(line: &Line) -> Line {
        let words = [vec!["it".into()], line.data.words(), line.index.words()].concat();
        Line::try_parse_from(words).unwrap()
    }

    #[test]
    fn all_vectors_are_named_or_none() {
        #[derive(Debug, Parser)]
        struct Optional {
            #[command(flatten)]
            data: Option<DataArgs>,
        }
        let parse = |line: &str| Optional::try_parse_from(line.split_whitespace());
        assert_eq!(parse("it").unwrap().data, None);
        assert!(parse("it --base a --query b --metric ip").unwrap().data.is_some());
        for (line, missing) in [
            ("it --query b --metric ip", "base"),
            ("it --base a --metric ip", "query"),
            ("it --base a --query b", "metric"),
        ] {
            let optional = parse(line).unwrap_err().to_string();
            let needed = Line::try_parse_from(line.split_whitespace()).unwrap_err().to_string();
            assert!(optional.contains(missing) && needed.contains(missing), "{optional}{needed}");
        }
    }

    #[test]
    fn the_words_say_the_same_again() {
        for options in [
            "--metric l2 --threads 3",
            "--metric cosine --gt c.ibin --m 8 --ef-construction 50 --seed 9 --threads 1 --k 5 \
             --ef 7,9 --limit-base 20 --limit-query 10 --passes 2",
        ] {
            let line = format!("it --base a.fbin --query b.fbin {options}");
            let line = Line::try_parse_from(line.split_whitespace()).unwrap();
            assert_eq!(again(&line), line);
        }
    }
}
