//! A file of hnswlib: any bytes are an index that can be searched and built anew, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nearfield_fuzz::use_imported;
use nearfield_hnsw::{import::Foreign, Index, Metric, Vectors};

const METRICS: [Metric; 3] = [Metric::L2Squared, Metric::InnerProduct, Metric::Cosine];

fuzz_target!(|bytes: &[u8]| {
    let _ = Foreign::detect_bytes(bytes);
    let metric = METRICS[bytes.len() % METRICS.len()];
    if let Ok(index) = Index::<u64, Vectors<f32>>::from_hnswlib_bytes(bytes, metric) {
        use_imported(&index);
    }
});
