//! `.npy`: any bytes are a matrix or an error, the same in chunks as in one piece.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nearfield_fuzz::read_both_ways;

fuzz_target!(|bytes: &[u8]| read_both_ways("fuzz.npy", bytes));
