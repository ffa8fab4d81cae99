//! The kinds of index that faiss writes, by the four letters in front of each.

use super::super::cursor::Cursor;
use super::super::error::ImportError;

/// The letters, and the class as faiss has it.
const KINDS: &[(&[u8; 4], &str)] = &[
    // Graphs.
    (b"IHNf", "IndexHNSWFlat"),
    (b"IHNs", "IndexHNSWSQ"),
    (b"IH00", "IndexHNSW"),
    (b"IHNp", "IndexHNSWPQ"),
    (b"IHN2", "IndexHNSW2Level"),
    (b"IHNc", "IndexHNSWCagra"),
    (b"IHc2", "IndexHNSWCagra"),
    (b"IHfP", "IndexHNSWFlatPanorama"),
    (b"INSf", "IndexNSGFlat"),
    (b"INSp", "IndexNSGPQ"),
    (b"INSs", "IndexNSGSQ"),
    (b"INNf", "IndexNNDescentFlat"),
    // What stands around others.
    (b"IxMp", "IndexIDMap"),
    (b"IxM2", "IndexIDMap2"),
    (b"IxPT", "IndexPreTransform"),
    (b"IxRF", "IndexRefine"),
    (b"IxRP", "IndexRefinePanorama"),
    (b"IRMf", "IndexRowwiseMinMax"),
    (b"IRMh", "IndexRowwiseMinMaxFP16"),
    // All vectors, whole or as codes.
    (b"IxF2", "IndexFlatL2"),
    (b"IxFI", "IndexFlatIP"),
    (b"IxFl", "IndexFlat"),
    (b"IxFP", "IndexFlatL2Panorama"),
    (b"IxFp", "IndexFlatIPPanorama"),
    (b"IxSQ", "IndexScalarQuantizer"),
    (b"IxPQ", "IndexPQ"),
    (b"IxPo", "IndexPQ"),
    (b"IxPq", "IndexPQ"),
    (b"IPfs", "IndexPQFastScan"),
    (b"Ix2L", "Index2Layer"),
    (b"IxHE", "IndexLSH"),
    (b"IxHe", "IndexLSH"),
    (b"IxLa", "IndexLattice"),
    (b"IxRQ", "IndexResidualQuantizer"),
    (b"IxRq", "IndexResidualQuantizer"),
    (b"IxLS", "IndexLocalSearchQuantizer"),
    (b"IxPR", "IndexProductResidualQuantizer"),
    (b"IxPL", "IndexProductLocalSearchQuantizer"),
    (b"ImRQ", "ResidualCoarseQuantizer"),
    (b"Imiq", "MultiIndexQuantizer"),
    (b"ILfs", "IndexLocalSearchQuantizerFastScan"),
    (b"IRfs", "IndexResidualQuantizerFastScan"),
    (b"IPLf", "IndexProductLocalSearchQuantizerFastScan"),
    (b"IPRf", "IndexProductResidualQuantizerFastScan"),
    (b"Ixrq", "IndexRaBitQ"),
    (b"Ixrr", "IndexRaBitQ"),
    (b"Irfn", "IndexRaBitQFastScan"),
    (b"Irfs", "IndexRaBitQFastScan"),
    (b"IxEd", "IndexEDEN"),
    (b"IxEe", "IndexEDEN"),
    // Inverted lists.
    (b"IvFl", "IndexIVFFlat"),
    (b"IvFL", "IndexIVFFlat"),
    (b"IwFl", "IndexIVFFlat"),
    (b"IwFd", "IndexIVFFlatDedup"),
    (b"IwPn", "IndexIVFFlatPanorama"),
    (b"IwP2", "IndexIVFFlatPanorama"),
    (b"IvSQ", "IndexIVFScalarQuantizer"),
    (b"IwSQ", "IndexIVFScalarQuantizer"),
    (b"IwSq", "IndexIVFScalarQuantizer"),
    (b"IvPQ", "IndexIVFPQ"),
    (b"IwPQ", "IndexIVFPQ"),
    (b"IvQR", "IndexIVFPQR"),
    (b"IwQR", "IndexIVFPQR"),
    (b"IwPf", "IndexIVFPQFastScan"),
    (b"IwSh", "IndexIVFSpectralHash"),
    (b"IwIQ", "IndexIVFIndependentQuantizer"),
    (b"IwLS", "IndexIVFLocalSearchQuantizer"),
    (b"IwRQ", "IndexIVFResidualQuantizer"),
    (b"IwPL", "IndexIVFProductLocalSearchQuantizer"),
    (b"IwPR", "IndexIVFProductResidualQuantizer"),
    (b"IVLf", "IndexIVFLocalSearchQuantizerFastScan"),
    (b"IVRf", "IndexIVFResidualQuantizerFastScan"),
    (b"NPLf", "IndexIVFProductLocalSearchQuantizerFastScan"),
    (b"NPRf", "IndexIVFProductResidualQuantizerFastScan"),
    (b"Iwrq", "IndexIVFRaBitQ"),
    (b"Iwrr", "IndexIVFRaBitQ"),
    (b"Iwrf", "IndexIVFRaBitQFastScan"),
    (b"Iwrn", "IndexIVFRaBitQFastScan"),
    (b"IwEd", "IndexIVFEDEN"),
    (b"IwEe", "IndexIVFEDEN"),
    // Intel's.
    (b"ILVQ", "IndexSVSVamanaLVQ"),
    (b"ISVL", "IndexSVSVamanaLeanVec"),
    (b"ISVD", "IndexSVSVamana"),
    (b"ISV2", "IndexSVSVamana"),
    (b"ISVF", "IndexSVSFlat"),
    (b"ISIQ", "IndexSVSIVFLVQ"),
    (b"ISIL", "IndexSVSIVFLeanVec"),
    (b"ISID", "IndexSVSIVF"),
    // Of bits.
    (b"IBxF", "IndexBinaryFlat"),
    (b"IBwF", "IndexBinaryIVF"),
    (b"IBFf", "IndexBinaryFromFloat"),
    (b"IBHf", "IndexBinaryHNSW"),
    (b"IBHc", "IndexBinaryHNSWCagra"),
    (b"IBMp", "IndexBinaryIDMap"),
    (b"IBM2", "IndexBinaryIDMap2"),
    (b"IBHh", "IndexBinaryHash"),
    (b"IBHm", "IndexBinaryMultiHash"),
];

/// What can be done with an index that has no graph over vectors that are read.
pub(super) const INSTEAD: &str = "IndexHNSWFlat and IndexHNSWSQ are, alone or inside of an IDMap, a Refine or a \
     PreTransform; build a new index of the vectors, which `index.reconstruct_n(0, index.ntotal)` gives";

/// The letters of an index, which is one of faiss.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<[u8; 4], ImportError> {
    let kind = cursor.array("the kind of the index")?;
    if name(kind).is_none() {
        let found = format!("`{}`", kind.escape_ascii());
        return Err(ImportError::damaged("the kind of the index", found, "one that faiss writes"));
    }
    Ok(kind)
}

/// The class; `None` where faiss has none.
pub(super) fn name(kind: [u8; 4]) -> Option<&'static str> {
    KINDS.iter().find(|(letters, _)| **letters == kind).map(|(_, name)| *name)
}

/// What is wrong with a kind that is of faiss and is not read in its place.
pub(super) fn not_read(what: &'static str, kind: [u8; 4]) -> ImportError {
    let found = format!("faiss's {} (`{}`)", name(kind).unwrap_or("own"), kind.escape_ascii());
    ImportError::unsupported(what, found, INSTEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_there_once() {
        for (at, (letters, name)) in KINDS.iter().enumerate() {
            assert!(KINDS[..at].iter().all(|(other, _)| other != letters), "{name}");
        }
    }
}
