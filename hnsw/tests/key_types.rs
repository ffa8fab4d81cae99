//! A file of keys of one type opened as another: it is refused when it is opened, unless all are the same.

#[path = "support/mapped.rs"]
mod mapped;

use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use nearfield_hnsw::{
    Durable, Index, Metric, Params, SavedKey, Vectors,
    file::{Corruption, OpenCause, OpenError},
};
use twox_hash::XxHash3_64;

const POINTS: u8 = 10;

/// A key for each number.
trait Numbered: SavedKey + Debug {
    fn of(number: u8) -> Self;
}

macro_rules! numbered {
    ($($key:ty: $number:ident => $of:expr;)*) => {$(
        impl Numbered for $key {
            fn of($number: u8) -> Self {
                $of
            }
        }
    )*};
}

numbered! {
    u8: n => n;
    u16: n => n.into();
    u32: n => n.into();
    u64: n => n.into();
    u128: n => n.into();
    i8: n => n as i8;
    i16: n => n.into();
    i32: n => n.into();
    i64: n => n.into();
    i128: n => n.into();
    String: n => format!("key {n}");
    Box<str>: n => String::of(n).into();
    Arc<str>: n => String::of(n).into();
    Vec<u8>: n => vec![n; n.into()];
    Box<[u8]>: n => Vec::of(n).into();
    Arc<[u8]>: n => Vec::of(n).into();
    [u8; 1]: n => [n];
    [u8; 3]: n => [n; 3];
    [u8; 8]: n => [n; 8];
    [u8; 16]: n => [n; 16];
}

/// Calls `$call::<K>` for every built-in type of keys.
macro_rules! with_each {
    ($call:ident $arguments:tt) => {
        with_each!(
            @ $call $arguments
            (u8) (u16) (u32) (u64) (u128) (i8) (i16) (i32) (i64) (i128) (String) (Box<str>) (Arc<str>)
            (Vec<u8>) (Box<[u8]>) (Arc<[u8]>) ([u8; 1]) ([u8; 3]) ([u8; 8]) ([u8; 16])
        );
    };
    (@ $call:ident $arguments:tt $(($key:ty))*) => {
        $($call::<$key> $arguments;)*
    };
}

fn index<K: SavedKey>(key: impl Fn(u8) -> K) -> Index<K, Vectors<f32>> {
    let vectors = Vectors::new(1, Metric::L2Squared).unwrap();
    let index = Index::new(vectors, Params::default()).unwrap();
    (0..POINTS).for_each(|n| _ = index.insert(key(n), &[n.into()]).unwrap());
    index
}

/// Saves an index of such keys. It is one of bytes, whose head then gets the name of the encoding: so
/// the code of an index need not be compiled for each type.
fn save<K: Numbered>(path: &Path) {
    let written = |n| {
        let mut bytes = Vec::new();
        K::of(n).write(&mut bytes);
        bytes
    };
    index(written).save(path).unwrap();
    let mut file = fs::read(path).unwrap();
    file[64..80].fill(0);
    file[64..][..K::ENCODING.len()].copy_from_slice(K::ENCODING.as_bytes());
    let table = 192 + 32 * u32::from_le_bytes(file[12..16].try_into().unwrap()) as usize;
    file[24..32].fill(0);
    let checksum = XxHash3_64::oneshot(&file[..table]);
    file[24..32].copy_from_slice(&checksum.to_le_bytes());
    fs::write(path, file).unwrap();
}

type Opened<K> = Result<Index<K, Vectors<f32>>, OpenError>;

fn ways<K: SavedKey>(path: &Path) -> [Opened<K>; 2] {
    [mapped::open(path), Index::load(path)]
}

fn assert_has<K: SavedKey + Debug>(index: &Index<K, Vectors<f32>>, key: impl Fn(u8) -> K) {
    let keys: Vec<&K> = index.iter().map(|(key, _)| key).collect();
    assert!(keys.iter().map(|key| (*key).clone()).eq((0..POINTS).map(&key)), "{keys:?}");
    assert!((0..POINTS).all(|n| index.contains(&key(n))));
}

/// Opens a file of keys in this encoding as one of `K`.
fn opens_as<K: Numbered>(path: &Path, encoding: &str) {
    for opened in ways::<K>(path) {
        match opened {
            Ok(index) => {
                assert_eq!(encoding, K::ENCODING);
                assert_has(&index, K::of);
            }
            Err(OpenError { cause: OpenCause::Keys { expected, found }, .. }) => {
                assert_eq!((expected, &*found), (K::ENCODING, encoding));
                assert_ne!(encoding, K::ENCODING);
            }
            Err(other) => panic!("`{encoding}` as `{}`: {other}", K::ENCODING),
        }
    }
}

fn opens_as_itself_alone<K: Numbered>(folder: &Path) {
    let path = folder.join(K::ENCODING);
    save::<K>(&path);
    with_each!(opens_as(&path, K::ENCODING));
}

#[test]
fn every_pair_of_types_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    with_each!(opens_as_itself_alone(folder.path()));
    // The files are those that indexes of such keys save.
    let path = folder.path().join("index");
    index(<[u8; 3]>::of).save(&path).unwrap();
    assert!(fs::read(&path).unwrap() == fs::read(folder.path().join("[u8; 3]")).unwrap());
}

#[test]
fn arrays_of_earlier_versions_are_opened_where_every_width_fits() {
    // They were named as byte strings are, and written alike.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    index(|n| vec![n; 3]).save(&path).unwrap();
    ways::<[u8; 3]>(&path).into_iter().for_each(|opened| assert_has(&opened.unwrap(), |n| [n; 3]));
    for opened in ways::<[u8; 16]>(&path) {
        let cause = opened.unwrap_err().cause;
        assert!(matches!(&cause, OpenCause::Keys { found, .. } if found == "bytes"), "{cause}");
    }
    // One of ten is longer.
    index(|n| vec![n; if n == 7 { 4 } else { 3 }]).save(&path).unwrap();
    for opened in ways::<[u8; 3]>(&path) {
        let message = opened.unwrap_err().to_string();
        let expected = "keys in the encoding `bytes`: open it with a type of this encoding, \
                        not `[u8; 3]`";
        assert!(message.ends_with(expected), "{message}");
    }

    // And so are folders with a log.
    let folder = folder.path().join("durable");
    let durable = Durable::create(&folder, index(|n| vec![n; 3])).unwrap();
    durable.upsert(vec![2; 3], &[2.0]).unwrap();
    drop(durable);
    for _ in 0..2 {
        let (durable, _) = Durable::<[u8; 3], f32>::open(&folder).unwrap();
        durable.upsert([3; 3], &[3.0]).unwrap();
        durable.checkpoint().unwrap();
        durable.upsert([4; 3], &[4.0]).unwrap();
        assert!((0..POINTS).all(|n| durable.contains(&[n; 3])));
    }
    Durable::<[u8; 16], f32>::open(&folder).unwrap_err();
}

/// Keys of a type of one's own, whose width changed and whose name did not.
macro_rules! chapter {
    ($name:ident, $number:ty) => {
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        struct $name($number);

        impl SavedKey for $name {
            const ENCODING: &'static str = "chapter";

            fn write(&self, out: &mut Vec<u8>) {
                self.0.write(out);
            }

            fn read(bytes: &[u8]) -> Option<Self> {
                <$number>::read(bytes).map(Self)
            }
        }
    };
}

chapter!(Short, u16);
chapter!(Long, u32);

#[test]
fn keys_that_cannot_be_read_are_noticed_when_a_file_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    index(|n| Short(n.into())).save(&path).unwrap();
    for opened in ways::<Long>(&path) {
        let error = opened.unwrap_err();
        assert!(matches!(error.cause, OpenCause::Damaged(Corruption::Key { id: 0 })), "{error}");
        assert!(error.to_string().ends_with("or its keys are of another type"), "{error}");
    }
}

#[cfg(feature = "serde")]
#[test]
fn keys_of_serde_that_are_of_another_type_are_noticed() {
    use nearfield_hnsw::SerdeKey;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    index(|n| SerdeKey(n.to_string())).save(&path).unwrap();
    for opened in ways::<SerdeKey<(String, String)>>(&path) {
        let error = opened.unwrap_err();
        assert!(matches!(error.cause, OpenCause::Damaged(Corruption::Key { .. })), "{error}");
    }
}
