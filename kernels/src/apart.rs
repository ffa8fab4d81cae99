//! Bodies that are compiled once for an instruction set, as functions of their own, and called by several kernels.
//!
//! A body that is inlined is compiled again at every place, together with all around it, and the time that
//! takes grows faster than the code does. What a call costs (about a nanosecond) is nothing to a tile of 16
//! pairs, to a long vector, or to what is done once per query.

/// What is done apart, on the instruction set with token `T`.
pub(crate) trait Body<T> {
    type Output;

    /// Always inlined: into the function that carries the instruction set.
    fn run(self, token: T) -> Self::Output;
}

/// A token of an instruction set with a function to run bodies in, which carries its instructions.
pub(crate) trait Apart: Copy {
    fn call<B: Body<Self>>(self, body: B) -> B::Output;
}
