//! `.fvecs` and its kin, of which the first byte says which: any bytes behind it are a matrix or an error,
//! the same in chunks as in one piece.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nearfield_fuzz::read_both_ways;

const NAMES: [&str; 3] = ["fuzz.fvecs", "fuzz.ivecs", "fuzz.bvecs"];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    read_both_ways(NAMES[usize::from(*first) % NAMES.len()], bytes);
});
