//! Little memory: a process lets the system refuse it some, and then grant it again.

use anyhow::Result;

/// Whether this system can be told to refuse memory to a process.
pub(super) const CAN_BE_SCARCE: bool = cfg!(target_os = "linux");

/// Lets the system grant this process so many bytes more than it has.
#[cfg(target_os = "linux")]
pub(super) fn leave(bytes: u64) -> Result<()> {
    use anyhow::Context;
    use rlimit::Resource;

    let sizes = std::fs::read_to_string("/proc/self/status")?;
    let size =
        sizes.lines().find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB"));
    let has: u64 = size.context("the size of this process in /proc/self/status")?.trim().parse()?;
    let (_, hard) = Resource::AS.get()?;
    Ok(Resource::AS.set((has * 1024 + bytes).min(hard), hard)?)
}

/// Lets the system grant this process memory as it did before.
#[cfg(target_os = "linux")]
pub(super) fn lift() -> Result<()> {
    use rlimit::Resource;

    let (_, hard) = Resource::AS.get()?;
    Ok(Resource::AS.set(hard, hard)?)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn leave(_bytes: u64) -> Result<()> {
    anyhow::bail!("only on Linux a process is refused memory on purpose")
}

#[cfg(not(target_os = "linux"))]
pub(super) fn lift() -> Result<()> {
    Ok(())
}
