//! The instruction sets: which of them this CPU has, how a process is held to one, and the error
//! for what it lacks.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::{fmt, str::FromStr};

use crate::metric::Metric;

/// Whether the CPU has all these features: asked at run time, or without std at compile time.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! detected {
    ($($feature:tt),+) => {{
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        let all = $(std::arch::is_x86_feature_detected!($feature))&&+;
        #[cfg(all(feature = "std", target_arch = "aarch64"))]
        let all = $(std::arch::is_aarch64_feature_detected!($feature))&&+;
        #[cfg(not(feature = "std"))]
        let all = $(cfg!(target_feature = $feature))&&+;
        all
    }};
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) use detected;

/// Name of the environment variable that holds a whole process to one backend
/// (`scalar`, `avx2`, `avx512` or `neon`). Read once, when the first kernel is asked for; without the
/// feature `std` there is no environment, and nothing is read.
pub const BACKEND_VARIABLE: &str = "NEARFIELD_BACKEND";

/// An instruction set for which every kernel is compiled. All give equal bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Backend {
    /// Portable code, the specification of the others; slow, most of all without a hardware FMA.
    Scalar,
    /// x86-64 with AVX2, FMA and F16C: the level x86-64-v3.
    Avx2,
    /// x86-64 with AVX-512 (F, BW, CD, DQ, VL).
    Avx512,
    /// AArch64 with NEON.
    Neon,
}

impl Backend {
    /// Every backend, slowest first, whether or not this CPU has it.
    pub const ALL: [Self; 4] = [Self::Scalar, Self::Avx2, Self::Avx512, Self::Neon];

    /// The name used in [`BACKEND_VARIABLE`] and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }

    /// Whether this CPU (and operating system) can run it. Without the feature `std` nothing is asked at
    /// run time: it is whether the program was compiled for CPUs that can (`-C target-feature`).
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => detected!("avx2", "fma", "f16c", "bmi1", "bmi2", "lzcnt", "popcnt"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_available()
                    && detected!("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")
            }
            // NEON is part of every CPU of this architecture.
            Self::Neon => cfg!(target_arch = "aarch64"),
            #[allow(unreachable_patterns, reason = "which arms remain depends on the architecture")]
            _ => false,
        }
    }

    /// The backends that this CPU can run, slowest first; never empty.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|backend| backend.is_available())
    }

    /// The backend of [`Kernel::best`](crate::Kernel::best): the one that [`BACKEND_VARIABLE`]
    /// names, else the fastest available.
    ///
    /// # Errors
    /// [`Unsupported::UnknownBackend`] or [`Unsupported::Backend`] when the variable is set and
    /// cannot be obeyed: a forced backend is never silently replaced.
    pub fn best() -> Result<Self, Unsupported> {
        #[cfg(feature = "std")]
        return BEST.get_or_init(|| forced().unwrap_or_else(|| Ok(Self::fastest()))).clone();
        #[cfg(not(feature = "std"))]
        Ok(Self::fastest())
    }

    fn fastest() -> Self {
        Self::available().last().unwrap_or(Self::Scalar)
    }
}

#[cfg(feature = "std")]
static BEST: std::sync::OnceLock<Result<Backend, Unsupported>> = std::sync::OnceLock::new();

/// What [`BACKEND_VARIABLE`] demands.
#[cfg(feature = "std")]
fn forced() -> Option<Result<Backend, Unsupported>> {
    let name = std::env::var_os(BACKEND_VARIABLE)?;
    Some(name.to_string_lossy().parse().and_then(|backend: Backend| {
        backend.is_available().then_some(backend).ok_or(Unsupported::Backend(backend))
    }))
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = Unsupported;

    fn from_str(name: &str) -> Result<Self, Unsupported> {
        Self::ALL
            .into_iter()
            .find(|backend| backend.name() == name)
            .ok_or_else(|| Unsupported::UnknownBackend(name.to_owned()))
    }
}

/// Why a [`Kernel`](crate::Kernel) cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsupported {
    /// The metric makes no sense for the element type (Hamming over floats, say).
    Pair {
        /// The metric asked for.
        metric: Metric,
        /// The element type's name.
        element: &'static str,
    },
    /// The CPU at hand lacks the instructions of this backend.
    Backend(Backend),
    /// [`BACKEND_VARIABLE`](crate::BACKEND_VARIABLE) holds something that is no backend's name.
    UnknownBackend(String),
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pair { metric, element } => {
                write!(f, "metric `{metric}` is not defined for elements of type `{element}`")
            }
            Self::Backend(backend) => {
                write!(f, "backend `{backend}` is not available on this CPU")
            }
            Self::UnknownBackend(value) => {
                write!(f, "`{value}` is not a backend; known are ")?;
                for (i, backend) in Backend::ALL.iter().enumerate() {
                    write!(f, "{}`{backend}`", if i == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

impl core::error::Error for Unsupported {}
