//! How the cost of a search grows with the number of points, at equal recall.

use nearfield_kernels::{Metric, Unsupported};
use serde::{Deserialize, Serialize};

use crate::{
    ann::{self, AnnError, BuildEvent, SearchEvent, Settings},
    curve,
    generated::Clustered,
    truth::Truth,
    workload::Workload,
};

/// The beam grows by a quarter from one search to the next, up to here.
const WIDEST: usize = 4096;

/// What one size took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Size {
    /// Dimensions that the neighbourhood of a query has, by `local_dimension`: where sizes differ in
    /// it, more than the size differs. None of fewer than two neighbours.
    pub local_dimension: Option<f64>,
    /// The index.
    pub build: BuildEvent,
    /// Searches with ever wider beams, up to the first that reaches the recall.
    pub searches: Vec<SearchEvent>,
    /// Distances for a query at the recall, interpolated by [`curve::distances_between`]; none when even the
    /// narrowest beam has a higher recall, or the widest a lower one.
    pub distances_per_query: Option<f64>,
}

/// Builds an index over `points` points and searches it for fresh ones with ever wider beams, until
/// the recall is reached. Of the settings, the list of `ef` does not count.
///
/// # Errors
/// When a setting is out of its range or the backend cannot be had.
pub fn measure(
    clustered: &Clustered,
    points: usize,
    queries: usize,
    recall: f64,
    settings: &Settings,
) -> Result<Size, AnnError> {
    let settings = Settings { ef: vec![settings.k], ..settings.clone() };
    let workload = workload(clustered, points, queries, &settings)?;
    settings.check(&workload)?;
    let (index, build) = ann::build(&workload, &settings, &|_, _| ())?;
    let marker = ann::marker(&workload, &settings)?;
    let mut searches: Vec<SearchEvent> = Vec::new();
    let mut searcher = index.searcher();
    for ef in beams(settings.k) {
        let search = ann::search(&mut searcher, &workload, marker.as_ref(), &settings, ef)?;
        let is_enough = search.recall >= Some(recall);
        searches.push(search);
        if is_enough {
            break;
        }
    }
    Ok(Size {
        local_dimension: local_dimension(&workload, &settings)?,
        build,
        distances_per_query: curve::distances_between(&searches, recall),
        searches,
    })
}

fn workload(
    clustered: &Clustered,
    points: usize,
    queries: usize,
    settings: &Settings,
) -> Result<Workload<f32>, Unsupported> {
    let (base, queries) = (clustered.base(points), clustered.queries(queries));
    let (metric, dim) = (Metric::L2Squared, base.dim());
    let mut workload = Workload { metric, dim, base, queries, truth: None };
    workload.compute_truth(settings.backend, settings.k)?;
    Ok(workload)
}

/// How many dimensions points have around the queries: were they spread evenly over *d* dimensions,
/// the distances of the *k* nearest would grow like the *d*-th root of their rank. This is the
/// likeliest *d*, of all queries together (Levina & Bickel, averaged as by MacKay & Ghahramani).
fn local_dimension(
    workload: &Workload<f32>,
    settings: &Settings,
) -> Result<Option<f64>, Unsupported> {
    let kernel = workload.kernel(settings.backend)?;
    let (mut logarithms, mut terms) = (0.0, 0);
    for (query, nearest) in workload.truth.iter().flat_map(Truth::rows).enumerate() {
        let distance = |&id: &u32| {
            f64::from(kernel.distance(workload.queries.row(query), workload.base.row(id as usize)))
        };
        let distances: Vec<f64> = nearest.iter().map(distance).collect();
        let Some((last, others)) = distances.split_last() else { continue };
        // Half the logarithm: these are squares. An equal row is no neighbour to tell by.
        let others = others.iter().filter(|other| **other > 0.0);
        terms += others.clone().count();
        logarithms += others.map(|other| (last / other).ln() / 2.0).sum::<f64>();
    }
    Ok((logarithms > 0.0).then(|| terms as f64 / logarithms))
}

/// Widths of the beam to try; narrower than `k` there is none.
fn beams(k: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(k), |ef| Some(ef + ef.div_ceil(4))).take_while(|ef| *ef <= WIDEST)
}

#[cfg(test)]
mod tests {
    use nearfield_hnsw::Params;

    use super::*;
    use crate::generated::Shape;

    /// A narrow graph, so that the narrowest beam is not enough.
    fn settings() -> Settings {
        Settings {
            params: Params::default().m(4).ef_construction(20),
            threads: 1,
            k: 10,
            ef: vec![],
            passes: 1,
            backend: None,
        }
    }

    #[test]
    fn beams_begin_at_k_and_grow() {
        assert_eq!(beams(10).take(6).collect::<Vec<_>>(), [10, 13, 17, 22, 28, 35]);
        assert!(beams(1).last().unwrap() > WIDEST / 2);
        assert_eq!(beams(WIDEST + 1).count(), 0);
    }

    /// As in the workload of the sizes, with one wide patch, so that few points lie at an edge.
    #[test]
    fn points_on_a_patch_have_its_dimensions() {
        for (intrinsic, near) in [(1, 0.9..1.1), (2, 1.85..2.15), (5, 4.3..5.3)] {
            let shape = Shape { intrinsic, clusters: 1, noise: 0.0, ..Shape::of_dim(16) };
            let settings = settings();
            let workload = workload(&Clustered::new(shape), 10_000, 300, &settings).unwrap();
            let found = local_dimension(&workload, &settings).unwrap().unwrap();
            assert!(near.contains(&found), "{found} of {intrinsic}");
        }
    }

    #[test]
    fn a_size_is_measured_up_to_the_first_beam_that_is_enough() {
        let clustered = Clustered::new(Shape::of_dim(32));
        let settings = settings();
        let size = measure(&clustered, 2000, 50, 0.95, &settings).unwrap();
        assert_eq!((size.build.n, size.build.dim), (2000, 32));
        let (last, before) = size.searches.split_last().unwrap();
        assert!(last.recall >= Some(0.95));
        assert!(!before.is_empty() && before.iter().all(|search| search.recall < Some(0.95)));
        let cost = size.distances_per_query.unwrap();
        let bounds = before.last().unwrap().distances_per_query..=last.distances_per_query;
        assert!(bounds.contains(&Some(cost)), "{cost} in {bounds:?}");
        let none = measure(&clustered, 2000, 50, 0.95, &Settings { k: 0, ..settings });
        assert!(matches!(none, Err(AnnError::Zero("k"))));
    }
}
