//! Files of hnswlib, usearch and faiss: their indexes answer here as they do there, what is written here
//! they could have written, and damaged ones are refused.
//!
//! The files in `foreign/` were made by the libraries, with `foreign/make.py`.

#[path = "support/mapped.rs"]
mod mapped;

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use nearfield_hnsw::{
    Build, Index, InsertError, Metric, Params, Search, Unwritable, Vectors, bf16, f16,
    import::{Foreign, ImportError, Library},
    inspect::InvariantViolation,
    space::VectorElement,
};

#[path = "foreign/refused.rs"]
mod refused;

type Imported<E> = Index<u64, Vectors<E>>;

fn file(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign").join(name)
}

/// The numbers that bytes are, wherever they lie.
fn values<T: bytemuck::Pod>(bytes: &[u8]) -> Vec<T> {
    let mut values = vec![T::zeroed(); bytes.len() / size_of::<T>()];
    bytemuck::cast_slice_mut(&mut values).copy_from_slice(bytes);
    values
}

/// How many points the files have, and how many of them are removed where any are.
const POINTS: usize = 120;
const REMOVED: usize = 60;

/// Keys and distances.
type Hits = Vec<(u64, f32)>;

/// What a library answered: see `make.py`.
struct Answers<E> {
    queries: Vec<Vec<E>>,
    k: usize,
    /// Of each beam its width, and of each query the hits.
    beams: Vec<(usize, Vec<Hits>)>,
}

impl<E: VectorElement> Answers<E> {
    fn read(case: &str, dim: usize) -> Self {
        let bytes = file(&format!("{case}.answers"));
        let mut at = 0;
        let mut take = |len: usize| {
            at += len;
            &bytes[at - len..at]
        };
        let mut number = || u32::from_le_bytes(take(4).try_into().unwrap()) as usize;
        let (count, k, beams) = (number(), number(), number());
        let widths: Vec<usize> = (0..beams).map(|_| number()).collect();
        let mut query = || values(take(dim * size_of::<E>()));
        let queries = (0..count).map(|_| query()).collect();
        let mut hits = || {
            let keys: Vec<u64> = values(take(count * k * 8));
            let distances: Vec<f32> = values(take(count * k * 4));
            let hits: Hits = keys.into_iter().zip(distances).collect();
            hits.chunks(k).map(<[_]>::to_vec).collect()
        };
        let beams = widths.into_iter().map(|width| (width, hits())).collect();
        Self { queries, k, beams }
    }
}

/// Searches as the library did. `distance` turns one of ours into one of its.
fn compare<E: VectorElement>(case: &str, index: &Imported<E>, distance: fn(f32) -> f32) {
    let answers = Answers::<E>::read(case, index.space().dim());
    for (ef, expected) in &answers.beams {
        for (query, expected) in answers.queries.iter().zip(expected) {
            let hits = index.search(query, Search::new(answers.k).ef(*ef)).unwrap();
            assert_eq!(hits.len(), expected.len(), "{case}");
            for (hit, (key, theirs)) in hits.iter().zip(expected) {
                let ours = distance(hit.distance);
                let near = (ours - theirs).abs() <= 2e-6 * (1.0 + theirs.abs());
                assert!(near, "{case}, ef {ef}: {hit:?}, {key} at {theirs}");
                assert_eq!(hit.key, key, "{case}, ef {ef}: {hits:?}, {expected:?}");
            }
        }
    }
}

fn hnswlib(case: &str, metric: Metric) -> Imported<f32> {
    Index::from_hnswlib(path(&format!("{case}.index")), metric).unwrap()
}

fn usearch<E: VectorElement>(case: &str) -> Imported<E> {
    Index::from_usearch(path(&format!("{case}.index"))).unwrap()
}

fn faiss(case: &str) -> Imported<f32> {
    Index::from_faiss(path(&format!("{case}.index"))).unwrap()
}

const AS_IT_IS: fn(f32) -> f32 = |distance| distance;
const ONE_MORE: fn(f32) -> f32 = |distance| 1.0 + distance;
const NEGATED: fn(f32) -> f32 = |distance| -distance;

#[test]
fn indexes_of_hnswlib_answer_as_they_do_there() {
    compare("hnswlib-l2", &hnswlib("hnswlib-l2", Metric::L2Squared), AS_IT_IS);
    compare("hnswlib-long", &hnswlib("hnswlib-long", Metric::L2Squared), AS_IT_IS);
    compare("hnswlib-ip", &hnswlib("hnswlib-ip", Metric::InnerProduct), ONE_MORE);
    compare("hnswlib-cosine", &hnswlib("hnswlib-cosine", Metric::Cosine), AS_IT_IS);
}

#[test]
fn indexes_of_usearch_answer_as_they_do_there() {
    compare("usearch-f32-l2sq", &usearch::<f32>("usearch-f32-l2sq"), AS_IT_IS);
    compare("usearch-f32-ip", &usearch::<f32>("usearch-f32-ip"), ONE_MORE);
    compare("usearch-f32-cos", &usearch::<f32>("usearch-f32-cos"), AS_IT_IS);
    compare("usearch-f16-cos", &usearch::<f16>("usearch-f16-cos"), AS_IT_IS);
    compare("usearch-bf16-ip", &usearch::<bf16>("usearch-bf16-ip"), ONE_MORE);
    compare("usearch-bf16-l2sq", &usearch::<bf16>("usearch-bf16-l2sq"), AS_IT_IS);
    compare("usearch-i8-cos", &usearch::<i8>("usearch-i8-cos"), AS_IT_IS);
    compare("usearch-i8-l2sq", &usearch::<i8>("usearch-i8-l2sq"), AS_IT_IS);
}

#[test]
fn indexes_of_faiss_answer_as_they_do_there() {
    compare("faiss-flat-l2", &faiss("faiss-flat-l2"), AS_IT_IS);
    compare("faiss-long", &faiss("faiss-long"), AS_IT_IS);
    compare("faiss-flat-ip", &faiss("faiss-flat-ip"), NEGATED);
    compare("faiss-sq8", &faiss("faiss-sq8"), AS_IT_IS);
    compare("faiss-sq8-uniform", &faiss("faiss-sq8-uniform"), AS_IT_IS);
    compare("faiss-l1", &faiss("faiss-l1"), AS_IT_IS);
}

#[test]
fn codes_of_faiss_stand_for_what_they_do_there() {
    for kind in
        ["4bit", "4bit-uniform", "6bit", "fp16", "bf16", "8bit-direct", "8bit-direct-signed"]
    {
        let case = format!("faiss-sq-{kind}");
        compare(&case, &faiss(&case), AS_IT_IS);
    }
}

#[test]
fn indexes_of_faiss_around_others_answer_as_they_do_there() {
    type Case = (&'static str, Metric, fn(f32) -> f32);
    let cases: [Case; 7] = [
        ("faiss-idmap", Metric::L2Squared, AS_IT_IS),
        ("faiss-idmap2-ip", Metric::InnerProduct, NEGATED),
        ("faiss-same", Metric::L2Squared, AS_IT_IS),
        ("faiss-l2norm-ip", Metric::Cosine, |distance| 1.0 - distance),
        ("faiss-l2norm-l2", Metric::Cosine, |distance| 2.0 * distance),
        ("faiss-refine-flat", Metric::L2Squared, AS_IT_IS),
        ("faiss-refine-fp16", Metric::L2Squared, AS_IT_IS),
    ];
    for (case, metric, distance) in cases {
        let index = faiss(case);
        compare(case, &index, distance);
        assert_eq!(index.space().metric(), metric, "{case}");
        let has_ids = case.contains("idmap") || case == "faiss-l2norm-l2";
        assert_eq!(index.contains(&1003), has_ids, "{case}");
        assert_eq!(index.contains(&1), !has_ids, "{case}");

        let found = Foreign::detect(path(&format!("{case}.index"))).unwrap();
        assert_eq!((found.library, found.metric), (Library::Faiss, Some(metric)), "{case}");
        assert_eq!((found.dim, found.points, found.element), (8, 30, "f32"), "{case}");
    }
}

/// Files of sizes that no memory has: the heads are read, and nothing else.
#[test]
#[cfg(unix)] // where a file can be longer than the disk
fn a_file_is_told_by_its_first_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let long = |name: &str, start: &[u8], at: u64, head: &[u8]| {
        let path = folder.path().join(name);
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(start).unwrap();
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(head).unwrap();
        file.set_len((1 << 43) - 4096).unwrap();
        path
    };
    let usearch = file("usearch-f32-cos.index");
    let head = &usearch[8 + POINTS * 20 * 4..][..64];
    let points = 1u64 << 35;
    let mut head = head.to_vec();
    head[17..25].copy_from_slice(&points.to_le_bytes());
    let start = [points.to_le_bytes(), 80u64.to_le_bytes()].concat();
    let cases = [
        (long("usearch", &start, 16 + points * 80, &head), Library::Usearch, points),
        (long("faiss", &file("faiss-l2norm-l2.index"), 0, b"IxMp"), Library::Faiss, 30),
        (long("hnswlib", &file("hnswlib-l2.index")[..96], 96, &[]), Library::Hnswlib, 120),
    ];
    for (path, library, points) in cases {
        let found = Foreign::detect(&path).unwrap();
        assert_eq!((found.library, found.points), (library, points));
    }
    let path = long("none", &[0; 200], 0, &[]);
    assert!(matches!(Foreign::detect(path).unwrap_err(), ImportError::Unknown(None)));
}

#[test]
fn removed_points_are_walked_through_and_not_returned() {
    let cases = [
        ("hnswlib-deleted", hnswlib("hnswlib-deleted", Metric::L2Squared)),
        ("usearch-f32-removed", usearch("usearch-f32-removed")),
    ];
    for (case, index) in cases {
        compare(case, &index, AS_IT_IS);
        assert_eq!((index.len(), index.stats().removed), (POINTS - REMOVED, REMOVED), "{case}");
        assert!(!index.contains(&1000) && index.contains(&1300), "{case}");
        assert_eq!(
            index.search(&[0.0; 20], Search::new(POINTS)).unwrap().len(),
            POINTS - REMOVED,
            "{case}"
        );
    }
}

#[test]
fn an_imported_index_can_be_searched_and_compacted_and_not_changed() {
    let index = hnswlib("hnswlib-long", Metric::L2Squared);
    let (row, hash) = ([0.5; 72], index.graph_hash());
    let refused = |error| matches!(error, InsertError::Unwritable(Unwritable::Imported));
    assert!(refused(index.insert(1, &row).unwrap_err()));
    assert!(refused(index.upsert(1000, &row).unwrap_err()));
    assert!(refused(index.insert_batch(vec![1], &[row], Build::default()).unwrap_err()));
    let error = index.remove(&1000).unwrap_err();
    assert!(error.to_string().contains("`Index::compact`"), "{error}");
    assert_eq!((index.len(), index.graph_hash()), (POINTS, hash));
    index.check().unwrap();

    let compact = index.compact(Build::default()).unwrap();
    compact.check().unwrap();
    assert_eq!(compact.len(), POINTS);
    assert_eq!(compact.params().m, 6);
    for key in [1000, 1003, 1357] {
        assert_eq!(compact.get(&key), index.get(&key));
        let near = compact.search_near(&key, Search::new(1)).unwrap();
        assert_eq!((near[0].key, near[0].distance), (&key, 0.0));
    }
    compact.insert(1, &row).unwrap();
    assert!(compact.remove(&1000).unwrap());
    compact.check().unwrap();

    let deleted = hnswlib("hnswlib-deleted", Metric::L2Squared);
    let compact = deleted.compact(Build::default()).unwrap();
    compact.check().unwrap();
    assert_eq!((compact.len(), compact.stats().removed), (POINTS - REMOVED, 0));
}

#[test]
fn an_imported_index_is_saved_and_opened_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("hnswlib-long", hnswlib("hnswlib-long", Metric::L2Squared)),
        ("hnswlib-cosine", hnswlib("hnswlib-cosine", Metric::Cosine)),
        ("hnswlib-deleted", hnswlib("hnswlib-deleted", Metric::L2Squared)),
        ("usearch-f32-removed", usearch("usearch-f32-removed")),
        ("faiss-long", faiss("faiss-long")),
    ];
    for (case, index) in cases {
        let path = folder.path().join(case);
        index.save(&path).unwrap();
        for opened in [mapped::open(&path), mapped::open_verified(&path), Index::load(&path)] {
            let opened: Imported<f32> = opened.unwrap();
            assert_eq!(opened.graph_hash(), index.graph_hash(), "{case}");
            compare(case, &opened, AS_IT_IS);
            let error = opened.remove(&1000).unwrap_err();
            assert_eq!(error, Unwritable::Imported, "{case}");
            opened.compact(Build::default().threads(1)).unwrap().check().unwrap();
        }
    }
}

#[test]
fn pages_and_filters_work_on_imported_graphs() {
    let index = usearch::<f32>("usearch-f32-removed");
    let query = [0.1; 20];
    let pages: usize = index.pages(&query, Search::new(7)).unwrap().map(|page| page.len()).sum();
    // usearch has left one where no link leads to.
    assert!(matches!(index.check(), Err(InvariantViolation::Unreachable(_))));
    assert_eq!(pages, POINTS - REMOVED, "the last page also has what no link leads to");
    let even = |key: &u64| key.is_multiple_of(2);
    let hits = index.search(&query, Search::new(POINTS).filter(&even)).unwrap();
    assert_eq!(hits.len(), (POINTS - REMOVED) / 2);
    assert!(hits.iter().all(|hit| even(hit.key)));
}

#[test]
fn files_are_told_by_their_content() {
    let cases = [
        ("hnswlib-l2", Library::Hnswlib, "f32", 20, None),
        ("hnswlib-long", Library::Hnswlib, "f32", 72, None),
        ("usearch-f32-cos", Library::Usearch, "f32", 20, Some(Metric::Cosine)),
        ("usearch-f16-cos", Library::Usearch, "f16", 20, Some(Metric::Cosine)),
        ("usearch-bf16-ip", Library::Usearch, "bf16", 20, Some(Metric::InnerProduct)),
        ("usearch-i8-l2sq", Library::Usearch, "i8", 20, Some(Metric::L2Squared)),
        ("faiss-flat-ip", Library::Faiss, "f32", 20, Some(Metric::InnerProduct)),
        ("faiss-sq8", Library::Faiss, "f32", 20, Some(Metric::L2Squared)),
    ];
    for (case, library, element, dim, metric) in cases {
        let found = Foreign::detect(path(&format!("{case}.index"))).unwrap();
        assert_eq!((found.library, found.element, found.dim), (library, element, dim), "{case}");
        assert_eq!((found.metric, found.points), (metric, POINTS as u64), "{case}");
    }
    for bytes in [&[][..], &[0; 200], b"IVF", &file("hnswlib-l2.answers")] {
        let error = Foreign::detect_bytes(bytes).unwrap_err();
        assert!(matches!(error, ImportError::Unknown(None)), "{error}");
    }
    let whole = file("usearch-f32-cos.index");
    let graph_alone = &whole[8 + POINTS * 20 * 4..];
    let error = Foreign::detect_bytes(graph_alone).unwrap_err();
    assert!(matches!(error, ImportError::NoVectors), "{error}");
}

#[test]
fn the_wrong_element_and_the_wrong_library_are_named() {
    let error = Imported::<f16>::from_usearch(path("usearch-i8-cos.index")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the elements are i8; f16 was asked for: read it as an index of `Vectors<i8>`"
    );
    let l2 = file("hnswlib-l2.index");
    let error = Imported::<f32>::from_usearch_bytes(&l2).unwrap_err();
    assert_eq!(error.to_string(), "this is no index of usearch");
    let error = Imported::<f32>::from_faiss_bytes(&l2).unwrap_err();
    assert_eq!(error.to_string(), "this is no index of faiss");
    let error = Imported::from_hnswlib_bytes(&file("faiss-sq8.index"), Metric::L2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the metric of an hnswlib index is euclidean, which is not read; hnswlib has l2, ip and cosine: \
         give the one that the file was written with"
    );
    let error = Imported::from_hnswlib_bytes(&file("faiss-sq8.index"), Metric::Cosine).unwrap_err();
    assert_eq!(error.to_string(), "this is no index of hnswlib");
    let error = Imported::<f32>::from_faiss("no such file").unwrap_err();
    assert!(error.to_string().starts_with("no such file cannot be read: "), "{error}");
}

#[test]
fn what_hnswlib_wrote_is_written_again_byte_by_byte() {
    let folder = tempfile::tempdir().unwrap();
    for (case, metric) in [
        ("hnswlib-l2", Metric::L2Squared),
        ("hnswlib-ip", Metric::InnerProduct),
        ("hnswlib-deleted", Metric::L2Squared),
    ] {
        let original = file(&format!("{case}.index"));
        let path = folder.path().join(case);
        hnswlib(case, metric).to_hnswlib(&path).unwrap();
        let written = fs::read(&path).unwrap();
        // The room for elements, which is that of these.
        assert_eq!((&written[..8], &written[8..16]), (&original[..8], &original[16..24]));
        assert_eq!(written.len(), original.len());
        let (written, original) = (links_in_use(&written), links_in_use(&original));
        assert!(written[16..] == original[16..], "{case}");
    }
    // Nothing is left beside them.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

/// A file of these points with M 6 and 20 dimensions without what stands in unused places.
fn links_in_use(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let clear = |file: &mut [u8], list: usize, room: usize| {
        let count = usize::from(u16::from_le_bytes([file[list], file[list + 1]]));
        file[list + 4 * (1 + count)..list + 4 * (1 + room)].fill(0);
    };
    (0..POINTS).for_each(|element| clear(&mut file, 96 + element * 140, 12));
    let mut at = 96 + POINTS * 140;
    while at < file.len() {
        let bytes = u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        (0..bytes / 28).for_each(|level| {
            clear(&mut file, at + 4 + level * 28, 6);
        });
        at += 4 + bytes;
    }
    file
}

#[test]
fn an_index_of_ours_comes_back_from_hnswlibs_format() {
    let folder = tempfile::tempdir().unwrap();
    for metric in [Metric::L2Squared, Metric::InnerProduct, Metric::Cosine] {
        let index = Index::new(Vectors::<f32>::new(5, metric).unwrap(), Params::default()).unwrap();
        let row =
            |i: u64| [1, 7, 31, 97, 113].map(|f| ((i * f + i / 50) % 101) as f32 / 101.0 + 0.1);
        for i in 0..500 {
            index.insert(i, &row(i)).unwrap();
        }
        for i in 500..520 {
            index.insert(i, &row(7)).unwrap(); // copies
        }
        (0..100).for_each(|i| assert!(index.remove(&(i * 5)).unwrap()));
        let path = folder.path().join("index.bin");
        index.to_hnswlib(&path).unwrap();
        let read = Imported::from_hnswlib(&path, metric).unwrap();
        assert_eq!((read.len(), read.stats().removed), (index.len(), 100));
        for i in 0..100 {
            let query = row(i * 11 + 3);
            let search = Search::new(10).ef(100);
            let hits = |index: &Imported<f32>| {
                let hits = index.search(&query, search).unwrap();
                hits.iter().map(|hit| (*hit.key, hit.distance)).collect::<Vec<_>>()
            };
            for (ours, theirs) in hits(&index).iter().zip(hits(&read)) {
                assert!((ours.1 - theirs.1).abs() < 1e-6, "{metric}: {ours:?}, {theirs:?}");
            }
        }
    }
    let index = Index::new(Vectors::<f32>::new(5, Metric::Manhattan).unwrap(), Params::default());
    let error = index.unwrap().to_hnswlib(folder.path().join("other")).unwrap_err();
    assert_eq!(error.to_string(), "hnswlib does not know the metric l1");
    let empty = Index::new(Vectors::<f32>::new(5, Metric::Cosine).unwrap(), Params::default());
    let empty = empty.unwrap();
    empty.to_hnswlib(folder.path().join("empty")).unwrap();
    let read = Imported::from_hnswlib(folder.path().join("empty"), Metric::Cosine).unwrap();
    assert!(read.is_empty());
    empty.insert(1, &[1.0; 5]).unwrap();
    assert!(empty.remove(&1).unwrap());
    empty.to_hnswlib(folder.path().join("empty")).unwrap();
    let read = Imported::from_hnswlib(folder.path().join("empty"), Metric::Cosine).unwrap();
    assert!(read.is_empty());
    assert_eq!(read.search(&[1.0; 5], Search::new(1)).unwrap(), []);
}

/// Whatever these bytes are: an error, or an index that can be searched.
fn survives<E: VectorElement>(result: Result<Imported<E>, ImportError>, is_damaged: bool) {
    match result {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(index) => {
            assert!(!is_damaged, "part of a file is taken for all of it");
            let _ = index.check();
            let _ = index.stats();
            let _ = index.graph_hash();
            let first = index.iter().next().map(|(key, _)| *key);
            if let Some(key) = first {
                let query = index.get(&key).unwrap().into_owned();
                let hits = index.search(&query, Search::new(3).ef(8)).unwrap();
                assert_eq!(hits.len(), index.len().min(3));
                let _ = index.search_near(&key, Search::new(50)).unwrap();
            }
        }
    }
}

/// Reads files with one byte changed, and cut at every place.
fn damage(bytes: &[u8], read: impl Fn(&[u8], bool)) {
    read(bytes, false);
    for len in 0..bytes.len() {
        read(&bytes[..len], true);
    }
    let mut changed = bytes.to_vec();
    for at in 0..bytes.len() {
        for value in [bytes[at] ^ 1, bytes[at] ^ 0x80, 0xFF, 0, bytes[at].wrapping_add(1)] {
            changed[at] = value;
            read(&changed, false);
        }
        changed[at] = bytes[at];
    }
    changed.push(0);
    read(&changed, true);
}

#[test]
fn no_byte_of_a_file_of_hnswlib_is_trusted() {
    damage(&file("hnswlib-small.index"), |bytes, is_damaged| {
        survives(Index::from_hnswlib_bytes(bytes, Metric::L2Squared), is_damaged);
        let _ = Foreign::detect_bytes(bytes);
    });
}

#[test]
fn no_byte_of_a_file_of_usearch_is_trusted() {
    damage(&file("usearch-small.index"), |bytes, is_damaged| {
        survives::<i8>(Index::from_usearch_bytes(bytes), is_damaged);
        let _ = Foreign::detect_bytes(bytes);
    });
}

#[test]
fn no_byte_of_a_file_of_faiss_is_trusted() {
    for case in ["faiss-small.index", "faiss-small-sq8.index", "faiss-small-layers.index"] {
        damage(&file(case), |bytes, is_damaged| {
            survives(Index::from_faiss_bytes(bytes), is_damaged);
            let _ = Foreign::detect_bytes(bytes);
        });
    }
}
