//! A file of usearch: any bytes are an index that can be searched and built anew, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nearfield_fuzz::use_imported;
use nearfield_hnsw::{bf16, f16, import::Foreign, space::VectorElement, Index, Vectors};

fuzz_target!(|bytes: &[u8]| {
    let Ok(foreign) = Foreign::detect_bytes(bytes) else { return };
    match foreign.element {
        "f32" => import::<f32>(bytes),
        "f16" => import::<f16>(bytes),
        "bf16" => import::<bf16>(bytes),
        "i8" => import::<i8>(bytes),
        _ => import::<u8>(bytes),
    }
});

fn import<E: VectorElement>(bytes: &[u8]) {
    if let Ok(index) = Index::<u64, Vectors<E>>::from_usearch_bytes(bytes) {
        use_imported(&index);
    }
}
