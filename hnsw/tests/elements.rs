//! Every element type, under every metric that it has: what is stored, found and refused.

mod support;

use nearfield_hnsw::{
    Build, Flat, Hnsw, Metric, Params, Search, Threads, Vectors, bf16, f16,
    space::{InvalidVector, VectorElement, VectorError},
};
use nearfield_kernels::{Element, Kernel};
use proptest::prelude::*;
use support::{FromNumber, Random, build, elements, recall, self_misses, vectors};

const OF_NUMBERS: [Metric; 5] =
    [Metric::L2Squared, Metric::L2, Metric::InnerProduct, Metric::Cosine, Metric::Manhattan];
const OF_BITS: [Metric; 2] = [Metric::Hamming, Metric::Jaccard];

/// No multiple of anything, so that rows have padding.
const DIM: usize = 21;

/// 600 rows around 20 centres, the last 100 copies of the first, and 40 queries.
fn rows_and_queries<E: FromNumber>() -> (Vec<E>, Vec<Vec<E>>) {
    let mut random = Random::new(31);
    let centres = random.normals(20 * DIM);
    let mut near = |centre: usize| -> Vec<f32> {
        let centre = &centres[centre * DIM..][..DIM];
        centre.iter().map(|x| x + 0.3 * random.normal()).collect()
    };
    let mut rows: Vec<f32> = (0..500).flat_map(|i| near(i % 20)).collect();
    rows.extend_from_within(..100 * DIM);
    (elements(&rows), (0..40).map(|i| elements(&near(i % 20))).collect())
}

/// The index finds what the exact index finds: everything when asked for everything, nearly
/// everything with a narrow beam; and every distance is the kernel's over the rows as given.
fn assert_answers<E: VectorElement>(metric: Metric, dim: usize, rows: &[E], queries: &[Vec<E>]) {
    let index = Hnsw::build(vectors(rows, dim, metric), Params::default(), Build::default());
    let (index, exact) = (index.unwrap(), Flat::new(vectors(rows, dim, metric)));
    index.check().unwrap();
    let kernel = Kernel::<E>::best(metric).unwrap();
    let as_given = !(E::NAME == f32::NAME && metric == Metric::Cosine);
    for query in queries {
        let all = index.search(query, Search::new(index.len())).unwrap();
        assert_eq!(all, exact.search(query, Search::new(index.len())).unwrap());
        for hit in all.iter().filter(|_| as_given) {
            let row = &rows[hit.id as usize * dim..][..dim];
            assert_eq!(index.space().get(hit.id).as_deref(), Some(row));
            assert_eq!(hit.distance.to_bits(), kernel.distance(query, row).to_bits());
        }
    }
    let search = Search::new(10).ef(40);
    let found = index.search_batch(queries, search, Threads::Count(2)).unwrap();
    let exact = exact.search_batch(queries, search, Threads::Count(2)).unwrap();
    let recall = recall(&exact, &found);
    assert!(recall >= 0.95, "{}, {metric}: {recall}", E::NAME);
}

fn assert_answers_of_numbers<E: FromNumber>() {
    let (rows, queries) = rows_and_queries::<E>();
    for metric in OF_NUMBERS {
        assert_answers(metric, DIM, &rows, &queries);
    }
}

#[test]
fn finds_what_the_exact_index_finds_among_floats() {
    assert_answers_of_numbers::<f32>();
    assert_answers_of_numbers::<f16>();
    assert_answers_of_numbers::<bf16>();
}

#[test]
fn finds_what_the_exact_index_finds_among_integers() {
    assert_answers_of_numbers::<i8>();
    assert_answers_of_numbers::<u8>();
}

#[test]
fn finds_what_the_exact_index_finds_among_bits() {
    // Bytes of the clustered rows serve as sets; as words they are the same sets, padded.
    let (bytes, byte_queries) = rows_and_queries::<u8>();
    let words = |bytes: &[u8]| -> Vec<u64> {
        bytes
            .chunks(8)
            .map(|part| part.iter().rfold(0, |word, b| word << 8 | u64::from(*b)))
            .collect()
    };
    let word_rows: Vec<u64> = bytes.chunks(DIM).flat_map(words).collect();
    let word_queries: Vec<Vec<u64>> = byte_queries.iter().map(|query| words(query)).collect();
    for metric in OF_BITS {
        assert_answers(metric, DIM, &bytes, &byte_queries);
        assert_answers(metric, DIM.div_ceil(8), &word_rows, &word_queries);
        let hash = |index: Hnsw<_>| index.graph_hash();
        let of_bytes =
            Hnsw::build(vectors(&bytes, DIM, metric), Params::default(), Build::default());
        let of_words =
            Hnsw::build(vectors(&word_rows, 3, metric), Params::default(), Build::default());
        assert_eq!(hash(of_bytes.unwrap()), of_words.unwrap().graph_hash(), "{metric}");
    }
}

#[test]
fn metrics_that_an_element_lacks_are_refused() {
    fn refused<E: VectorElement>(metrics: &[Metric]) {
        for metric in metrics {
            let vectors = Vectors::<E>::new(4, *metric);
            assert!(matches!(vectors, Err(VectorError::Unsupported(_))), "{}, {metric}", E::NAME);
        }
    }
    refused::<f32>(&OF_BITS);
    refused::<f16>(&OF_BITS);
    refused::<bf16>(&OF_BITS);
    refused::<i8>(&OF_BITS);
    refused::<u64>(&OF_NUMBERS);
}

#[test]
fn rows_of_bytes_take_a_quarter_of_the_memory() {
    let numbers = Random::new(33).normals(100 * 784);
    let bytes = |memory: nearfield_hnsw::inspect::Memory| memory.points;
    let floats = build(&numbers, 784, Params::default());
    let integers = build(&elements::<u8>(&numbers), 784, Params::default());
    assert_eq!(bytes(floats.memory()), 100 * 49 * 64);
    assert_eq!(bytes(integers.memory()), 100 * 13 * 64); // whole cache lines
    let short = build(&elements::<i8>(&numbers[..700]), 7, Params::default());
    assert_eq!(bytes(short.memory()), 100 * 8); // or a power of two
}

fn assert_no_direction_is_refused<E: FromNumber>() {
    let mut rows = vec![E::from_number(1.0); 3 * DIM];
    rows[DIM..2 * DIM].fill(E::zeroed());
    let refused = VectorError::Row { row: 1, flaw: InvalidVector::ZeroVector };
    let mut vectors = Vectors::<E>::new(DIM, Metric::Cosine).unwrap();
    assert_eq!(vectors.extend(&rows), Err(refused), "{}", E::NAME);
    // A single element gives it one.
    rows[2 * DIM - 1] = E::from_number(-0.5);
    vectors.extend(&rows).unwrap();
    for metric in OF_NUMBERS.into_iter().filter(|metric| *metric != Metric::Cosine) {
        let mut vectors = Vectors::<E>::new(DIM, metric).unwrap();
        vectors.extend(&[E::zeroed(); DIM]).unwrap();
    }
}

#[test]
fn a_zero_vector_has_no_cosine() {
    assert_no_direction_is_refused::<f32>();
    assert_no_direction_is_refused::<f16>();
    assert_no_direction_is_refused::<bf16>();
    assert_no_direction_is_refused::<i8>();
    assert_no_direction_is_refused::<u8>();
}

/// What is wrong with a second row of `DIM` elements whose third is `value`.
fn flaw<E: FromNumber>(metric: Metric, value: E) -> Option<(usize, InvalidVector)> {
    let mut rows = [E::zeroed(); 2 * DIM];
    rows[0] = E::from_number(1.0);
    rows[DIM + 2] = value;
    match Vectors::<E>::new(DIM, metric).unwrap().extend(&rows) {
        Ok(_) => None,
        Err(VectorError::Row { row, flaw }) => Some((row, flaw)),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn half_floats_that_are_not_finite_or_too_long_are_refused() {
    for metric in OF_NUMBERS {
        for value in [f32::INFINITY, f32::NEG_INFINITY] {
            let expected = Some((1, InvalidVector::NotFinite { position: 2, value }));
            assert_eq!(flaw(metric, f16::from_f32(value)), expected);
            assert_eq!(flaw(metric, bf16::from_f32(value)), expected);
        }
        let not_a_number = |found: Option<(usize, InvalidVector)>| matches!(found, Some((1, InvalidVector::NotFinite { position: 2, value })) if value.is_nan());
        assert!(not_a_number(flaw(metric, f16::NAN)) && not_a_number(flaw(metric, bf16::NAN)));
        // The largest f16 is far from an overflow of f32; bf16 reaches as far as f32.
        assert_eq!(flaw(metric, f16::MAX), None);
        let long = bf16::from_f32(1e19);
        let squared_norm = long.to_f32() * long.to_f32();
        let overflow = Some((1, InvalidVector::NormOverflow { squared_norm }));
        let expected = overflow.filter(|_| metric != Metric::Cosine);
        assert_eq!(flaw(metric, long), expected, "{metric}");
        assert_eq!(flaw(metric, long.to_f32()), expected, "{metric}");
    }
}

/// Squares of their elements vanish, and every distance would be 0.
#[test]
fn vectors_too_short_for_their_squares_are_refused() {
    let short = bf16::from_f32(1e-20);
    let squared_norm = short.to_f32() * short.to_f32();
    for metric in OF_NUMBERS {
        let has_squares = !matches!(metric, Metric::Cosine | Metric::Manhattan);
        let refused = |squared_norm| {
            Some((1, InvalidVector::NormUnderflow { squared_norm })).filter(|_| has_squares)
        };
        assert_eq!(flaw(metric, short), refused(squared_norm), "{metric}");
        assert_eq!(flaw(metric, short.to_f32()), refused(squared_norm), "{metric}");
        assert_eq!(flaw(metric, 1e-25f32), refused(0.0), "{metric}");
        assert_eq!(flaw(metric, f32::from_bits(1)), refused(0.0), "{metric}");
        assert_eq!(flaw(metric, 1.1e-19f32), None, "{metric}");
        assert_eq!(flaw(metric, f16::MIN_POSITIVE_SUBNORMAL), None, "{metric}");
        // Among larger elements small ones are as good as any.
        let mut row = [1e-30f32; DIM];
        row[0] = 1.0;
        let mut vectors = vectors(&row, DIM, metric);
        let zero = vectors.extend(&[0.0; DIM]);
        assert_eq!(zero.is_ok(), metric != Metric::Cosine);
    }
    let mut vectors = Vectors::<f32>::new(2, Metric::L2).unwrap();
    assert_eq!(
        vectors.extend(&[1.0, 1.0, 1e-20, 0.0]).unwrap_err().to_string(),
        "row 1: its squared norm of 1e-40 is below 1.1754944e-38, so distances to it would come out as \
         0 in f32: scale all vectors up, or set it to zero"
    );
}

/// Normalising and the cosine's kernels scale what would over- or underflow.
fn assert_cosine_of_any_length<E: FromNumber>(scales: [f32; 6]) {
    let directions = Random::new(36).normals(200 * DIM);
    let scaled = |scale: f32| -> Vec<E> {
        elements(&directions.iter().map(|x| 0.1 * scale * x).collect::<Vec<f32>>())
    };
    for scale in scales {
        let values = scaled(scale);
        let index =
            Hnsw::build(vectors(&values, DIM, Metric::Cosine), Params::default(), Build::default());
        let index = index.unwrap();
        for (id, row) in (0..).zip(values.chunks(DIM)) {
            let hits = index.search(row, Search::new(2)).unwrap();
            assert_eq!((hits[0].id, hits[0].distance), (id, 0.0), "{}, {scale:e}", E::NAME);
            assert!((0.001..=2.0).contains(&hits[1].distance), "{}, {scale:e}", E::NAME);
        }
    }
}

#[test]
fn any_length_has_a_cosine() {
    assert_cosine_of_any_length::<f32>([1e-43, 1e-38, 1e-20, 1.0, 1e20, 1e38]);
    assert_cosine_of_any_length::<bf16>([1e-38, 1e-30, 1e-20, 1.0, 1e20, 1e38]);
}

#[test]
fn a_query_is_inspected_like_a_row() {
    let mut space = Vectors::<bf16>::new(2, Metric::Cosine).unwrap();
    space.extend(&[bf16::ONE; 2]).unwrap();
    let index = Hnsw::build(space, Params::default(), Build::default()).unwrap();
    let error = |query: [bf16; 2]| index.search(&query, Search::new(1)).unwrap_err().to_string();
    assert_eq!(
        error([bf16::ZERO; 2]),
        "the query was refused: all its elements are zero, so it has no direction and no cosine: leave \
         it out, or choose another metric"
    );
    assert_eq!(
        error([bf16::ONE, bf16::NEG_INFINITY]),
        "the query was refused: element 1 is -inf, where a finite number is needed"
    );
}

#[test]
fn few_values_and_many_equal_rows() {
    let mut random = Random::new(34);
    let bytes: Vec<u8> = (0..3000 * 4).map(|_| random.below(4) as u8).collect();
    let index = build(&bytes, 4, Params::default());
    assert_eq!(self_misses(&index), [0; 0]);
    let signed: Vec<i8> = bytes.iter().map(|byte| 40 * *byte as i8 - 60).collect();
    assert_eq!(self_misses(&build(&signed, 4, Params::default())), [0; 0]);
}

#[test]
fn one_hot_bytes() {
    let mut bytes = vec![0u8; 500 * 500];
    bytes.iter_mut().step_by(501).for_each(|byte| *byte = 1);
    assert_eq!(self_misses(&build(&bytes, 500, Params::default())), [0; 0]);
}

#[test]
fn rows_along_few_rays_have_one_direction_and_many_lengths() {
    // At distance 0 from each other, and not equal: no chain of copies holds them together.
    let mut random = Random::new(35);
    let rays: Vec<Vec<u8>> =
        (0..8).map(|_| (0..6).map(|_| random.below(5) as u8 + 1).collect()).collect();
    let scaled = |i: usize| rays[i % 8].iter().map(move |x| x * (i / 8 % 50 + 1) as u8);
    let rows: Vec<u8> = (0..1200).flat_map(scaled).collect();
    assert_answers(Metric::Cosine, 6, &rows, &rays);
}

/// Whatever the points and the batches: the invariants hold and a search for everything is exact.
/// Few distinct coordinates, so that equal rows, parallel rows and ties abound.
fn assert_exact_in_batches<E: FromNumber>(metric: Metric, numbers: &[f32], cut: usize) {
    let values = elements::<E>(numbers);
    let empty = Vectors::new(3, metric).unwrap();
    let params = Params::default().m(3).ef_construction(8);
    let build = Build::default().threads(2);
    let index = Hnsw::build(empty, params, build).unwrap();
    let (first, second) = values.split_at((cut * 3).min(values.len()));
    for batch in [first, second] {
        index.insert_batch(&support::rows(batch, 3), build).unwrap();
        index.check().unwrap();
    }
    let exact = Flat::new(vectors(&values, 3, metric));
    for query in values.chunks(3).take(5) {
        let search = Search::new(exact.len());
        let (found, exact) = (index.search(query, search), exact.search(query, search));
        assert_eq!(found.unwrap(), exact.unwrap(), "{}, {metric}", E::NAME);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_batches_of_any_elements(
        rows in prop::collection::vec(prop::array::uniform3(1i8..5), 1..120),
        cut in 0usize..120,
    ) {
        let numbers: Vec<f32> = rows.iter().flatten().map(|x| 0.5 * f32::from(*x)).collect();
        for metric in OF_NUMBERS {
            assert_exact_in_batches::<f32>(metric, &numbers, cut);
            assert_exact_in_batches::<f16>(metric, &numbers, cut);
            assert_exact_in_batches::<bf16>(metric, &numbers, cut);
            assert_exact_in_batches::<i8>(metric, &numbers, cut);
            assert_exact_in_batches::<u8>(metric, &numbers, cut);
        }
    }
}
