//! What the machine and its system say of themselves.

use serde::{Deserialize, Serialize};
use sysinfo::System;

use super::caches::{self, Cache};
use super::probed::{NotAvailable, Probed};

/// The machine by its own account. Nothing here is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The processor.
    pub cpu: Cpu,
    /// Data caches as seen from the first core.
    pub caches: Probed<Vec<Cache>>,
    /// Memory that this process may use: the machine's, or its container's limit.
    pub memory_bytes: u64,
    /// Mode of transparent huge pages: `always`, `madvise` or `never`.
    pub huge_pages: Probed<String>,
    /// The operating system and its version.
    pub os: String,
    /// The kernel's version.
    pub kernel: String,
    /// Mean number of runnable processes in the minute before the run: what disturbed it.
    pub load: f64,
}

/// The processor by its own account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cpu {
    /// Its name, perhaps one that a hypervisor invented.
    pub name: String,
    /// The vendor as the CPU spells it.
    pub vendor: String,
    /// `x86_64`, `aarch64`, …
    pub architecture: String,
    /// Family, model and stepping (x86), which tell more than a masked name.
    pub signature: Option<String>,
    /// The hypervisor, when there is one.
    pub hypervisor: Option<String>,
    /// Whether the name hides the model.
    pub masked: bool,
    /// Threads that this process may run at once.
    pub threads: usize,
    /// Physical cores, as far as the system tells (in a virtual machine often not the truth).
    pub cores: Option<usize>,
    /// Clock in GHz that the system states.
    pub stated_ghz: Option<f64>,
    /// The instruction-set extensions that distance kernels can use, and whether they are here.
    pub features: Vec<Feature>,
}

/// An instruction-set extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name as Rust spells it.
    pub name: String,
    /// Whether CPU and system offer it.
    pub present: bool,
}

impl Facts {
    /// Asks the system.
    pub fn gather() -> Self {
        let mut system = System::new();
        system.refresh_memory();
        system.refresh_cpu_all();
        let limit = system.cgroup_limits().map_or(u64::MAX, |limits| limits.total_memory);
        let unknown = || "unknown".to_owned();
        Self {
            cpu: Cpu::gather(&system),
            caches: caches::detect(),
            memory_bytes: system.total_memory().min(limit),
            huge_pages: huge_page_mode(),
            os: System::long_os_version().unwrap_or_else(unknown),
            kernel: System::kernel_version().unwrap_or_else(unknown),
            load: System::load_average().one,
        }
    }
}

impl Cpu {
    fn gather(system: &System) -> Self {
        let first = system.cpus().first();
        let name = first.map(|cpu| cpu.brand().trim().to_owned()).unwrap_or_default();
        let name = if name.is_empty() { "unnamed CPU".to_owned() } else { name };
        let hypervisor = hypervisor();
        Self {
            masked: hypervisor.is_some() && names_no_model(&name),
            vendor: first.map(|cpu| cpu.vendor_id().to_owned()).unwrap_or_default(),
            architecture: std::env::consts::ARCH.to_owned(),
            signature: signature(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            cores: System::physical_core_count(),
            stated_ghz: first.map(|cpu| cpu.frequency() as f64 / 1e3).filter(|&ghz| ghz > 0.0),
            features: features(),
            name,
            hypervisor,
        }
    }
}

/// Whether a CPU's name has no model number in it: no digit except in a clock or a core count
/// (`Intel Xeon Processor @ 2.10GHz`, `AMD EPYC`, `QEMU Virtual CPU`).
fn names_no_model(name: &str) -> bool {
    let states_quantity = |word: &str| word.ends_with("GHz") || word.ends_with("-Core");
    !name
        .split_whitespace()
        .filter(|w| !states_quantity(w))
        .any(|w| w.contains(|c: char| c.is_ascii_digit()))
}

/// The word in brackets in `always [madvise] never`.
fn huge_page_mode() -> Probed<String> {
    let path = "/sys/kernel/mm/transparent_hugepage/enabled";
    let text = std::fs::read_to_string(path)
        .map_err(|e| NotAvailable::because(format_args!("{path}: {e}")))?;
    let chosen = text.split('[').nth(1).and_then(|rest| rest.split(']').next());
    chosen.map(str::to_owned).ok_or_else(|| NotAvailable::because(format_args!("{path}: {text}")))
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn hypervisor() -> Option<String> {
    use raw_cpuid::Hypervisor;
    let id = raw_cpuid::CpuId::new();
    if !id.get_feature_info()?.has_hypervisor() {
        return None;
    }
    Some(match id.get_hypervisor_info().map(|info| info.identify()) {
        Some(Hypervisor::Unknown(..)) | None => "unnamed".to_owned(),
        Some(known) => format!("{known:?}"),
    })
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn hypervisor() -> Option<String> {
    None
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn signature() -> Option<String> {
    let info = raw_cpuid::CpuId::new().get_feature_info()?;
    let (family, model) = (info.family_id(), info.model_id());
    Some(format!("family {family}, model {model}, stepping {}", info.stepping_id()))
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn signature() -> Option<String> {
    None
}

fn features() -> Vec<Feature> {
    macro_rules! detect {
        ($detect:ident: $($name:tt)*) => {
            vec![$(Feature { name: $name.to_owned(), present: std::arch::$detect!($name) }),*]
        };
    }
    #[cfg(target_arch = "x86_64")]
    return detect!(is_x86_feature_detected:
        "popcnt" "avx" "avx2" "fma" "f16c" "avxvnni"
        "avx512f" "avx512bw" "avx512cd" "avx512dq" "avx512vl"
        "avx512vnni" "avx512vpopcntdq" "avx512bitalg" "avx512bf16" "avx512fp16");
    #[cfg(target_arch = "aarch64")]
    return detect!(is_aarch64_feature_detected: "neon" "fp16" "dotprod" "i8mm" "bf16" "sve" "sve2");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    vec![]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_hide_the_model_are_recognised() {
        for masked in [
            "AMD EPYC",
            "Intel(R) Xeon(R) Processor @ 2.10GHz",
            "Intel Xeon Processor (Skylake, IBRS)",
        ] {
            assert!(names_no_model(masked), "{masked}");
        }
        for named in [
            "AMD EPYC 9B14 96-Core Processor",
            "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz",
            "Apple M2",
        ] {
            assert!(!names_no_model(named), "{named}");
        }
    }

    #[test]
    fn facts_are_plausible_here() {
        let facts = Facts::gather();
        assert!(facts.cpu.threads >= 1);
        assert!(facts.memory_bytes > 64 << 20);
        assert!(!facts.cpu.name.is_empty());
    }
}
