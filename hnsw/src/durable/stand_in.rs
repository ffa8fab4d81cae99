//! Stands in for saved indexes until they are there.
#![allow(dead_code, missing_docs, reason = "temporary")]
use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use super::head::{self, Contents, Head};
use super::operation::{self, Operation};
use super::record::HEAD;
use crate::build::Build;
use crate::disk::Disk;
use crate::index::Index;
use crate::params::Params;
use crate::saved_key::SavedKey;
use crate::vectors::{VectorElement, Vectors};

#[derive(Debug)]
pub struct SaveError(pub io::Error);
#[derive(Debug)]
pub struct LoadError(pub String);

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl std::error::Error for SaveError {}
impl std::error::Error for LoadError {}

impl<K: SavedKey, E: VectorElement> Index<K, Vectors<E>> {
    pub(crate) fn save_on(
        &self,
        disk: &dyn Disk,
        path: &Path,
        mark: impl FnOnce() -> u64,
    ) -> Result<(), SaveError> {
        let keys: Vec<K> = self.iter().map(|(key, _)| key.clone()).collect();
        let rows: Vec<Vec<E>> = keys.iter().map(|key| self.get_any(key)).collect();
        let head = Head::new(Contents::of_vectors::<K, E>(self.space()), mark());
        let mut bytes = head.write().to_vec();
        bytes.extend(self.space().dim().to_le_bytes());
        let metric = self.space().metric();
        bytes.push(
            nearfield_kernels::Metric::ALL.iter().position(|m| *m == metric).unwrap_or(0) as u8
        );
        bytes.extend(&operation::many(&keys, &rows)[HEAD..]);
        let beside = path.with_extension("new");
        let write = || {
            match disk.remove(&beside) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let file = disk.create(&beside)?;
            let wrote = file.write_all(&bytes).and_then(|()| file.sync());
            if let Err(error) = wrote {
                let _ = disk.remove(&beside);
                return Err(error);
            }
            disk.rename(&beside, path)?;
            disk.sync_folder(path.parent().unwrap_or(path))
        };
        write().map_err(SaveError)
    }

    fn get_any(&self, key: &K) -> Vec<E> {
        self.id(key)
            .and_then(|id| self.space().get(id))
            .map(|row| row.into_owned())
            .unwrap_or_default()
    }

    pub(crate) fn load_on(disk: &dyn Disk, path: &Path) -> Result<(Self, u64), LoadError> {
        let text = |error: io::Error| LoadError(error.to_string());
        let mut input = disk.open(path).map_err(text)?;
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).map_err(text)?;
        let bad = || LoadError("bad snapshot".into());
        let (head, rest) = bytes.split_first_chunk::<{ head::LEN }>().ok_or_else(bad)?;
        let head = Head::read(head).map_err(|bad| LoadError(bad.to_string()))?;
        let (dim, rest) = rest.split_first_chunk::<8>().ok_or_else(bad)?;
        let dim = usize::from_le_bytes(*dim);
        let metric = nearfield_kernels::Metric::ALL[rest[0] as usize];
        let vectors = Vectors::<E>::new(dim, metric).map_err(|bad| LoadError(bad.to_string()))?;
        Contents::of_vectors::<K, E>(&vectors)
            .compare(&head.contents)
            .map_err(|bad| LoadError(bad.to_string()))?;
        let index = Index::new(vectors, Params::default()).map_err(|_| bad())?;
        let body = Operation::<K, E>::read(operation::BATCH, &rest[1..], dim).map_err(|_| bad())?;
        let Operation::Batch(keys, rows) = body else { return Err(bad()) };
        index.insert_batch(keys, &rows, Build::default().threads(1)).map_err(|_| bad())?;
        Ok((index, head.start))
    }
}
