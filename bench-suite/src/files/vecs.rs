//! `.fvecs` and its kin: per row an `i32` dimension, then the row.

use super::{
    error::Problem,
    source::{Order, Scalar, Source},
};
use crate::matrix::Matrix;

pub(super) fn read<T: Scalar>(source: &mut Source<'_>, limit: usize) -> Result<Matrix, Problem> {
    let mut values = Vec::<T>::new();
    let mut row_values = Vec::<T>::new();
    let mut first = None;
    for row in 0..limit as u64 {
        let mut header = [0; 4];
        let found = source.fill(&mut header)?;
        if found == 0 {
            break; // the end, between two rows: where it belongs
        }
        let short = |found, dim: i32| {
            let needed = 4 + dim as u64 * size_of::<T>() as u64;
            Problem::ShortRow { row, needed, found }
        };
        if found < header.len() {
            return Err(short(found as u64, first.unwrap_or(0)));
        }
        let dim = i32::from_le_bytes(header);
        if dim <= 0 {
            return Err(Problem::RowLength { row, dim });
        }
        let first = *first.get_or_insert(dim);
        if dim != first {
            return Err(Problem::Ragged { row, dim, first });
        }
        row_values.clear();
        if let Err(found) = source.append(&mut row_values, dim as usize, Order::Little)? {
            return Err(short(4 + found, dim));
        }
        values.extend_from_slice(&row_values);
    }
    let dim = first.ok_or(Problem::Empty)?;
    Ok(Matrix::new(dim as usize, T::into_values(values)))
}
