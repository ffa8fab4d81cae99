//! `.fbin` and its kin: `u32` rows, `u32` dimensions, then the rows.

use super::{
    error::Problem,
    source::{Order, Scalar, Source, elements},
};
use crate::matrix::Matrix;

pub(super) fn read<T: Scalar>(source: &mut Source<'_>, limit: usize) -> Result<Matrix, Problem> {
    let header: [[u8; 4]; 2] = bytemuck::cast(source.header::<8>()?);
    let [rows, dim] = header.map(|bytes| u64::from(u32::from_le_bytes(bytes)));
    rest::<T>(source, rows, dim, limit, Order::Little)
}

/// Everything behind a header: exactly `rows` rows, of which the first `limit` are kept.
pub(super) fn rest<T: Scalar>(
    source: &mut Source<'_>,
    rows: u64,
    dim: u64,
    limit: usize,
    order: Order,
) -> Result<Matrix, Problem> {
    if dim == 0 {
        return Err(Problem::NoDimensions);
    }
    let kept = rows.min(limit as u64);
    let mut values = Vec::<T>::new();
    if let Err(found) = source.append(&mut values, elements(kept, dim, size_of::<T>())?, order)? {
        let needed = rows.saturating_mul(dim).saturating_mul(size_of::<T>() as u64);
        return Err(Problem::Truncated { rows, dim, needed, found });
    }
    if kept == rows && !source.is_at_end()? {
        return Err(Problem::Trailing { rows, dim });
    }
    // `elements` has shown that the dimension fits, unless there is no row to hold it.
    let dim_fits = usize::try_from(dim).map_err(|_| Problem::TooLarge { rows, dim })?;
    Ok(Matrix::new(dim_fits, T::into_values(values)))
}
