//! A file of faiss: any bytes are an index that can be searched and built anew, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nearfield_fuzz::use_imported;
use nearfield_hnsw::{import::Foreign, Index, Vectors};

fuzz_target!(|bytes: &[u8]| {
    let _ = Foreign::detect_bytes(bytes);
    if let Ok(index) = Index::<u64, Vectors<f32>>::from_faiss_bytes(bytes) {
        use_imported(&index);
    }
});
