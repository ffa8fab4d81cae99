//! What measures Nearfield: data readers, exact truth, recall runs, the machine itself.
