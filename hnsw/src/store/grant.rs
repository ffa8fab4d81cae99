//! Where tests refuse memory, in the place of the system.

/// Called before memory is asked for. Fails only where a test wants it to.
#[cfg(not(test))]
#[inline(always)]
pub(crate) fn grant() -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(crate) use refused::{grant, with_refusal};

#[cfg(test)]
mod refused {
    use std::cell::Cell;
    use std::io;

    thread_local! {
        /// How often this thread is still granted memory before it is refused once.
        static GRANTS: Cell<Option<usize>> = const { Cell::new(None) };
    }

    pub(crate) fn grant() -> io::Result<()> {
        let left = GRANTS.get();
        GRANTS.set(left.map(|left| left.saturating_sub(1)));
        if left == Some(1) { Err(io::ErrorKind::OutOfMemory.into()) } else { Ok(()) }
    }

    /// Runs `work`, in which the `nth` piece of memory is refused, and tells whether there were so many.
    pub(crate) fn with_refusal<T>(nth: usize, work: impl FnOnce() -> T) -> (T, bool) {
        GRANTS.set(Some(nth));
        let done = work();
        (done, GRANTS.take() == Some(0))
    }
}
