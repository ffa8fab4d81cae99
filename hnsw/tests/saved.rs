//! Saved indexes: what is opened is what was saved, to the bit, and no byte of a file is trusted.

mod support;

use std::fs;
use std::path::Path;

use nearfield_hnsw::{
    Build, Hit, Hnsw, Id, Index, InsertError, Metric, Params, SavedKey, Search, Unwritable,
    Vectors, bf16, f16,
    file::{Corruption, FileInfo, OpenCause, OpenError},
};
use support::{FromNumber, Random, elements, mapped};
use twox_hash::XxHash3_64;

const PARAMS: Params = Params::new().m(4).ef_construction(20).seed(7).keep_pruned(false);

fn row<E: FromNumber>(dim: usize, random: &mut Random) -> Vec<E> {
    elements(&random.normals(dim))
}

/// An index with copies, replaced and removed points.
fn index<K: SavedKey, E: FromNumber>(
    points: u64,
    dim: usize,
    metric: Metric,
    key: impl Fn(u64) -> K,
) -> Index<K, Vectors<E>> {
    let index = Index::new(Vectors::new(dim, metric).unwrap(), PARAMS).unwrap();
    live_on(&index, 0..points, key);
    index
}

/// Inserts points under these keys, some twice, and removes others.
fn live_on<K: SavedKey, E: FromNumber>(
    index: &Index<K, Vectors<E>>,
    keys: std::ops::Range<u64>,
    key: impl Fn(u64) -> K,
) {
    let mut random = Random::new(keys.start);
    let dim = index.space().dim();
    for number in keys {
        let row = row(dim, &mut random);
        index.upsert(key(number), &row).unwrap();
        match number % 8 {
            3 => _ = index.upsert(key(number + 1_000_000), &row).unwrap(),
            5 => assert!(index.remove(&key(number - 3)).unwrap()),
            6 => _ = index.upsert(key(number - 6), &row).unwrap(),
            7 => {
                let equal = vec![E::from_number((number % 16) as f32); dim];
                index.upsert(key(number), &equal).unwrap();
            }
            _ => {}
        }
    }
}

/// What searches find, by key.
fn found<K: SavedKey, E: FromNumber>(index: &Index<K, Vectors<E>>) -> Vec<(K, u32, Id)> {
    let mut random = Random::new(99);
    let queries = (0..20).map(|_| row(index.space().dim(), &mut random));
    let search = |query: Vec<E>| index.search(&query, Search::new(10).ef(20)).unwrap();
    let bits = |hits: Vec<nearfield_hnsw::KeyHit<'_, K>>| {
        hits.iter().map(|hit| (hit.key.clone(), hit.distance.to_bits(), hit.id)).collect::<Vec<_>>()
    };
    queries.flat_map(|query| bits(search(query))).collect()
}

/// A way to open an index.
type Opener<I> = fn(&Path) -> Result<I, OpenError>;

type Way<K, E> = (&'static str, Opener<Index<K, Vectors<E>>>);

fn ways<K: SavedKey, E: FromNumber>() -> [Way<K, E>; 3] {
    [
        ("open", |path| mapped::open(path)),
        ("open_verified", |path| mapped::open_verified(path)),
        ("load", |path| Index::load(path)),
    ]
}

fn comes_back<K: SavedKey + std::fmt::Debug, E: FromNumber>(
    dim: usize,
    metric: Metric,
    key: impl Fn(u64) -> K + Copy,
) {
    let folder = tempfile::tempdir().unwrap();
    let [path, again] = ["index", "again"].map(|name| folder.path().join(name));
    let saved = index::<K, E>(400, dim, metric, key);
    saved.save(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    for (way, open) in ways::<K, E>() {
        let opened = open(&path).unwrap();
        let what = format!("{way} {} {metric:?}", E::NAME);
        assert_eq!(found(&opened), found(&saved), "{what}");
        assert_eq!(opened.len(), saved.len(), "{what}");
        assert_eq!(opened.graph_hash(), saved.graph_hash(), "{what}");
        assert_eq!(opened.stats().levels, saved.stats().levels, "{what}");
        assert!(opened.iter().eq(saved.iter()), "{what}");
        opened.check().unwrap();
        opened.save(&again).unwrap();
        assert!(fs::read(&again).unwrap() == bytes, "{what} saves other bytes");
    }
    // And lives on as if nothing had happened, without touching the file.
    let lives: Vec<_> = ways::<K, E>().map(|(_, open)| open(&path).unwrap()).into();
    live_on(&saved, 400..900, key);
    for ((way, _), opened) in ways::<K, E>().iter().zip(lives) {
        live_on(&opened, 400..900, key);
        opened.check().unwrap();
        assert_eq!(opened.graph_hash(), saved.graph_hash(), "{way} {} {metric:?}", E::NAME);
        assert_eq!(found(&opened), found(&saved), "{way} {} {metric:?}", E::NAME);
        assert!(opened.remove(&key(401)).unwrap() && !opened.contains(&key(401)));
    }
    assert!(fs::read(&path).unwrap() == bytes, "the file has changed");
}

#[test]
fn every_element_comes_back() {
    comes_back::<u64, f32>(100, Metric::Cosine, |key| key);
    comes_back::<u64, f32>(20, Metric::L2Squared, |key| key);
    comes_back::<String, f16>(20, Metric::InnerProduct, |key| format!("key {key}"));
    comes_back::<u32, bf16>(33, Metric::Manhattan, |key| key as u32);
    comes_back::<Vec<u8>, i8>(70, Metric::L2, |key| vec![key as u8; (key % 1000) as usize + 3]);
    comes_back::<[u8; 8], u8>(3, Metric::Cosine, u64::to_be_bytes);
    comes_back::<i64, u64>(4, Metric::Hamming, |key| -(key as i64));
}

#[test]
fn rows_of_small_integers_stay_short() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let mut vectors = Vectors::<f32>::new(64, Metric::L2Squared).unwrap();
    let values: Vec<f32> =
        Random::new(3).normals(6400).iter().map(|x| (x * 50.0).round()).collect();
    vectors.extend(&values).unwrap();
    let index = Hnsw::build(vectors, PARAMS, Build::default().threads(1)).unwrap();
    index.save(&path).unwrap();
    type Opened = Result<Hnsw<Vectors<f32>>, OpenError>;
    let ways: [fn(&Path) -> Opened; 3] =
        [mapped::by_id::open, mapped::by_id::open_verified, |path| Hnsw::load(path)];
    for open in ways.map(|open| open(&path).unwrap()) {
        assert_eq!(format!("{:?}", open.space()), format!("{:?}", index.space()));
        for query in values.chunks(64) {
            let hits =
                |index: &Hnsw<_>| -> Vec<Hit> { index.search(query, Search::new(5)).unwrap() };
            assert_eq!(hits(&open), hits(&index));
        }
    }
}

#[test]
fn an_empty_index_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let empty = index::<u64, f32>(0, 3, Metric::L2Squared, |key| key);
    empty.save(&path).unwrap();
    for (_, open) in ways::<u64, f32>() {
        let opened = open(&path).unwrap();
        assert!(opened.is_empty());
        opened.insert(7, &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(*opened.search(&[0.0; 3], Search::new(2)).unwrap()[0].key, 7);
    }
    // And one from which all were removed.
    let gone = index::<u64, f32>(1, 3, Metric::L2Squared, |key| key);
    gone.remove(&0).unwrap();
    gone.save(&path).unwrap();
    for (_, open) in ways::<u64, f32>() {
        let opened = open(&path).unwrap();
        assert!(opened.is_empty() && opened.search(&[0.0; 3], Search::new(2)).unwrap().is_empty());
        opened.insert(7, &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(*opened.search(&[0.0; 3], Search::new(2)).unwrap()[0].key, 7);
    }
}

#[test]
fn a_file_is_opened_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let saved = index::<u64, f32>(20, 3, Metric::L2Squared, |key| key);
    saved.save(&path).unwrap();
    let error = mapped::open::<u64, f16>(&path).unwrap_err();
    assert!(matches!(
        &error.cause, OpenCause::Element { expected: "f16", found } if found == "f32"
    ));
    assert!(
        error
            .to_string()
            .contains("index: vectors of `f32`: open it with these elements, not `f16`")
    );
    let error = Index::<String, Vectors<f32>>::load(&path).unwrap_err();
    assert!(matches!(
        &error.cause, OpenCause::Keys { expected: "utf-8", found } if found == "u64"
    ));
    let error = mapped::open::<u64, f32>(&folder.path().join("none")).unwrap_err();
    assert!(
        matches!(&error.cause, OpenCause::Io(error) if error.kind() == std::io::ErrorKind::NotFound)
    );
    // Without its keys it is still a graph over vectors.
    assert_eq!(mapped::by_id::open::<f32>(&path).unwrap().len(), saved.len());
    for bytes in [b"".as_slice(), b"no index", &[0; 1000]] {
        fs::write(&path, bytes).unwrap();
        let error = mapped::open::<u64, f32>(&path).unwrap_err();
        assert!(matches!(error.cause, OpenCause::Damaged(Corruption::NotAnIndex)));
    }
}

/// Every search must come to an end, with hits that there are; more is not promised of a damaged file.
fn use_unverified(index: &Index<u64, Vectors<f32>>) {
    for query in [[0.0; 3], [1.0, -0.5, 2.0]] {
        let allows_odd = |key: &u64| key % 2 == 1;
        for search in [Search::new(5), Search::new(30).ef(50), Search::new(5).filter(&allows_odd)] {
            for hit in index.search(&query, search).unwrap() {
                assert!((hit.id as usize) < index.space().len_of_rows());
            }
        }
        index.pages(&query, Search::new(7)).unwrap().for_each(drop);
    }
    let keys: Vec<u64> = index.iter().map(|(key, _)| *key).collect();
    for key in keys.iter().take(5) {
        let _ = index.search_near(key, Search::new(3));
        let _ = index.get(key);
    }
    let _ = (index.check(), index.stats(), index.graph_hash(), index.memory(), index.contains(&3));
}

trait Len {
    fn len_of_rows(&self) -> usize;
}

impl Len for Vectors<f32> {
    fn len_of_rows(&self) -> usize {
        nearfield_hnsw::space::Space::len(self)
    }
}

#[test]
fn bytes_in_memory_are_those_of_a_file() {
    let index = index::<u64, f32>(300, 5, Metric::L2, |key| key);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    index.save(&path).unwrap();
    let mut bytes = index.to_bytes().unwrap();
    assert!(bytes == fs::read(&path).unwrap());
    let copy = Index::<u64, Vectors<f32>>::from_bytes(bytes.clone()).unwrap();
    copy.check().unwrap();
    assert_eq!(found(&copy), found(&index));
    bytes.pop();
    let error = Index::<u64, Vectors<f32>>::from_bytes(bytes).unwrap_err();
    assert!(matches!(error.cause, OpenCause::Damaged(_)), "{error}");
}

#[test]
fn a_file_that_is_cut_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    index::<u64, f32>(40, 3, Metric::L2Squared, |key| key).save(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    for len in 0..bytes.len() {
        fs::write(&path, &bytes[..len]).unwrap();
        for (way, open) in ways::<u64, f32>() {
            let error = open(&path).expect_err("a part is not the whole");
            assert!(matches!(error.cause, OpenCause::Damaged(_)), "{way} of {len} bytes: {error}");
        }
    }
    fs::write(&path, [&bytes[..], &[0]].concat()).unwrap();
    for (_, open) in ways::<u64, f32>() {
        assert!(matches!(
            open(&path).unwrap_err().cause,
            OpenCause::Damaged(Corruption::Length { .. })
        ));
    }
}

#[test]
fn every_byte_that_changes_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let saved = index::<u64, f32>(40, 3, Metric::L2Squared, |key| key);
    saved.save(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let (right, hash) = (found(&saved), saved.graph_hash());
    let sections = FileInfo::read(&path).unwrap().sections;
    for place in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[place] ^= 1 << (place % 8);
        fs::write(&path, &bytes).unwrap();
        let held = sections.iter().find(|s| (s.offset..s.offset + s.len).contains(&(place as u64)));
        for (way, open) in &ways::<u64, f32>()[1..] {
            match open(&path) {
                Err(error) => assert!(matches!(error.cause, OpenCause::Damaged(_)), "{error}"),
                Ok(opened) => {
                    assert!(held.is_none(), "{way}: byte {place} of {held:?}");
                    assert_eq!((found(&opened), opened.graph_hash()), (right.clone(), hash));
                }
            }
        }
        let Ok(opened) = mapped::open::<u64, f32>(&path) else { continue };
        use_unverified(&opened);
        match (opened.insert(10_000_000, &[0.0; 3]), held) {
            (Ok(_), None) => {}
            (Err(InsertError::Unwritable(Unwritable::Damaged(damage))), Some(held)) => {
                assert_eq!(damage, Corruption::Checksum(held.kind), "byte {place}");
            }
            (other, held) => panic!("byte {place} of {held:?}: {other:?}"),
        }
    }
}

/// Gives a file that was tampered with the checksums that it should have, where its table allows.
fn seal(bytes: &mut [u8]) {
    let number = |bytes: &[u8], at: usize| {
        usize::try_from(u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())).unwrap()
    };
    let table = 192 + 32 * u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    if table > bytes.len() {
        return;
    }
    for entry in (192..table).step_by(32) {
        let (offset, len) = (number(bytes, entry + 8), number(bytes, entry + 16));
        let section = offset.checked_add(len).and_then(|end| bytes.get(offset..end));
        if let Some(checksum) = section.map(XxHash3_64::oneshot) {
            bytes[entry + 24..entry + 32].copy_from_slice(&checksum.to_le_bytes());
        }
    }
    bytes[24..32].fill(0);
    let checksum = XxHash3_64::oneshot(&bytes[..table]);
    bytes[24..32].copy_from_slice(&checksum.to_le_bytes());
}

#[test]
fn no_byte_is_trusted_though_its_checksum_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    index::<u64, f32>(24, 3, Metric::L2Squared, |key| key).save(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let mut accepted = 0;
    for place in 0..bytes.len() {
        for change in [1, 0xFF] {
            let mut bytes = bytes.clone();
            bytes[place] ^= change;
            seal(&mut bytes);
            fs::write(&path, &bytes).unwrap();
            if let Ok(opened) = mapped::open::<u64, f32>(&path) {
                use_unverified(&opened);
            }
            // What is verified is whole, whatever it is, and lives on.
            let Ok(loaded) = Index::<u64, Vectors<f32>>::load(&path) else { continue };
            accepted += 1;
            loaded.check().unwrap();
            live_on(&loaded, 2_000..2_020, |key| key);
            loaded.check().unwrap();
        }
    }
    // Rows, keys, zeros and names are what they are: about half of the file.
    let tries = 2 * bytes.len();
    assert!((tries / 10..tries * 9 / 10).contains(&accepted), "{accepted} of {tries}");
}

#[test]
fn a_save_that_fails_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    index::<u64, f32>(20, 3, Metric::L2Squared, |key| key).save(&path).unwrap();
    let before = fs::read(&path).unwrap();
    let other = index::<u64, f32>(30, 3, Metric::L2Squared, |key| key);
    let error = other.save(folder.path().join("none/index")).unwrap_err();
    assert!(error.to_string().starts_with("cannot create"), "{error}");
    other.save(folder.path()).unwrap_err();
    assert!(fs::read(&path).unwrap() == before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "leftovers");
}

#[test]
fn what_is_known_of_a_file_needs_no_map() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    index::<u64, f32>(400, 30, Metric::L2Squared, |key| key).save(&path).unwrap();
    let info = FileInfo::read(&path).unwrap();
    info.verify().unwrap();
    // A map would end the process here.
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(5000).unwrap();
    let error = info.verify().unwrap_err();
    assert!(
        matches!(&error.cause, OpenCause::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof)
    );
    let mut bytes = fs::read(&path).unwrap();
    bytes[1000] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = info.verify_section(info.sections[0].kind).unwrap_err();
    assert!(error.to_string().starts_with(path.to_str().unwrap()), "{error}");
}
