//! Values that several commands take.

use nearfield_kernels::Metric;

/// A metric by its name.
pub(crate) fn metric(name: &str) -> Result<Metric, String> {
    Metric::ALL.into_iter().find(|metric| metric.name() == name).ok_or_else(|| {
        let known = Metric::ALL.map(Metric::name).join(", ");
        format!("known are {known}")
    })
}
