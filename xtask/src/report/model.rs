//! The report's data: everything measured, as `report.json` holds it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use bench_suite::ann::{BuildEvent, SearchEvent};
use bench_suite::curve;
use bench_suite::kernel_runs::KernelTime;
use bench_suite::machine::{BandwidthPoint, ComputePeak, Facts, LatencyCurve, Levels, Probed};
use bench_suite::roofline::{Bound, Limit, Roofs};
use serde::{Deserialize, Serialize};

/// The version of `report.json`. Raise it when a field changes its meaning, goes or becomes required.
pub(crate) const SCHEMA: u32 = 1;

/// Everything that one run measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// [`SCHEMA`] of the program that wrote it.
    pub(crate) schema: u32,
    pub(crate) run: Run,
    pub(crate) facts: Facts,
    pub(crate) compute: Compute,
    pub(crate) memory: Memory,
    pub(crate) kernels: Probed<Vec<KernelFigure>>,
    pub(crate) indexes: Vec<IndexRun>,
}

/// When and from what the report was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    /// RFC 3339, UTC.
    pub(crate) date: String,
    pub(crate) quick: bool,
    /// How long the measuring took.
    pub(crate) seconds: f64,
    pub(crate) version: String,
    /// Git revision, with `+` when files had changed since.
    pub(crate) revision: Probed<String>,
    pub(crate) rustc: Probed<String>,
}

/// What one busy thread computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Compute {
    /// Measured clock.
    pub(crate) ghz: f64,
    pub(crate) peaks: Vec<ComputePeak>,
}

/// What memory gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Memory {
    pub(crate) levels: Levels,
    /// Threads of the columns that say "all".
    pub(crate) threads: usize,
    pub(crate) by_level: Vec<LevelFigures>,
    pub(crate) bandwidth: Probed<Vec<BandwidthPoint>>,
    pub(crate) latency: Vec<Probed<LatencyCurve>>,
    /// Absent when no bandwidth could be measured.
    pub(crate) roofs: Option<Roofs>,
    /// The roofs whose probe a kernel beat, twice; they are the kernel's own best.
    #[serde(default)]
    pub(crate) lifted: Vec<Bound>,
}

/// One level of the hierarchy, measured with a working set well inside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LevelFigures {
    /// `L1`, `L2`, `L3`, `DRAM`.
    pub(crate) name: String,
    /// Working set of one thread.
    pub(crate) bytes: usize,
    /// GB/s of one thread.
    pub(crate) one_thread: Probed<f64>,
    /// GB/s of all threads together.
    pub(crate) all_threads: Probed<f64>,
    /// Nanoseconds of a dependent random read, on huge pages.
    pub(crate) latency_ns: Probed<f64>,
}

/// One timed kernel and what the time means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KernelFigure {
    #[serde(flatten)]
    pub(crate) time: KernelTime,
    /// Billions of bytes of vectors read per second.
    pub(crate) gb_per_s: f64,
    /// The least time this machine allows; absent when its roofs are unknown.
    pub(crate) limit: Option<Limit>,
    /// `limit.ns / ns`: 1 is perfect.
    pub(crate) share_of_limit: Option<f64>,
    pub(crate) speedup_over_scalar: Option<f64>,
    pub(crate) speedup_over_plain: Option<f64>,
}

/// An index over one data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct IndexRun {
    pub(crate) data_set: String,
    /// What came of it, or why nothing did.
    pub(crate) figures: Probed<IndexFigures>,
}

/// The figures of an index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct IndexFigures {
    pub(crate) rows: usize,
    pub(crate) queries: usize,
    pub(crate) dim: usize,
    pub(crate) metric: String,
    pub(crate) m: usize,
    pub(crate) ef_construction: usize,
    pub(crate) k: usize,
    /// By growing number of threads.
    pub(crate) builds: Vec<BuildEvent>,
    /// By growing ef.
    pub(crate) searches: Vec<SearchEvent>,
}

impl IndexFigures {
    /// Queries per second at a recall, by [`curve::qps_at`].
    pub(crate) fn qps_at(&self, recall: f64) -> Option<f64> {
        curve::qps_at(&self.searches, recall)
    }
}

/// Why a `report.json` cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("{} cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: not a report, or a damaged one", path.display())]
    Damaged { path: PathBuf, source: serde_json::Error },
    #[error("{}: schema version {found}, but this program reads version {SCHEMA}; make it anew with the same revision", path.display())]
    OtherSchema { path: PathBuf, found: u32 },
}

impl Report {
    /// Reads a `report.json`.
    pub(crate) fn read(path: &Path) -> Result<Self, ReadError> {
        let path = path.to_owned();
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, path),
            Err(source) => Err(ReadError::Unreadable { path, source }),
        }
    }

    fn parse(text: &str, path: PathBuf) -> Result<Self, ReadError> {
        #[derive(Deserialize)]
        struct Head {
            schema: u32,
        }
        // The version first: a report of another schema should not be called damaged.
        let parsed = serde_json::from_str::<Head>(text).and_then(|head| {
            if head.schema == SCHEMA {
                serde_json::from_str(text).map(Ok)
            } else {
                Ok(Err(head.schema))
            }
        });
        match parsed {
            Ok(Ok(report)) => Ok(report),
            Ok(Err(found)) => Err(ReadError::OtherSchema { path, found }),
            Err(source) => Err(ReadError::Damaged { path, source }),
        }
    }

    /// The figures of `run`'s data set in this report, if they are of the same rows and parameters.
    pub(crate) fn same_index(&self, run: &IndexRun) -> Option<&IndexFigures> {
        let theirs = run.figures.as_ref().ok()?;
        let same = self.indexes.iter().find(|own| own.data_set == run.data_set)?;
        let figures = same.figures.as_ref().ok()?;
        let key = |f: &IndexFigures| (f.rows, f.dim, f.m, f.ef_construction, f.k);
        (key(figures) == key(theirs)).then_some(figures)
    }

    /// The text of `report.json`.
    pub(crate) fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;

    fn parse(text: &str) -> Result<Report, ReadError> {
        Report::parse(text, PathBuf::from("other.json"))
    }

    #[test]
    fn json_gives_the_same_report_back() {
        let report = sample();
        assert_eq!(parse(&report.to_json().unwrap()).unwrap(), report);
    }

    #[test]
    fn another_schema_is_named_even_if_all_else_differs() {
        let error = parse(r#"{"schema": 99, "other": []}"#).unwrap_err();
        assert!(matches!(error, ReadError::OtherSchema { found: 99, .. }));
        assert!(error.to_string().starts_with("other.json: schema version 99"));
    }

    #[test]
    fn damage_is_an_error_that_names_the_file() {
        let json = sample().to_json().unwrap();
        for damaged in ["", "[]", "{}", &json[..json.len() / 2], &json.replace("\"ghz\"", "\"hz\"")]
        {
            let error = parse(damaged).unwrap_err();
            assert!(matches!(error, ReadError::Damaged { .. }), "{error}");
            assert!(error.to_string().starts_with("other.json: "));
        }
        let error = Report::read(Path::new("/nonexistent/report.json")).unwrap_err();
        assert!(matches!(error, ReadError::Unreadable { .. }));
    }
}
