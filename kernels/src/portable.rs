//! The backend without an instruction set: the reference itself, one pair at a time.

use crate::batch::Score;
use crate::float::{Cosine, InnerProduct, L2Squared, Manhattan};
use crate::reference;

/// The token of [`Backend::Scalar`](crate::Backend::Scalar).
#[derive(Clone, Copy)]
pub(crate) struct Portable;

macro_rules! by_reference {
    ($($metric:ident: |$a:ident, $b:ident| $distance:expr;)*) => {$(
        impl Score<Portable, f32> for $metric {
            type Prepared = ();

            fn prepare(self, _token: Portable, _query: &[f32]) {}

            fn pair(self, _token: Portable, $a: &[f32], $b: &[f32]) -> f32 {
                $distance
            }

            fn rows<const ROWS: usize>(
                self,
                token: Portable,
                query: &[f32],
                (): (),
                rows: [&[f32]; ROWS],
            ) -> [f32; ROWS] {
                rows.map(|row| self.pair(token, query, row))
            }
        }
    )*};
}

by_reference! {
    L2Squared: |a, b| reference::l2_squared(a, b);
    InnerProduct: |a, b| 0.0 - reference::dot(a, b);
    Cosine: |a, b| reference::cosine(a, b);
    Manhattan: |a, b| reference::manhattan(a, b);
}
