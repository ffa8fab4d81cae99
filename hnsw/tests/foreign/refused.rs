//! Files that are not read, and what is said of them.

use nearfield_hnsw::{
    Metric,
    import::{Foreign, ImportError},
    space::VectorError,
};

use super::{Imported, POINTS, file};

#[test]
fn what_faiss_writes_and_is_not_read_is_named() {
    let says = |bytes: &[u8]| {
        let found = Imported::<f32>::from_faiss_bytes(bytes).unwrap_err();
        assert!(matches!(found, ImportError::Unsupported { .. }), "{found}");
        found.to_string()
    };
    for (kind, name) in [
        ("IwFl", "IndexIVFFlat"),
        ("IwPQ", "IndexIVFPQ"),
        ("IxPq", "IndexPQ"),
        ("IxF2", "IndexFlatL2"),
        ("IxHe", "IndexLSH"),
        ("IHc2", "IndexHNSWCagra"),
        ("IHNp", "IndexHNSWPQ"),
        ("IBHf", "IndexBinaryHNSW"),
    ] {
        let text = says(kind.as_bytes());
        let expected = format!("the index is faiss's {name} (`{kind}`), which is not read; ");
        assert!(text.starts_with(&expected), "{text}");
        assert!(text.contains("`index.reconstruct_n(0, index.ntotal)`"), "{text}");
        let found = Foreign::detect_bytes(kind.as_bytes()).unwrap_err();
        assert_eq!(found.to_string(), text);
    }
    for (case, expected) in [
        ("faiss-pca", "the transform is PCAMatrix (`Pcam`), which is not read; write the index"),
        (
            "faiss-l2norm-sq8",
            "the storage is codes of normalised vectors, which are not of length 1",
        ),
        ("faiss-refine-l2norm", "the index is a Refine by vectors that are not normalised"),
    ] {
        let text = says(&file(&format!("{case}.index")));
        assert!(text.starts_with(expected), "{text}");
    }
    // Letter by letter: what stands where in `faiss-idmap`, after 4 letters of each index a header of 33 bytes.
    let good = file("faiss-idmap.index");
    let changed = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    for (number, name) in [(3, "Linf"), (20, "Canberra"), (24, "NaN-Euclidean")] {
        let text = says(&changed(4 + 29, &i32::to_le_bytes(number)));
        let expected =
            format!("the metric is {name} (number {number}), which is not read; METRIC_");
        assert!(text.starts_with(&expected), "{text}");
    }
    let text = says(&[b"IxRF", &good[4..37], &good].concat());
    assert!(text.starts_with("the index is a Refine by places around an IDMap"), "{text}");
    let text = says(&changed(37, b"IwFl"));
    assert!(text.starts_with("the index is faiss's IndexIVFFlat (`IwFl`)"), "{text}");
    let text = says(&changed(good.len() - 8, &(-7i64).to_le_bytes()));
    assert!(text.starts_with("an id is -7, which is not read; keys are `u64`"), "{text}");
    let damaged = |bytes: &[u8]| {
        let found = Imported::<f32>::from_faiss_bytes(bytes).unwrap_err();
        assert!(matches!(found, ImportError::Damaged { .. }), "{found}");
        found.to_string()
    };
    let text = damaged(&changed(37, b"what"));
    assert!(text.contains("the kind of the index is `what`"), "{text}");
    let text = damaged(&changed(8, &31u64.to_le_bytes()));
    assert!(text.contains("the number of points inside is 30; it must be 31"), "{text}");
    let places = good.len() - 8 * 31;
    let text = damaged(&[&good[..places], &29u64.to_le_bytes(), &good[places + 16..]].concat());
    assert!(text.contains("the number of ids of an IDMap is 29; it must be 30"), "{text}");
    let found = Imported::<f32>::from_faiss_bytes(&changed(good.len() - 8, &1000u64.to_le_bytes()));
    let error = found.unwrap_err();
    assert!(matches!(error, ImportError::KeyTwice { key: 1000, id: 29 }), "{error}");

    // As deep as the file is long: no recursion, no stack that ends.
    let deep = good[..37].repeat(100_000);
    let error = Imported::<f32>::from_faiss_bytes(&deep).unwrap_err();
    assert!(matches!(error, ImportError::Cut { .. }), "{error}");
}

/// Rows that only claim to be normalised are searched by another order than faiss's.
#[test]
fn rows_that_should_be_normalised_and_are_not_are_refused() {
    let mut bytes = file("faiss-l2norm-ip.index");
    let row = bytes.len() - 32;
    for (value, square) in [(0.5f32, "2"), (0.0, "0"), (f32::NAN, "NaN")] {
        for at in (row..row + 32).step_by(4) {
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        let error = Imported::<f32>::from_faiss_bytes(&bytes).unwrap_err();
        let expected = format!("point 29 has the squared norm {square}, which is not read; write");
        assert!(error.to_string().contains(&expected), "{error}");
    }
}

#[test]
fn what_usearch_writes_and_is_not_read_is_named() {
    let good = file("usearch-f32-cos.index");
    let head = 8 + POINTS * 20 * 4;
    let says = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[head + at] = byte;
        let error = Foreign::detect_bytes(&bytes).unwrap_err();
        let read = Imported::<f32>::from_usearch_bytes(&bytes).unwrap_err();
        assert_eq!(error.to_string(), read.to_string());
        error.to_string()
    };
    for (at, byte, expected) in [
        (13, b'b', "the metric is hamming (`b`), which is not read; l2sq, ip and cos are"),
        (13, b'h', "the metric is haversine (`h`), which is not read; l2sq, ip and cos are"),
        (
            13,
            200,
            "the metric is undocumented (`\\u{c8}`), which is not read; l2sq, ip and \
                   cos are",
        ),
        (
            14,
            10,
            "the type of elements is f64 (scalar kind 10), which is not read; save the index with \
                  dtype f32, f16, bf16, i8 or u8",
        ),
        (
            14,
            1,
            "the type of elements is b1x8 (scalar kind 1), which is not read; save the index with \
                 dtype f32, f16, bf16, i8 or u8",
        ),
        (
            14,
            99,
            "the type of elements is undocumented (scalar kind 99), which is not \
                  read; save the index with dtype f32, f16, bf16, i8 or u8",
        ),
        (
            15,
            3,
            "the type of keys is uuid (scalar kind 3), which is not read; save the index with `u64` keys",
        ),
        (7, 1, "the version of usearch is 1.26.6, which is not read; 2.10 and later are"),
    ] {
        assert_eq!(says(at, byte), expected);
    }
}

#[test]
fn what_is_damaged_is_named() {
    // 14 points, of which the second is deleted, with room for 4 links, 2 dimensions and a label each.
    let (good, element) = (file("hnswlib-small.index"), |id: usize| 96 + 36 * id);
    let error = |changes: &[(usize, &[u8])]| {
        let mut bytes = good.clone();
        for (at, change) in changes {
            bytes[*at..*at + change.len()].copy_from_slice(change);
        }
        Imported::from_hnswlib_bytes(&bytes, Metric::L2Squared).unwrap_err()
    };
    let found = error(&[(element(0) + 4, &14u32.to_le_bytes())]);
    assert!(matches!(found, ImportError::Link { from: 0, to: 14, level: 0 }), "{found}");
    let found = error(&[(element(0), &[5])]);
    assert_eq!(
        found.to_string(),
        "the file is damaged: the number of links in a list is 5; it must be at most 4"
    );
    let found = error(&[(52, &14u32.to_le_bytes())]);
    assert!(matches!(found, ImportError::Entry { id: 14, .. }), "{found}");
    let found = error(&[(element(2) + 28, &1000u64.to_le_bytes())]);
    assert!(matches!(found, ImportError::KeyTwice { key: 1000, id: 2 }), "{found}");
    let many = (1u64 << 31).to_le_bytes();
    let found = error(&[(8, &many), (16, &many)]);
    assert!(matches!(found, ImportError::Cut { what: "the elements", at: 96, .. }), "{found}");
    let found = error(&[(element(3) + 20, &f32::NAN.to_le_bytes())]);
    assert!(matches!(found, ImportError::Vectors(VectorError::Row { row: 3, .. })), "{found}");

    // A link on level 1 to a point that is on level 0 alone.
    let (mut at, mut upper, mut low) = (element(14), None, None);
    for id in 0..14u32 {
        let bytes = u32::from_le_bytes(good[at..at + 4].try_into().unwrap()) as usize;
        let links = if bytes > 0 { good[at + 4] } else { 0 };
        if bytes == 0 {
            low = Some(id);
        } else if links > 0 && upper.is_none() {
            upper = Some((id, at + 8));
        }
        at += 4 + bytes;
    }
    let ((owner, at), low) = (upper.unwrap(), low.unwrap());
    let found = error(&[(at, &low.to_le_bytes())]);
    let is_link =
        matches!(found, ImportError::Link { from, to, level: 1 } if (from, to) == (owner, low));
    assert!(is_link, "{found}");
}
