//! Ids of points, and candidates: ids with their distance, ordered by (distance, id).

/// A point's number: dense, from 0, never reused.
pub type Id = u32;

/// An empty neighbour slot, and "no point". Never the id of a point, so an index holds at most
/// [`MAX_POINTS`] points; and never below a count of points, so one comparison tells a link from a gap.
pub(crate) const NONE: Id = Id::MAX;

/// The most points an index can hold.
pub const MAX_POINTS: usize = NONE as usize;

/// A point that a search returned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// The point.
    pub id: Id,
    /// Its distance from the query.
    pub distance: f32,
}

/// A point and its distance from whatever is being searched, in one word whose integer order is the
/// order by (distance, id). Every choice in the graph is made by this order, so ties are decided by
/// id and never by timing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate(u64);

impl Candidate {
    pub(crate) fn new(distance: f32, id: Id) -> Self {
        Self(u64::from(sortable(distance)) << 32 | u64::from(id))
    }

    pub(crate) fn id(self) -> Id {
        self.0 as u32
    }

    pub(crate) fn distance(self) -> f32 {
        unsortable((self.0 >> 32) as u32)
    }

    /// Whether both lie at the same distance.
    pub(crate) fn ties(self, other: Self) -> bool {
        self.0 >> 32 == other.0 >> 32
    }

    pub(crate) fn hit(self) -> Hit {
        Hit { id: self.id(), distance: self.distance() }
    }
}

impl std::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.id(), self.distance())
    }
}

/// Maps a float to an integer of the same order: negative values have all bits flipped, the others
/// the sign bit. −0.0 counts as 0.0; NaN, from a metric of the caller's, comes last.
fn sortable(distance: f32) -> u32 {
    if distance.is_nan() {
        return u32::MAX;
    }
    let bits = (distance + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn unsortable(bits: u32) -> f32 {
    f32::from_bits(if bits >> 31 == 1 { bits & !(1 << 31) } else { !bits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_order_by_distance_then_id() {
        let distances =
            [f32::NEG_INFINITY, -1e30, -1.0, -1e-45, 0.0, 1e-45, 0.5, 1.0, f32::MAX, f32::INFINITY];
        for pair in distances.windows(2) {
            assert!(Candidate::new(pair[0], u32::MAX) < Candidate::new(pair[1], 0), "{pair:?}");
        }
        for distance in distances {
            assert!(Candidate::new(distance, 3) < Candidate::new(distance, 4));
            assert_eq!(Candidate::new(distance, 7).distance().to_bits(), distance.to_bits());
            assert_eq!(Candidate::new(distance, 7).id(), 7);
        }
        assert_eq!(Candidate::new(-0.0, 1), Candidate::new(0.0, 1));
        assert!(Candidate::new(f32::NAN, 0) > Candidate::new(f32::INFINITY, u32::MAX));
        assert!(Candidate::new(-f32::NAN, 0).distance().is_nan());
    }
}
