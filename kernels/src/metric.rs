//! The metrics.

use core::fmt;

/// How two vectors are compared. For every metric **smaller is closer**.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Metric {
    /// `Σ (aᵢ − bᵢ)²`, in `0…∞`. Orders like the Euclidean distance, without its root. Over floats it is
    /// infinite from 3.4e38 on, and 0 where no difference reaches 2.6e-23: squares are `f32`, too.
    L2Squared,
    /// `√Σ (aᵢ − bᵢ)²`, in `0…∞`: the Euclidean distance, the correctly rounded root of
    /// [`L2Squared`](Self::L2Squared), over floats with the range of that.
    L2,
    /// `0 − Σ aᵢ·bᵢ`, in `−∞…∞`; never `−0.0`. Over floats NaN where sums overflow to both infinities.
    InnerProduct,
    /// `1 − Σ aᵢ·bᵢ / √(Σ aᵢ² · Σ bᵢ²)`, clamped to `0…2`, at norms of any magnitude. Equal vectors have
    /// the distance 0, exactly; a zero vector has the distance 1 to every vector, itself included.
    Cosine,
    /// `Σ |aᵢ − bᵢ|`, in `0…∞`.
    Manhattan,
    /// Number of differing bits.
    Hamming,
    /// `(union − intersection) / union` of the set bits, in `0…1`; two empty sets give 0.
    Jaccard,
}

impl Metric {
    /// Every metric, in the order of declaration.
    pub const ALL: [Self; 7] = [
        Self::L2Squared,
        Self::L2,
        Self::InnerProduct,
        Self::Cosine,
        Self::Manhattan,
        Self::Hamming,
        Self::Jaccard,
    ];

    /// The name used in reports and messages: `"l2"` (squared), `"euclidean"`, `"ip"`,
    /// `"cosine"`, `"l1"`, `"hamming"`, `"jaccard"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::L2Squared => "l2",
            Self::L2 => "euclidean",
            Self::InnerProduct => "ip",
            Self::Cosine => "cosine",
            Self::Manhattan => "l1",
            Self::Hamming => "hamming",
            Self::Jaccard => "jaccard",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
