//! Keys of any type that serde can serialise.

use serde::{Serialize, de::DeserializeOwned};

use super::key::{Key, SavedKey};

/// A key that is kept in files as [postcard](https://docs.rs/postcard) writes it: any type that serde
/// can serialise, with the feature `serde`.
///
/// ```
/// use nearfield_hnsw::{Index, Metric, Params, SerdeKey, Vectors};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
/// enum Place {
///     City(String),
///     Peak { name: String, metres: u16 },
/// }
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("places");
/// let index = Index::new(Vectors::<f32>::new(2, Metric::L2Squared)?, Params::default())?;
/// index.insert(SerdeKey(Place::City("Bern".into())), &[46.9, 7.4])?;
/// index.insert(SerdeKey(Place::Peak { name: "Eiger".into(), metres: 3967 }), &[46.6, 8.0])?;
/// index.save(&path)?;
///
/// let loaded = Index::<SerdeKey<Place>, Vectors<f32>>::load(&path)?;
/// assert!(loaded.contains(&SerdeKey(Place::City("Bern".into()))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A file does not say of which type its keys are, only that they are of this kind: a few of them are read
/// when it is opened, all when it is verified, and refused where they cannot be one of this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerdeKey<K>(pub K);

impl<K: Key + Serialize + DeserializeOwned> SavedKey for SerdeKey<K> {
    const ENCODING: &'static str = "postcard";

    /// # Panics
    /// When the type refuses to be serialised.
    fn write(&self, out: &mut Vec<u8>) {
        let written = postcard::to_allocvec(&self.0).expect("a key that can be serialised");
        out.extend(written);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        match postcard::take_from_bytes(bytes) {
            Ok((key, [])) => Some(Self(key)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_and_other_bytes_do_not() {
        let key = SerdeKey((7u32, "seven".to_owned()));
        let mut bytes = Vec::new();
        key.write(&mut bytes);
        assert_eq!(SerdeKey::read(&bytes), Some(key));
        assert_eq!(SerdeKey::<(u32, String)>::read(&bytes[1..]), None);
        bytes.push(0);
        assert_eq!(SerdeKey::<(u32, String)>::read(&bytes), None);
    }
}
