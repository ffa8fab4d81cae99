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
    ($($name:ident: $query:ty, $row:ty, $a:ty, $b:ty, $scale:ty, $element:literal;)*) => {$(
        pub(crate) fn $name(backend: Backend, metric: Metric) -> Found<$query, $row, $scale> {
            match metric {
                Metric::L2Squared | Metric::L2 => widening::<L2Squared, $a, $b>(backend),
                Metric::InnerProduct => widening::<InnerProduct, $a, $b>(backend),
                Metric::Cosine => widening::<Cosine, $a, $b>(backend),
                Metric::Manhattan => widening::<Manhattan, $a, $b>(backend),
                Metric::Hamming | Metric::Jaccard => {
                    Err(Unsupported::Pair { metric, element: $element })
                }
            }
        }
    )*};
}

widened! {
    f16_f16: f16, f16, Number<f16>, Number<f16>, (), "f16";
    bf16_bf16: bf16, bf16, Split, Split, (), "bf16";
    f32_f16: f32, f16, Number<f32>, Number<f16>, (), "f32 and f16";
    f32_bf16: f32, bf16, Number<f32>, Number<bf16>, (), "f32 and bf16";
    f32_i8: f32, i8, Number<f32>, Codes<i8>, Scale, "f32 and i8";
    f32_u8: f32, u8, Number<f32>, Codes<u8>, Scale, "f32 and u8";
}
