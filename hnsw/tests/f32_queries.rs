//! Queries of `f32` over vectors of other elements: the kernels that widen rows are the measure, to the
//! bit.

mod support;

use nearfield_hnsw::{
    Build, Durable, Flat, Hit, Hnsw, Index, KeyHit, Metric, Params, Search, SearchError, Threads,
    Vectors, bf16, f16,
    search::BatchError,
    space::{InvalidVector, VectorElement, VectorError},
};
use nearfield_kernels::{Kernel, Query};
use proptest::prelude::*;
use support::{FromNumber, Random, elements, vectors};

const OF_NUMBERS: [Metric; 5] =
    [Metric::L2Squared, Metric::L2, Metric::InnerProduct, Metric::Cosine, Metric::Manhattan];
const OF_BITS: [Metric; 2] = [Metric::Hamming, Metric::Jaccard];

/// With padding, and without.
const DIMS: [usize; 2] = [21, 128];

/// The hits of all rows, ascending, by the kernel between the query and the row.
fn scan<E: VectorElement>(metric: Metric, query: &[f32], rows: &[E]) -> Vec<Hit>
where
    f32: Query<E>,
{
    let kernel = Kernel::<f32, E>::best(metric).unwrap();
    let hit = |(id, row)| Hit { id, distance: kernel.distance(query, row) };
    let mut hits: Vec<Hit> = (0..).zip(rows.chunks_exact(query.len())).map(hit).collect();
    hits.sort_by(|a, b| a.distance.total_cmp(&b.distance).then(a.id.cmp(&b.id)));
    hits
}

fn bits<'a>(hits: impl IntoIterator<Item = &'a Hit>) -> Vec<(u32, u32)> {
    hits.into_iter().map(|hit| (hit.id, hit.distance.to_bits())).collect()
}

/// Rows, the last of which are copies, and queries near some of them that no element but `f32` can hold.
fn rows_and_queries<E: FromNumber + Into<f32>>(dim: usize) -> (Vec<E>, Vec<Vec<f32>>) {
    let mut random = Random::new(91);
    let mut numbers = random.normals(300 * dim);
    numbers.extend_from_within(..20 * dim);
    let rows: Vec<E> = elements(&numbers);
    let mut near = |row: usize| -> Vec<f32> {
        let row = &rows[row * dim..][..dim];
        row.iter().map(|element| (*element).into() + 0.3 * random.normal()).collect()
    };
    let queries = (0..10).map(|query| near(query * 30)).collect();
    (rows, queries)
}

/// What every way to ask gives is what the scan gives.
fn assert_exact<E: FromNumber + Into<f32>>(metric: Metric, dim: usize)
where
    f32: Query<E>,
{
    let (rows, queries) = rows_and_queries::<E>(dim);
    let index = Hnsw::build(vectors(&rows, dim, metric), Params::default(), Build::default());
    let (index, flat) = (index.unwrap(), Flat::new(vectors(&rows, dim, metric)));
    let mut searcher = index.searcher();
    let (ten, all) = (Search::new(10).ef(320), Search::new(1000));
    for query in &queries {
        let exact = scan(metric, query, &rows);
        let name = format!("{}, {metric}, {dim}", E::NAME);
        assert_eq!(bits(&flat.search_f32(query, all).unwrap()), bits(&exact), "{name}");
        assert_eq!(bits(&index.search_f32(query, all).unwrap()), bits(&exact), "{name}");
        assert_eq!(bits(&index.search_f32(query, ten).unwrap()), bits(&exact[..10]), "{name}");
        assert_eq!(bits(searcher.search_f32(query, ten).unwrap()), bits(&exact[..10]), "{name}");

        let odd = |id: &u32| id % 2 == 1;
        let odd_hits = || exact.iter().filter(|hit| odd(&hit.id)).take(10);
        assert_eq!(bits(&index.search_f32(query, ten.filter(&odd)).unwrap()), bits(odd_hits()));
        assert_eq!(bits(&flat.search_f32(query, ten.filter(&odd)).unwrap()), bits(odd_hits()));
        let radius = exact[6].distance;
        let within = || exact.iter().filter(|hit| hit.distance <= radius);
        assert_eq!(bits(&index.search_f32(query, all.within(radius)).unwrap()), bits(within()));
        assert_eq!(bits(&flat.search_f32(query, all.within(radius)).unwrap()), bits(within()));

        let pages = index.pages_f32(query, Search::new(64).ef(320)).unwrap();
        let mut paged: Vec<Hit> = pages.flatten().collect();
        paged.sort_by(|a, b| a.distance.total_cmp(&b.distance).then(a.id.cmp(&b.id)));
        assert_eq!(bits(&paged), bits(&exact), "{name}");
    }
    let threads = Threads::Count(2);
    let expected: Vec<_> =
        queries.iter().map(|query| bits(&scan(metric, query, &rows)[..10])).collect();
    let as_bits = |answers: Vec<Vec<Hit>>| answers.iter().map(bits).collect::<Vec<_>>();
    assert_eq!(as_bits(index.search_batch_f32(&queries, ten, threads).unwrap()), expected);
    assert_eq!(as_bits(flat.search_batch_f32(&queries, ten, threads).unwrap()), expected);
}

#[test]
fn distances_are_those_of_the_kernels_that_widen_rows() {
    for metric in OF_NUMBERS {
        for dim in DIMS {
            assert_exact::<f16>(metric, dim);
            assert_exact::<bf16>(metric, dim);
            assert_exact::<i8>(metric, dim);
            assert_exact::<u8>(metric, dim);
        }
    }
}

/// Every row is found by its own numbers with the narrowest beam, in a graph with few links, as by itself.
fn assert_rows_find_themselves<E: FromNumber + Into<f32>>(metric: Metric) {
    let dim = 21;
    let rows: Vec<E> = elements(&Random::new(92).normals(2000 * dim));
    let params = Params::default().m(2).ef_construction(4);
    let index = Hnsw::build(vectors(&rows, dim, metric), params, Build::default()).unwrap();
    for (id, row) in (0..).zip(rows.chunks_exact(dim)) {
        let numbers: Vec<f32> = row.iter().map(|element| (*element).into()).collect();
        let hits = index.search_f32(&numbers, Search::new(1).ef(1)).unwrap();
        assert_eq!((hits[0].id, hits[0].distance), (id, 0.0), "{}, {metric}", E::NAME);
        assert_eq!(hits, index.search(row, Search::new(1).ef(1)).unwrap());
    }
}

#[test]
fn the_row_that_equals_the_query_comes_first() {
    for metric in [Metric::L2Squared, Metric::L2, Metric::Cosine, Metric::Manhattan] {
        assert_rows_find_themselves::<f16>(metric);
        assert_rows_find_themselves::<bf16>(metric);
        assert_rows_find_themselves::<i8>(metric);
        assert_rows_find_themselves::<u8>(metric);
    }
}

#[test]
fn over_f32_it_is_search() {
    let mut random = Random::new(93);
    for (metric, dim) in OF_NUMBERS.into_iter().flat_map(|metric| DIMS.map(|dim| (metric, dim))) {
        let space = || vectors(&Random::new(94).normals(200 * dim), dim, metric);
        let index = Hnsw::build(space(), Params::default(), Build::default()).unwrap();
        let (flat, query) = (Flat::new(space()), random.normals(dim));
        let search = Search::new(10).ef(30);
        assert_eq!(index.search_f32(&query, search), index.search(&query, search));
        assert_eq!(flat.search_f32(&query, search), flat.search(&query, search));
    }
}

fn assert_refuses<E: FromNumber + Into<f32>>() {
    let refusal = |metric: Metric, query: &[f32]| {
        let rows: Vec<E> = elements(&Random::new(95).normals(50 * 21));
        let space = || vectors(&rows, 21, metric);
        let index = Hnsw::build(space(), Params::default(), Build::default()).unwrap();
        let search = Search::new(3);
        let refused = index.search_f32(query, search).unwrap_err();
        let in_batch = index.search_batch_f32(&[query], search, Threads::Count(1)).unwrap_err();
        let BatchError::Query { place: 0, error: in_batch } = in_batch else {
            panic!("{in_batch}");
        };
        // Debug output, as no NaN equals another.
        for other in [
            Some(in_batch),
            index.pages_f32(query, search).err(),
            index.searcher().search_f32(query, search).err(),
            Flat::new(space()).search_f32(query, search).err(),
        ] {
            assert_eq!(format!("{other:?}"), format!("{:?}", Some(&refused)));
        }
        // The index goes on.
        assert_eq!(index.search_f32(&[1.0; 21], search).unwrap().len(), 3);
        match refused {
            SearchError::Query(error) => error,
            error => panic!("{error}"),
        }
    };
    let with = |number: f32| {
        let mut query = [1.0; 21];
        query[4] = number;
        query
    };
    for metric in OF_NUMBERS {
        for found in [0, 20, 22] {
            let refused = VectorError::Dimension { expected: 21, found };
            assert_eq!(refusal(metric, &vec![1.0; found]), refused);
        }
        for bad in [f32::INFINITY, f32::NEG_INFINITY] {
            let refused = VectorError::Query(InvalidVector::NotFinite { position: 4, value: bad });
            assert_eq!(refusal(metric, &with(bad)), refused);
        }
        let nan = refusal(metric, &with(f32::NAN));
        assert!(
            matches!(nan, VectorError::Query(InvalidVector::NotFinite { position: 4, .. })),
            "{nan}"
        );
        if metric == Metric::Cosine {
            assert_eq!(refusal(metric, &[0.0; 21]), VectorError::Query(InvalidVector::ZeroVector));
            continue;
        }
        let long = refusal(metric, &with(1e19));
        assert!(matches!(long, VectorError::Query(InvalidVector::NormOverflow { .. })), "{long}");
        if metric != Metric::Manhattan {
            let short = refusal(metric, &[1e-30; 21]);
            assert!(
                matches!(short, VectorError::Query(InvalidVector::NormUnderflow { .. })),
                "{short}"
            );
        }
    }
    let flat = Flat::new(vectors(&elements::<E>(&[1.0; 21]), 21, Metric::L2));
    let refused = flat.search_f32(&[0.0; 21], Search::new(0));
    assert_eq!(refused, Err(SearchError::ZeroK));
    let flat = Flat::new(vectors(&elements::<E>(&[1.0; 21]), 21, Metric::Cosine));
    // The cosine takes queries of any length.
    for length in [1e-38, 1e-20, 1e20, 1e38] {
        let hits = flat.search_f32(&[length; 21], Search::new(1)).unwrap();
        assert!(hits[0].distance <= 1e-6, "{}, {length}: {}", E::NAME, hits[0].distance);
    }
}

#[test]
fn wrong_queries_are_refused_as_search_refuses_them() {
    assert_refuses::<f16>();
    assert_refuses::<bf16>();
    assert_refuses::<i8>();
    assert_refuses::<u8>();
    assert_refuses::<f32>();
}

fn assert_no_numbers<E: FromNumber>() {
    for metric in OF_BITS {
        let rows: Vec<E> = elements(&[1.0, 2.0, 3.0, 4.0]);
        let index = Hnsw::build(vectors(&rows, 2, metric), Params::default(), Build::default());
        let index = index.unwrap();
        let refused = index.search_f32(&[1.0, 2.0], Search::new(1)).unwrap_err();
        assert!(matches!(refused, SearchError::Query(VectorError::Unsupported(_))), "{refused}");
        assert!(refused.to_string().contains(metric.name()), "{refused}");
        assert_eq!(
            Flat::new(vectors(&rows, 2, metric)).search_f32(&[], Search::new(1)),
            Err(refused)
        );
    }
}

#[test]
fn a_metric_over_bits_is_refused_by_name() {
    assert_no_numbers::<u8>();
    assert_no_numbers::<u64>();
}

#[test]
fn an_index_by_keys_answers_before_and_after_it_is_saved() {
    let (dim, metric) = (21, Metric::Cosine);
    let (rows, queries) = rows_and_queries::<f16>(dim);
    let folder = tempfile::tempdir().unwrap();
    let index = Index::new(Vectors::<f16>::new(dim, metric).unwrap(), Params::default()).unwrap();
    for (number, row) in rows.chunks_exact(dim).enumerate() {
        index.insert(format!("{number:03}"), row).unwrap();
    }
    let file = folder.path().join("saved");
    index.save(&file).unwrap();
    let loaded = Index::<String, Vectors<f16>>::load(&file).unwrap();
    let durable = Durable::create(folder.path().join("durable"), index).unwrap();
    let (search, threads) = (Search::new(10).ef(320), Threads::Count(2));
    for query in &queries {
        let exact = scan(metric, query, &rows);
        let named = |hit: &Hit| (format!("{:03}", hit.id), hit.distance.to_bits());
        let expected: Vec<_> = exact[..10].iter().map(named).collect();
        let named = |hits: &[KeyHit<'_, String>]| -> Vec<_> {
            hits.iter().map(|hit| (hit.key.clone(), hit.distance.to_bits())).collect()
        };
        // Both have these methods.
        macro_rules! assert_finds {
            ($index:ident) => {
                assert_eq!(named(&$index.search_f32(query, search).unwrap()), expected);
                let mut searcher = $index.key_searcher();
                assert_eq!(named(searcher.search_f32(query, search).unwrap()), expected);
                let batch = $index.search_batch_f32(&[&query[..]], search, threads).unwrap();
                assert_eq!(named(&batch[0]), expected);
                let page = $index.pages_f32(query, search).unwrap().next().unwrap();
                assert_eq!(named(&page), expected);
                let only = |key: &String| *key == expected[9].0;
                let found = $index.search_f32(query, search.filter(&only)).unwrap();
                assert_eq!(named(&found), expected[9..]);
            };
        }
        assert_finds!(loaded);
        assert_finds!(durable);
    }
    let refused = loaded.search_f32(&[0.0; 21], search).unwrap_err();
    assert_eq!(refused, SearchError::Query(VectorError::Query(InvalidVector::ZeroVector)));
}

fn assert_any<E: FromNumber>(metric: Metric, dim: usize, numbers: &[f32], query: &[f32])
where
    f32: Query<E>,
{
    let mut space = Vectors::<E>::new(dim, metric).unwrap();
    let good = |row: &&[f32]| space.extend(&elements::<E>(row)).is_ok();
    let rows: Vec<E> = numbers.chunks_exact(dim).filter(good).flat_map(elements::<E>).collect();
    let index = Hnsw::build(space, Params::default(), Build::default()).unwrap();
    match index.search_f32(&query[..dim], Search::new(1000)) {
        Ok(hits) => assert_eq!(bits(&hits), bits(&scan(metric, &query[..dim], &rows))),
        Err(error) => {
            let checked = Vectors::<f32>::new(dim, metric).unwrap().extend(&query[..dim]);
            assert!(checked.is_err(), "{error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_rows_and_any_query(
        metric in prop::sample::select(&OF_NUMBERS[..]),
        dim in 1usize..80,
        numbers in prop::collection::vec(-40i8..40, 0..600),
        query in prop::collection::vec(prop_oneof![80 => -9f32..9.0, 4 => Just(0.0), 1 => any::<f32>()], 80),
    ) {
        let numbers: Vec<f32> = numbers.iter().map(|x| 0.1 * f32::from(*x)).collect();
        assert_any::<f16>(metric, dim, &numbers, &query);
        assert_any::<bf16>(metric, dim, &numbers, &query);
        assert_any::<i8>(metric, dim, &numbers, &query);
        assert_any::<u8>(metric, dim, &numbers, &query);
    }
}
