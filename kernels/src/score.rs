//! What the loops over rows ask of a metric.

/// A metric over queries of elements `Q` and rows of elements `R`, on the instruction set with token
/// `T`. Every shape gives, per pair, the same bits.
pub(crate) trait Score<T, Q, R>: Copy {
    /// What the rows' numbers stand for.
    type Scale: Copy;

    /// What is computed once per query.
    type Query: Copy;

    /// What is computed once per row of a tile.
    type Row: Copy;

    /// What is summed of a row under one query.
    type Sums: Copy + Default;

    /// Rows scored together with one query: 4, 2 or 1.
    const GROUP: usize;

    /// Queries and rows scored together: (4, 4), (2, 4) or (1, 1).
    const TILE: (usize, usize);

    fn new(scale: Self::Scale) -> Self;

    /// Computes what is computed once per query.
    fn prepare(self, token: T, query: &[Q]) -> Self::Query;

    /// Computes what is computed once per row of a tile.
    fn prepare_row(self, token: T, row: &[R]) -> Self::Row;

    /// The most elements that [`pair`](Self::pair) takes.
    const LONGEST: usize = usize::MAX;

    /// The distance of two vectors of one length, at most [`LONGEST`](Self::LONGEST).
    fn pair(self, token: T, a: &[Q], b: &[R]) -> f32;

    /// The distance of two vectors of one length, whatever it is.
    #[inline(always)]
    fn long_pair(self, token: T, a: &[Q], b: &[R]) -> f32 {
        self.pair(token, a, b)
    }

    /// The sums of rows of the query's length.
    fn rows<const ROWS: usize>(
        self,
        token: T,
        query: &[Q],
        prepared: Self::Query,
        rows: [&[R]; ROWS],
    ) -> [Self::Sums; ROWS];

    /// Whether [`row`](Self::row) fetches the later row.
    const FETCHES: bool = false;

    /// The sums of a row, while another that will be wanted later may be fetched; it is empty if there is
    /// none.
    #[inline(always)]
    fn row(
        self,
        token: T,
        query: &[Q],
        prepared: Self::Query,
        row: &[R],
        _later: &[R],
    ) -> Self::Sums {
        let [sums] = self.rows(token, query, prepared, [row]);
        sums
    }

    /// Whether what is summed of a row is its distance.
    const IN_PLACE: bool = false;

    /// The place for the sums of rows, where they are distances.
    #[inline(always)]
    fn in_place(_distances: &mut [f32]) -> &mut [Self::Sums] {
        unreachable!("these sums are no distances")
    }

    /// The distances that the sums of some rows make. Of many at once: a vector register takes the root and the
    /// quotient of eight rows in the time of two. `row` gives the rows, by their place among these, for
    /// sums that do not suffice.
    #[inline(always)]
    fn finish<'r>(
        self,
        _query: &[Q],
        _prepared: Self::Query,
        _row: impl Fn(usize) -> &'r [R],
        sums: &[Self::Sums],
        out: &mut [f32],
    ) where
        R: 'r,
    {
        debug_assert!(Self::IN_PLACE, "sums that are no distances need a last step");
        Self::in_place(out).copy_from_slice(sums);
    }

    /// The distances of every query to every row, all of one length.
    fn tile<const QUERIES: usize, const ROWS: usize>(
        self,
        token: T,
        queries: [(&[Q], Self::Query); QUERIES],
        rows: [(&[R], Self::Row); ROWS],
    ) -> [[f32; ROWS]; QUERIES];
}

/// Implements [`Score`] for a metric that gains nothing from more than one pair at a time, inside an
/// `impl` block that has `new` and `pair`.
macro_rules! one_pair_at_a_time {
    ($token:ty, $query:ty, $row:ty) => {
        type Query = ();
        type Row = ();
        type Sums = f32;
        const GROUP: usize = 1;
        const TILE: (usize, usize) = (1, 1);
        const IN_PLACE: bool = true;

        #[inline(always)]
        fn prepare(self, _token: $token, _query: &[$query]) {}

        #[inline(always)]
        fn prepare_row(self, _token: $token, _row: &[$row]) {}

        #[inline(always)]
        fn rows<const ROWS: usize>(
            self,
            token: $token,
            query: &[$query],
            (): (),
            rows: [&[$row]; ROWS],
        ) -> [f32; ROWS] {
            // Not array::map, which is not compiled for the instruction set.
            let mut distances = [0.0; ROWS];
            for row in 0..ROWS {
                distances[row] = self.pair(token, query, rows[row]);
            }
            distances
        }

        #[inline(always)]
        fn in_place(distances: &mut [f32]) -> &mut [f32] {
            distances
        }

        #[inline(always)]
        fn tile<const QUERIES: usize, const ROWS: usize>(
            self,
            token: $token,
            queries: [(&[$query], ()); QUERIES],
            rows: [(&[$row], ()); ROWS],
        ) -> [[f32; ROWS]; QUERIES] {
            let mut distances = [[0.0; ROWS]; QUERIES];
            for query in 0..QUERIES {
                for row in 0..ROWS {
                    distances[query][row] = self.pair(token, queries[query].0, rows[row].0);
                }
            }
            distances
        }
    };
}

pub(crate) use one_pair_at_a_time;
