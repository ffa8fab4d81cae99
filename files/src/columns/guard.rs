//! Makes errors of the panics of others.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::Problem;

/// Runs what reads a container. The crates that do so panic over some damage, which is the file's fault
/// and not the caller's; what they leave behind is never used again, as an error ends the reading.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text =
            text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it is damaged");
        Err(Problem::Container(text.into()))
    })
}
