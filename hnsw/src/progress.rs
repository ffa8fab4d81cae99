//! Tells a caller how far a batch is. The caller's function may do anything: panic, or call the index.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

/// Which thread is in a function of the caller's while others wait for the batch to end. It must not wait
/// itself: it would wait for ever.
#[derive(Debug, Default)]
pub(crate) struct Reporting(Mutex<Option<ThreadId>>);

impl Reporting {
    /// Whether the calling thread is in such a function.
    pub(crate) fn is_here(&self) -> bool {
        self.get() == Some(thread::current().id())
    }

    fn get(&self) -> Option<ThreadId> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, thread: Option<ThreadId>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = thread;
    }
}

/// One batch's way to the caller.
pub(crate) struct Progress<'a> {
    report: Option<&'a (dyn Fn(usize, usize) + Sync)>,
    reporting: &'a Reporting,
    /// What the caller's function panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(
        report: Option<&'a (dyn Fn(usize, usize) + Sync)>,
        reporting: &'a Reporting,
    ) -> Self {
        Self { report, reporting, panic: Mutex::default() }
    }

    /// Tells that `done` of `total` points are linked; not any more once the caller's function has panicked.
    pub(crate) fn tell(&self, done: usize, total: usize) {
        let Some(report) = self.report else { return };
        let mut panic = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
        if panic.is_some() {
            return;
        }
        self.reporting.set(Some(thread::current().id()));
        *panic = catch_unwind(AssertUnwindSafe(|| report(done, total))).err();
        self.reporting.set(None);
    }

    /// Lets the caller's panic go on, if there was one, now that everything is in its place.
    pub(crate) fn end(self) {
        if let Some(panic) = self.panic.into_inner().unwrap_or_else(PoisonError::into_inner) {
            resume_unwind(panic);
        }
    }
}
