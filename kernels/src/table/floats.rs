//! The kernels over floats, and over what is widened to them.

use half::{bf16, f16};

use super::*;

/// The table of one metric over numbers that are widened, if this CPU has the backend.
fn widening<D, A, B>(backend: Backend) -> Found<A::Element, B::Element, B::Scale>
where
    A: EverywhereWidened<Element: 'static, Scale = ()>,
    B: EverywhereWidened<Element: 'static, Scale: 'static>,
    Over<D, A, B>: Everywhere<A::Element, B::Element, B::Scale>,
    Over<D, Number<f32>, Number<f32>>: Everywhere<f32, f32, ()>,
{
    match backend {
        Backend::Scalar => Ok(scalar::widening::<D, A, B>()),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx2 if backend.is_available() => Ok(avx2::widening::<D, A, B>()),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512 if backend.is_available() => Ok(avx512::widening::<D, A, B>()),
        #[cfg(target_arch = "aarch64")]
        Backend::Neon if backend.is_available() => Ok(neon::widening::<D, A, B>()),
        _ => Err(Unsupported::Backend(backend)),
    }
}

#[cfg(not(target_arch = "x86_64"))]
use widening as widening_pairs;

/// The same for elements of which both sides are widened by an instruction: a pair in narrow registers
/// where that is faster.
#[cfg(target_arch = "x86_64")]
fn widening_pairs<D, A, B>(backend: Backend) -> Found<A::Element, B::Element, B::Scale>
where
    A: EverywhereWidened<Element: 'static, Scale = ()>,
    B: EverywhereWidened<Element: 'static, Scale: 'static>,
    Over<D, A, B>: Everywhere<A::Element, B::Element, B::Scale>
        + Score<Narrow, A::Element, B::Element, Scale = B::Scale>,
    Over<D, Number<f32>, Number<f32>>: Everywhere<f32, f32, ()>,
{
    if backend == Backend::Avx512 && backend.is_available() && prefers_narrow() {
        return Ok(const {
            &Table {
                pair: avx512_narrow::pair::<A::Element, B::Element, Over<D, A, B>>,
                ..*avx512::widening::<D, A, B>()
            }
        });
    }
    widening::<D, A, B>(backend)
}

/// Whether this is a CPU like AMD's Zen 4, whose conversion to 512 bits takes three times as long as
/// one to 256: those with BF16, which Intel's first with AVX-512 lack, and without FP16, which the later
/// have. (Wrong about another, it costs time, and changes no bit.)
#[cfg(target_arch = "x86_64")]
fn prefers_narrow() -> bool {
    let (bf16, fp16) = (detected!("avx512bf16"), detected!("avx512fp16"));
    bf16 && !fp16
}

pub(crate) fn f32_f32(backend: Backend, metric: Metric) -> Found<f32, f32, ()> {
    type Floats<D> = Over<D, Number<f32>, Number<f32>>;
    match metric {
        Metric::L2Squared | Metric::L2 => on::<_, _, _, Floats<L2Squared>>(backend),
        Metric::InnerProduct => on::<_, _, _, Floats<InnerProduct>>(backend),
        Metric::Cosine => on::<_, _, _, Floats<Cosine>>(backend),
        Metric::Manhattan => on::<_, _, _, Floats<Manhattan>>(backend),
        Metric::Hamming | Metric::Jaccard => Err(Unsupported::Pair { metric, element: "f32" }),
    }
}

macro_rules! widened {
    ($($name:ident by $by:ident: $query:ty, $row:ty, $a:ty, $b:ty, $scale:ty, $element:literal;)*) => {$(
        pub(crate) fn $name(backend: Backend, metric: Metric) -> Found<$query, $row, $scale> {
            match metric {
                Metric::L2Squared | Metric::L2 => $by::<L2Squared, $a, $b>(backend),
                Metric::InnerProduct => $by::<InnerProduct, $a, $b>(backend),
                Metric::Cosine => $by::<Cosine, $a, $b>(backend),
                Metric::Manhattan => $by::<Manhattan, $a, $b>(backend),
                Metric::Hamming | Metric::Jaccard => {
                    Err(Unsupported::Pair { metric, element: $element })
                }
            }
        }
    )*};
}

widened! {
    f16_f16 by widening_pairs: f16, f16, Number<f16>, Number<f16>, (), "f16";
    bf16_bf16 by widening: bf16, bf16, Split, Split, (), "bf16";
    f32_f16 by widening: f32, f16, Number<f32>, Number<f16>, (), "f32 and f16";
    f32_bf16 by widening: f32, bf16, Number<f32>, Number<bf16>, (), "f32 and bf16";
    f32_i8 by widening: f32, i8, Number<f32>, Codes<i8>, Scale, "f32 and i8";
    f32_u8 by widening: f32, u8, Number<f32>, Codes<u8>, Scale, "f32 and u8";
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Bits of all kinds of f16, none of them NaN: the two may differ in which they make.
    fn numbers(len: usize, seed: u16) -> Vec<f16> {
        let bits = (0..len as u16).map(|i| (i + seed).wrapping_mul(0x9e37));
        bits.map(f16::from_bits)
            .map(|x| if x.is_finite() { x } else { f16::MIN_POSITIVE })
            .collect()
    }

    /// On a CPU that does not prefer them nothing else would run the narrow kernels.
    #[test]
    fn narrow_pairs_are_the_wide_ones() {
        if !Backend::Avx512.is_available() {
            return; // then no public interface runs them
        }
        type Halves<D> = Over<D, Number<f16>, Number<f16>>;
        let narrow = [
            avx512_narrow::table::<f16, f16, Halves<L2Squared>>(),
            avx512_narrow::table::<f16, f16, Halves<InnerProduct>>(),
            avx512_narrow::table::<f16, f16, Halves<Cosine>>(),
            avx512_narrow::table::<f16, f16, Halves<Manhattan>>(),
        ];
        let wide = [
            avx512::table::<f16, f16, Halves<L2Squared>>(),
            avx512::table::<f16, f16, Halves<InnerProduct>>(),
            avx512::table::<f16, f16, Halves<Cosine>>(),
            avx512::table::<f16, f16, Halves<Manhattan>>(),
        ];
        for len in (0..200).chain([768, 1000]) {
            let (a, b) = (numbers(len, 1), numbers(len, 77));
            for (narrow, wide) in narrow.iter().zip(wide) {
                let (narrow, wide) = (narrow.pair((), &a, &b), wide.pair((), &a, &b));
                assert_eq!(narrow.to_bits(), wide.to_bits(), "{len} elements: {narrow} and {wide}");
            }
        }
    }
}
