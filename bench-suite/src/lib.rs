//! What measures Nearfield: data readers, exact truth, recall runs, the machine itself.

pub mod kernel_runs;
pub mod machine;
pub mod plain;
pub mod random;
pub mod roofline;
pub mod timing;
