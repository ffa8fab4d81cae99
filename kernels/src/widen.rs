//! How elements become the f32 registers of a float kernel, each exactly.

use core::marker::PhantomData;

use half::{bf16, f16};

use crate::apart::Body;
use crate::math::mul_add;
use crate::native::{Isa, Tail};
use crate::reference::LANES;
use crate::scale::Scale;

/// The number that an element stands for.
pub(crate) trait Widen: Copy {
    type Element: Copy;
    type Scale: Copy;

    /// The same numbers, loaded in order.
    type InOrder: Widen<Element = Self::Element>;

    /// Whether registers hold the even and the odd elements of twice their width, see [`Split`].
    const SPLIT: bool = false;

    fn new(scale: Self::Scale) -> Self;

    fn widen(self, element: Self::Element) -> f32;

    fn in_order(self) -> Self::InOrder;
}

/// Loads blocks of 64 elements into `64 / width` registers, in order unless they are [`Split`].
pub(crate) trait Load<S: Isa>: Widen {
    /// The last, incomplete block of a vector.
    type Tail<'a>: From<&'a [Self::Element]> + Copy
    where
        Self::Element: 'a;

    /// Register `reg` of a block.
    fn load(self, simd: S, block: &[Self::Element; LANES], reg: usize) -> S::f32s;

    /// Register `reg` of a tail, which has at least one of its elements; those beyond its end count
    /// as the number 0.
    fn load_tail(self, simd: S, tail: &Self::Tail<'_>, reg: usize) -> S::f32s;

    /// The first element of register `reg`, as its place in the block.
    #[inline(always)]
    fn first(reg: usize) -> usize {
        reg * S::F32_LANES
    }
}

/// Whole vectors at once, on the instruction set with token `T`.
pub(crate) trait WidenAll<T>: Widen {
    fn widen_all(self, token: T, from: &[Self::Element], to: &mut [f32]);
}

impl<S: Isa, A: Widen<InOrder: Load<S>>> WidenAll<S> for A {
    #[inline(always)]
    fn widen_all(self, simd: S, from: &[A::Element], to: &mut [f32]) {
        let numbers = self.in_order();
        let (blocks, tail) = from.as_chunks::<LANES>();
        let (widened, rest) = to.as_chunks_mut::<LANES>();
        for (block, widened) in blocks.iter().zip(widened) {
            for (reg, out) in S::as_mut_simd_f32s(widened).0.iter_mut().enumerate() {
                *out = numbers.load(simd, block, reg);
            }
        }
        if tail.is_empty() {
            return;
        }
        let mut widened = [0.0; LANES];
        let loaded = tail.into();
        for (reg, out) in S::as_mut_simd_f32s(&mut widened).0.iter_mut().enumerate() {
            if reg * S::F32_LANES < tail.len() {
                *out = numbers.load_tail(simd, &loaded, reg);
            }
        }
        rest.copy_from_slice(&widened[..rest.len()]);
    }
}

/// A vector that is widened.
pub(crate) struct Widening<'a, 'w, A: Widen> {
    pub(crate) numbers: A,
    pub(crate) from: &'a [A::Element],
    pub(crate) to: &'w mut [f32],
}

impl<T, A: WidenAll<T>> Body<T> for Widening<'_, '_, A> {
    type Output = ();

    #[inline(always)]
    fn run(self, token: T) {
        self.numbers.widen_all(token, self.from, self.to);
    }
}

/// A number that needs no more than to be widened: `f32`, [`f16`] or [`bf16`].
#[derive(Clone, Copy)]
pub(crate) struct Number<E>(PhantomData<E>);

impl<E: Copy> Widen for Number<E>
where
    f32: From<E>,
{
    type Element = E;
    type Scale = ();
    type InOrder = Self;

    #[inline(always)]
    fn new((): ()) -> Self {
        Self(PhantomData)
    }

    #[inline(always)]
    fn widen(self, element: E) -> f32 {
        element.into()
    }

    #[inline(always)]
    fn in_order(self) -> Self {
        self
    }
}

impl<S: Isa> Load<S> for Number<f32> {
    type Tail<'a> = S::TailF32<'a>;

    #[inline(always)]
    fn load(self, simd: S, block: &[f32; LANES], reg: usize) -> S::f32s {
        simd.load_f32(&block[reg * S::F32_LANES..][..S::F32_LANES])
    }

    #[inline(always)]
    fn load_tail(self, simd: S, tail: &Self::Tail<'_>, reg: usize) -> S::f32s {
        match tail.whole(reg, S::F32_LANES) {
            Some(lanes) => simd.load_f32(lanes),
            None => simd.load_tail_f32(tail, reg),
        }
    }
}

macro_rules! half_number {
    ($element:ty, $load:ident, $load_tail:ident) => {
        impl<S: Isa> Load<S> for Number<$element> {
            type Tail<'a> = S::Tail<'a, $element>;

            #[inline(always)]
            fn load(self, simd: S, block: &[$element; LANES], reg: usize) -> S::f32s {
                simd.$load(&block[reg * S::F32_LANES..][..S::F32_LANES])
            }

            #[inline(always)]
            fn load_tail(self, simd: S, tail: &Self::Tail<'_>, reg: usize) -> S::f32s {
                match tail.whole(reg, S::F32_LANES) {
                    Some(lanes) => simd.$load(lanes),
                    None => simd.$load_tail(tail, reg),
                }
            }
        }
    };
}

half_number! { f16, load_f16, load_tail_f16 }
half_number! { bf16, load_bf16, load_tail_bf16 }

/// [`bf16`] on both sides of a distance: register 2*j* holds the even elements of the *j*-th two
/// registers of a block, and 2*j* + 1 the odd ones. One load then makes two registers with a shift and
/// a mask, where widening in order takes two loads, two shuffles and two shifts.
#[derive(Clone, Copy)]
pub(crate) struct Split;

impl Widen for Split {
    type Element = bf16;
    type Scale = ();
    type InOrder = Number<bf16>;
    const SPLIT: bool = true;

    #[inline(always)]
    fn new((): ()) -> Self {
        Self
    }

    #[inline(always)]
    fn widen(self, element: bf16) -> f32 {
        element.to_f32()
    }

    #[inline(always)]
    fn in_order(self) -> Number<bf16> {
        Number(PhantomData)
    }
}

impl<S: Isa> Load<S> for Split {
    type Tail<'a> = S::Tail<'a, bf16>;

    #[inline(always)]
    fn load(self, simd: S, block: &[bf16; LANES], reg: usize) -> S::f32s {
        let pairs = simd.load_bf16_pairs(&block[reg / 2 * 2 * S::F32_LANES..][..2 * S::F32_LANES]);
        half_of_pairs(simd, pairs, reg)
    }

    #[inline(always)]
    fn load_tail(self, simd: S, tail: &Self::Tail<'_>, reg: usize) -> S::f32s {
        let pairs = match tail.whole(reg / 2, 2 * S::F32_LANES) {
            Some(lanes) => simd.load_bf16_pairs(lanes),
            None => simd.load_tail_bf16_pairs(tail, reg / 2),
        };
        half_of_pairs(simd, pairs, reg)
    }

    #[inline(always)]
    fn first(reg: usize) -> usize {
        reg / 2 * 2 * S::F32_LANES + reg % 2
    }
}

/// A bf16 is the upper half of an f32: the odd element of a pair is in place, the even one a shift
/// away.
#[inline(always)]
fn half_of_pairs<S: Isa>(simd: S, pairs: S::u32s, reg: usize) -> S::f32s {
    simd.transmute_f32s_u32s(if reg.is_multiple_of(2) {
        simd.shift_left_16(pairs)
    } else {
        simd.and_u32s(pairs, simd.splat_u32s(0xffff_0000))
    })
}

/// Integer codes and what they stand for.
#[derive(Clone, Copy)]
pub(crate) struct Codes<E> {
    scale: Scale,
    element: PhantomData<E>,
}

impl<E> Codes<E> {
    /// The numbers that codes stand for.
    #[inline(always)]
    fn scaled<S: Isa>(self, simd: S, codes: S::f32s) -> S::f32s {
        let Scale { factor, offset } = self.scale;
        simd.mul_add_f32s(codes, simd.splat_f32s(factor), simd.splat_f32s(offset))
    }
}

/// A tail of codes. Padding is the number 0, not the code 0: there is a one for each code.
#[derive(Clone, Copy)]
pub(crate) struct CodesTail<T, F> {
    codes: T,
    ones: F,
}

impl<'a, E, T: From<&'a [E]>, F: From<&'static [f32]>> From<&'a [E]> for CodesTail<T, F> {
    #[inline(always)]
    fn from(tail: &'a [E]) -> Self {
        static ONES: [f32; LANES] = [1.0; LANES];
        Self { codes: tail.into(), ones: ONES[..tail.len()].into() }
    }
}

macro_rules! codes {
    ($element:ty, $load:ident, $load_tail:ident) => {
        impl Widen for Codes<$element> {
            type Element = $element;
            type Scale = Scale;
            type InOrder = Self;

            #[inline(always)]
            fn new(scale: Scale) -> Self {
                Self { scale, element: PhantomData }
            }

            #[inline(always)]
            fn widen(self, code: $element) -> f32 {
                mul_add(f32::from(code), self.scale.factor, self.scale.offset)
            }

            #[inline(always)]
            fn in_order(self) -> Self {
                self
            }
        }

        impl<S: Isa> Load<S> for Codes<$element> {
            type Tail<'a> = CodesTail<S::Tail<'a, $element>, S::TailF32<'static>>;

            #[inline(always)]
            fn load(self, simd: S, block: &[$element; LANES], reg: usize) -> S::f32s {
                let codes = simd.$load(&block[reg * S::F32_LANES..][..S::F32_LANES]);
                self.scaled(simd, codes)
            }

            #[inline(always)]
            fn load_tail(self, simd: S, tail: &Self::Tail<'_>, reg: usize) -> S::f32s {
                if let Some(lanes) = tail.codes.whole(reg, S::F32_LANES) {
                    return self.scaled(simd, simd.$load(lanes));
                }
                let codes = simd.$load_tail(&tail.codes, reg);
                let there = simd.load_tail_f32(&tail.ones, reg);
                let Scale { factor, offset } = self.scale;
                let offset = simd.mul_f32s(there, simd.splat_f32s(offset));
                simd.mul_add_f32s(codes, simd.splat_f32s(factor), offset)
            }
        }
    };
}

codes! { u8, load_u8, load_tail_u8 }
codes! { i8, load_i8, load_tail_i8 }
