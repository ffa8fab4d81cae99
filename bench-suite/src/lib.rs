//! What measures Nearfield: data readers, exact truth, recall runs, the machine itself.

pub mod machine;
pub mod random;
pub mod timing;
