//! What stands around a graph.
//!
//! | kind | | before what is inside | behind it |
//! |---|---|---|---|
//! | `IxMp`, `IxM2` | ids for the points | | an array of `i64` |
//! | `IxPT` | changes vectors on their way in | their number `i32`, the changes | |
//! | `IxRF` | compares what was found once more | | an index of the vectors, `f32` |
//!
//! Of the changes two are read: `VNrm`, which normalises (an `f32`, 2, for the norm), and `RmDT`, which
//! picks dimensions (an array of `i32`), where it picks each in its place. Each ends with `i32` × 2,
//! the dimensions before and after, and a `u8`, whether it is trained.

use nearfield_kernels::Metric;

use super::super::cursor::{Cursor, numbers};
use super::super::error::ImportError;
use super::super::library::Library;
use super::super::parsed::{Parsed, Rows};
use super::head::Head;
use super::{kinds, storage};

/// By how much the square of a norm may differ from 1 in a vector that was normalised.
const NEAR: f64 = 1e-3;

/// An index around another.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layer {
    Ids,
    /// With vectors as they are.
    Same,
    Normalised,
    Refined,
}

/// All that stands around a graph, and the header of the graph.
pub(super) struct Layers {
    /// From the outside.
    layers: Vec<Layer>,
    pub(super) head: Head,
}

impl Layers {
    /// Reads as far as the header of the graph.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, ImportError> {
        let unknown = |_| ImportError::Unknown(Some(Library::Faiss));
        let mut kind = kinds::read(cursor).map_err(unknown)?;
        let mut layers = Vec::new();
        let mut outer: Option<Head> = None;
        loop {
            let is_graph = matches!(&kind, b"IHNf" | b"IHNs" | b"IH00");
            if !is_graph && !matches!(&kind, b"IxMp" | b"IxM2" | b"IxPT" | b"IxRF") {
                return Err(kinds::not_read("the index", kind));
            }
            let head = Head::read(cursor)?;
            outer.map_or(Ok(()), |outer| head.expect(&outer))?;
            if is_graph {
                return Self { layers, head }.checked();
            }
            layers.push(match &kind {
                b"IxPT" => transforms(cursor, &head)?,
                b"IxRF" => Layer::Refined,
                _ => Layer::Ids,
            });
            outer = Some(head);
            kind = kinds::read(cursor)?;
        }
    }

    /// What means here the same as in faiss.
    fn checked(self) -> Result<Self, ImportError> {
        let is_before = |first: Layer, second: Layer| {
            let at = self.layers.iter().position(|layer| *layer == first);
            at.is_some_and(|at| self.layers[at..].contains(&second))
        };
        let instead = "write the index that is inside of the Refine (`index.base_index`)";
        for (inside, what) in [
            (
                Layer::Normalised,
                "a Refine by vectors that are not normalised, around one that normalises",
            ),
            (Layer::Ids, "a Refine by places around an IDMap"),
        ] {
            if is_before(Layer::Refined, inside) {
                return Err(ImportError::unsupported("the index", what, instead));
            }
        }
        let is_normalised = self.layers.contains(&Layer::Normalised);
        if is_normalised && self.head.metric == Metric::Manhattan {
            let what = "of normalised vectors under the metric L1";
            return Err(ImportError::unsupported("the index", what, PLAIN));
        }
        Ok(self)
    }

    /// The metric for vectors that nobody has normalised.
    pub(super) fn metric(&self) -> Metric {
        let is_normalised = self.layers.contains(&Layer::Normalised);
        if is_normalised { Metric::Cosine } else { self.head.metric }
    }

    /// Reads what stands behind the graph, and gives its parts what it means.
    pub(super) fn around<'a>(
        &self,
        mut parsed: Parsed<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<Parsed<'a>, ImportError> {
        for layer in self.layers.iter().rev() {
            match layer {
                Layer::Same => {}
                Layer::Ids => rename(&mut parsed.keys, cursor.vector(8, "the ids of an IDMap")?)?,
                Layer::Normalised => are_normalised(&parsed)?,
                Layer::Refined => {
                    parsed.rows = storage::read(cursor, &self.head)?;
                    cursor.items(4, 1, "how many hits are reranked")?;
                }
            }
        }
        parsed.metric = self.metric();
        Ok(parsed)
    }
}

/// Where vectors are changed: how to have an index that is read.
const PLAIN: &str = "write the index that is inside (`faiss.downcast_index(index.index)`) and change queries \
                     yourself, as `index.chain` does";

/// The changes that an index makes to vectors.
fn transforms(cursor: &mut Cursor<'_>, outer: &Head) -> Result<Layer, ImportError> {
    let count = cursor.i32("the number of transforms")?;
    ImportError::unless(count >= 0, "the number of transforms", count, "at least 0")?;
    let mut layer = Layer::Same;
    for _ in 0..count {
        let kind: [u8; 4] = cursor.array("the kind of a transform")?;
        let is_identity = match &kind {
            b"VNrm" => {
                let norm = f32::from_le_bytes(cursor.array("the norm of a transform")?);
                if norm != 2.0 {
                    let found = format!("one that divides by the norm L{norm}");
                    return Err(ImportError::unsupported("the transform", found, PLAIN));
                }
                layer = Layer::Normalised;
                true
            }
            b"RmDT" => {
                let places = cursor.vector(4, "the dimensions of a transform")?;
                let places = numbers(places, i32::from_le_bytes);
                places.len() == outer.dim && places.zip(0..).all(|(place, own)| place == own)
            }
            _ => return Err(ImportError::unsupported("the transform", named(kind), PLAIN)),
        };
        if !is_identity {
            let found = "one that picks and moves dimensions (RemapDimensionsTransform)";
            return Err(ImportError::unsupported("the transform", found, PLAIN));
        }
        for what in ["the dimensions before a transform", "the dimensions after a transform"] {
            let dim = cursor.i32(what)?;
            ImportError::unless(usize::try_from(dim) == Ok(outer.dim), what, dim, outer.dim)?;
        }
        cursor.u8("whether a transform is trained")?;
    }
    Ok(layer)
}

/// A transform as faiss calls it.
fn named(kind: [u8; 4]) -> String {
    let name = match &kind {
        b"PCAm" | b"PcAm" | b"Pcam" => "PCAMatrix",
        b"LTra" => "LinearTransform, which OPQ is",
        b"rrot" => "RandomRotationMatrix",
        b"HRot" => "HadamardRotation",
        b"VCnt" => "CenteringTransform",
        b"Viqm" | b"Viqt" => "ITQ",
        _ => "one that faiss 1.15 has not",
    };
    format!("{name} (`{}`)", kind.escape_ascii())
}

/// The ids of an IDMap take the place of the keys inside, which are places in it.
fn rename(keys: &mut [u64], ids: &[u8]) -> Result<(), ImportError> {
    let (what, count, all) = ("the number of ids of an IDMap", ids.len() / 8, keys.len());
    ImportError::unless(count == all, what, count, all)?;
    let ids = numbers(ids, i64::from_le_bytes).collect::<Vec<_>>();
    for key in keys {
        let id = usize::try_from(*key).ok().and_then(|place| ids.get(place)).copied();
        let what = "an id inside of an IDMap";
        let id = id.ok_or_else(|| ImportError::damaged(what, *key, format!("below {all}")))?;
        *key = u64::try_from(id).map_err(|_| {
            ImportError::unsupported("an id", id, "keys are `u64`; give the points ids from 0 on")
        })?;
    }
    Ok(())
}

/// Whether the order of the rows by angle is that of the index: they are whole and of length 1.
fn are_normalised(parsed: &Parsed<'_>) -> Result<(), ImportError> {
    let Rows::Apart { bytes, stride } = parsed.rows else {
        let found = "codes of normalised vectors, which are not of length 1 themselves";
        return Err(ImportError::unsupported("the storage", found, PLAIN));
    };
    for (id, row) in bytes.chunks_exact(stride).enumerate() {
        let values = numbers(row, f32::from_le_bytes).map(f64::from);
        let square: f64 = values.map(|value| value * value).sum();
        let is_near = (square - 1.0).abs() <= NEAR;
        if !is_near {
            let found = format!(
                "of vectors that should be normalised, and point {id} has the squared norm {square}"
            );
            return Err(ImportError::unsupported("the index", found, PLAIN));
        }
    }
    Ok(())
}
