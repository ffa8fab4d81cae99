//! When an operation is acknowledged.

use std::fmt::Debug;

/// When an operation on a [`Durable`](crate::Durable) index is acknowledged, that is, when its call
/// returns: [`Synced`], [`Every`] or [`OnFlush`].
///
/// | policy | a call returns | power loss may take |
/// |---|---|---|
/// | [`Synced`] | when its operation is on the disk | nothing of what has returned |
/// | [`Every`]`(n)` | at once, every n-th when all until then are on the disk | the last n − 1 |
/// | [`OnFlush`] | at once | all since the last [flush](crate::Durable::flush) or checkpoint |
///
/// Under the relaxed ones a call returns [`Unsynced`]. What is taken is the end: an operation never
/// survives one that was done before it. When only the process ends, however it does, nothing is taken
/// under any of them.
///
/// Sealed.
pub trait Policy: sealed::Policy + Debug + Send + Sync {
    /// What a call returns that has done something: `T`, or [`Unsynced<T>`](Unsynced).
    type Done<T>;

    /// Wraps what a call returns.
    #[doc(hidden)]
    fn done<T>(value: T) -> Self::Done<T>;
}

/// Acknowledges when the operation is on the disk. Threads that write at the same time share a sync.
#[derive(Clone, Copy, Debug, Default)]
pub struct Synced;

/// Acknowledges before the operation is on the disk, and waits for the disk every so many operations;
/// 0 is as 1.
#[derive(Clone, Copy, Debug)]
pub struct Every(pub u32);

/// Acknowledges before the operation is on the disk, where only
/// [`Durable::flush`](crate::Durable::flush) or a checkpoint brings it.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnFlush;

/// What an operation returned that is done and written, and not synced: power loss may take it until
/// [`Durable::flush`](crate::Durable::flush) has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsynced<T>(pub T);

impl Policy for Synced {
    type Done<T> = T;

    fn done<T>(value: T) -> T {
        value
    }
}

impl Policy for Every {
    type Done<T> = Unsynced<T>;

    fn done<T>(value: T) -> Unsynced<T> {
        Unsynced(value)
    }
}

impl Policy for OnFlush {
    type Done<T> = Unsynced<T>;

    fn done<T>(value: T) -> Unsynced<T> {
        Unsynced(value)
    }
}

/// What a call waits for after its operation was done.
#[derive(Clone, Copy, Debug)]
pub enum Wait {
    /// That the operation is synced.
    Synced,
    /// That fewer than so many are not.
    Fewer(u64),
    /// Nothing.
    Nothing,
}

mod sealed {
    use super::{Every, OnFlush, Synced, Wait};

    pub trait Policy {
        fn wait(&self) -> Wait;
    }

    impl Policy for Synced {
        fn wait(&self) -> Wait {
            Wait::Synced
        }
    }

    impl Policy for Every {
        fn wait(&self) -> Wait {
            Wait::Fewer(u64::from(self.0))
        }
    }

    impl Policy for OnFlush {
        fn wait(&self) -> Wait {
            Wait::Nothing
        }
    }
}
