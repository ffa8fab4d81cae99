//! The numbers of a file as elements of another type: integers exactly or not at all, floats rounded.

use half::{bf16, f16};

use crate::matrix::{Matrix, Values, each_kind};

/// What a file or a vector holds one of.
pub trait Number: Copy {
    /// Its value; of an `i64` beyond 2⁵³ the nearest that an `f64` has.
    fn number(self) -> f64;
}

/// An element type that the numbers of any file can be turned into.
pub trait FromNumber: Number {
    /// The type's name in messages.
    const NAME: &'static str;

    /// The element for a number: for floats the nearest, and none if that is infinite where the
    /// number is not; for integers the number itself, or none.
    fn from_number(number: f64) -> Option<Self>;

    /// The values as they are, where they are of this type already; else they come back.
    ///
    /// # Errors
    /// The values, where they are of another type.
    fn same(values: Values) -> Result<Vec<Self>, Values> {
        Err(values)
    }
}

/// Rows in another type, and what became of their values.
#[derive(Clone, Debug, PartialEq)]
pub struct Converted<E> {
    /// The elements, row after row.
    pub values: Vec<E>,
    /// Whether any value had to be rounded.
    pub is_rounded: bool,
}

/// A number that an element type does not have.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("row {row}, column {column}: {value} does not fit {element}")]
pub struct DoesNotFit {
    /// The row, counted from 0.
    pub row: usize,
    /// The column, counted from 0.
    pub column: usize,
    /// The number.
    pub value: f64,
    /// The name of the element type.
    pub element: &'static str,
}

/// The elements of a matrix as elements of type `E`. NaN and infinity stay what they are where the
/// type has them.
///
/// ```
/// use nearfield_files::{Matrix, Values, convert::convert};
///
/// let doubles = || Matrix::new(2, Values::F64(vec![0.5, 0.1]));
/// let floats = convert::<f32>(doubles())?;
/// assert_eq!((floats.values, floats.is_rounded), (vec![0.5, 0.1], true)); // 0.1 is not exact
/// assert!(convert::<u8>(doubles()).is_err()); // nor is it an integer
/// # Ok::<(), nearfield_files::convert::DoesNotFit>(())
/// ```
///
/// # Errors
/// [`DoesNotFit`] for the first number that `E` does not have.
pub fn convert<E: FromNumber>(matrix: Matrix) -> Result<Converted<E>, DoesNotFit> {
    let dim = matrix.dim();
    let values = match E::same(matrix.into_values()) {
        Ok(values) => return Ok(Converted { values, is_rounded: false }),
        Err(other) => other,
    };
    let mut is_rounded = false;
    let converted = |(place, value): (usize, f64)| {
        let (row, column, element) = (place / dim, place % dim, E::NAME);
        let converted = E::from_number(value).ok_or(DoesNotFit { row, column, value, element })?;
        is_rounded |= converted.number() != value && !value.is_nan();
        Ok(converted)
    };
    let values: Result<_, _> = each_kind!(values, v => {
        v.into_iter().map(Number::number).enumerate().map(converted).collect()
    });
    Ok(Converted { values: values?, is_rounded })
}

macro_rules! numbers {
    ($($number:ty: $value:expr;)*) => {$(
        impl Number for $number {
            fn number(self) -> f64 {
                let value: fn(Self) -> f64 = $value;
                value(self)
            }
        }
    )*};
}

numbers! {
    f64: |x| x;
    f32: f64::from;
    f16: f64::from;
    bf16: f64::from;
    u8: f64::from;
    i8: f64::from;
    i32: f64::from;
    i64: |x| x as f64;
}

/// Types by the kind of file, if any, that holds them, and by the nearest element to a number.
macro_rules! from_numbers {
    ($($element:ty $(, $kind:ident)?: $nearest:expr, $fits:ident;)*) => {$(
        impl FromNumber for $element {
            const NAME: &'static str = stringify!($element);

            fn from_number(number: f64) -> Option<Self> {
                let nearest: fn(f64) -> Self = $nearest;
                let nearest = nearest(number);
                $fits(nearest.number(), number).then_some(nearest)
            }

            $(fn same(values: Values) -> Result<Vec<Self>, Values> {
                match values {
                    Values::$kind(values) => Ok(values),
                    other => Err(other),
                }
            })?
        }
    )*};
}

from_numbers! {
    f64, F64: |x| x, is_as_finite;
    f32, F32: |x| x as Self, is_as_finite;
    f16, F16: |x| Self::from_f32(odd(x)), is_as_finite;
    bf16: |x| Self::from_f32(odd(x)), is_as_finite;
    i8, I8: |x| x as Self, is_same;
    u8, U8: |x| x as Self, is_same;
}

/// A number on its way to a half float, which two roundings to the nearest could miss: where an `f32`
/// does not have the number, the odd one of its two neighbours, which lies on no middle between halves.
fn odd(number: f64) -> f32 {
    let nearest = number as f32;
    if f64::from(nearest) == number || number.is_nan() {
        return nearest;
    }
    let is_beyond = f64::from(nearest).abs() > number.abs();
    f32::from_bits((nearest.to_bits() - u32::from(is_beyond)) | 1)
}

fn is_as_finite(nearest: f64, number: f64) -> bool {
    nearest.is_finite() || !number.is_finite()
}

fn is_same(nearest: f64, number: f64) -> bool {
    nearest == number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<E: FromNumber>(values: Values) -> Result<(Vec<E>, bool), DoesNotFit> {
        convert(Matrix::new(2, values)).map(|converted| (converted.values, converted.is_rounded))
    }

    #[test]
    fn every_kind_becomes_every_element_of_the_same_value() {
        let half = |x| f16::from_f32(x);
        for values in [
            Values::F64(vec![-2.0, 3.0]),
            Values::F32(vec![-2.0, 3.0]),
            Values::F16(vec![half(-2.0), half(3.0)]),
            Values::I8(vec![-2, 3]),
            Values::I32(vec![-2, 3]),
            Values::I64(vec![-2, 3]),
        ] {
            assert_eq!(of(values.clone()), Ok((vec![-2.0f32, 3.0], false)));
            assert_eq!(of(values.clone()), Ok((vec![half(-2.0), half(3.0)], false)));
            assert_eq!(of(values.clone()), Ok((vec![-2i8, 3], false)));
            let bf16s = vec![bf16::from_f32(-2.0), bf16::from_f32(3.0)];
            assert_eq!(of(values.clone()), Ok((bf16s, false)));
            let error = of::<u8>(values).unwrap_err();
            assert_eq!(error, DoesNotFit { row: 0, column: 0, value: -2.0, element: "u8" });
        }
        assert_eq!(of(Values::U8(vec![0, 255])), Ok((vec![0.0f32, 255.0], false)));
        assert_eq!(of(Values::U8(vec![0, 255])), Ok((vec![0u8, 255], false)));
        assert_eq!(of(Values::F32(vec![0.0, 255.0])), Ok((vec![0u8, 255], false)));
    }

    #[test]
    fn integers_are_exact_or_refused_with_their_place() {
        let refused = |value: f32| {
            let place = vec![1.0, 2.0, 3.0, value];
            (of::<u8>(Values::F32(place.clone())), of::<i8>(Values::F32(place)))
        };
        for value in [0.5, 256.0, -129.0, 1e30, f32::INFINITY] {
            let (unsigned, signed) = refused(value);
            let value = f64::from(value);
            let (row, column) = (1, 1);
            assert_eq!(unsigned, Err(DoesNotFit { row, column, value, element: "u8" }));
            assert_eq!(signed, Err(DoesNotFit { row, column, value, element: "i8" }));
        }
        let (unsigned, _) = refused(f32::NAN);
        let text = unsigned.unwrap_err().to_string();
        assert_eq!(text, "row 1, column 1: NaN does not fit u8");
    }

    #[test]
    fn doubles_become_halves_by_one_rounding() {
        // Just above the middle between 1 and the next half, by less than an `f32` can show.
        let (half, bhalf, least) = (1.0 + 1.0 / 2048.0, 1.0 + 1.0 / 256.0, 1e-12);
        for sign in [1.0, -1.0] {
            let (up, tie, down) = (sign * (half + least), sign * half, sign * (half - least));
            let next = f16::from_bits(f16::ONE.to_bits() + 1).to_f64();
            // Just below the middle between the next half and the one behind it.
            let (values, _) =
                of::<f16>(Values::F64(vec![down, sign * (half + 1.0 / 1024.0 - least)])).unwrap();
            assert_eq!([values[0].to_f64(), values[1].to_f64()], [sign, sign * next]);
            let (values, is_rounded) = of::<f16>(Values::F64(vec![up, tie])).unwrap();
            assert_eq!([values[0].to_f64(), values[1].to_f64()], [sign * next, sign]);
            assert!(is_rounded);
            let (values, _) = of::<bf16>(Values::F64(vec![sign * (bhalf + least), sign])).unwrap();
            assert_eq!(values[0].to_f64(), sign * (1.0 + 1.0 / 128.0));
        }
        // Beyond every `f32`, below the smallest, and halves without a leading one.
        assert!(of::<f16>(Values::F64(vec![0.0, 1e300])).is_err());
        let (values, _) = of::<f16>(Values::F64(vec![1e-300, -1.0 / 16_777_216.0])).unwrap();
        assert_eq!(values, [f16::ZERO, f16::from_bits(0x8001)]);
        let rounded = of::<f32>(Values::F64(vec![0.1, f64::from(0.1f32)]));
        assert_eq!(rounded, Ok((vec![0.1f32, 0.1], true)));
        assert!(of::<f32>(Values::F64(vec![1e39, 0.0])).is_err());
    }

    #[test]
    fn half_floats_round_once_and_say_so() {
        // Above the middle between 1 and the next f16 by the last bit that an f32 has.
        let above_half = 1.0 + f32::EPSILON + 1.0 / 2048.0;
        let next = f16::from_bits(f16::ONE.to_bits() + 1);
        let rounded = of(Values::F32(vec![1.0, above_half]));
        assert_eq!(rounded, Ok((vec![f16::ONE, next], true)));
        let rounded = of(Values::F32(vec![256.0, 257.0]));
        assert_eq!(rounded, Ok((vec![bf16::from_f32(256.0); 2], true)));
        assert_eq!(
            of(Values::I32(vec![1 << 24, (1 << 24) + 1])),
            Ok((vec![16_777_216.0f32; 2], true))
        );

        let (values, is_rounded) = of::<f16>(Values::F32(vec![f32::NAN, f32::INFINITY])).unwrap();
        assert!(values[0].is_nan() && values[1] == f16::INFINITY && !is_rounded);
        let error = of::<f16>(Values::F32(vec![65_504.0, 65_520.0])).unwrap_err();
        assert_eq!(error, DoesNotFit { row: 0, column: 1, value: 65_520.0, element: "f16" });
    }
}
