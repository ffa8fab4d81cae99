//! The commands from the outside, in one program: what they print, and what they say to bad input.

mod ann;
mod convert;
mod durable;
mod kernels;
mod scaling;
mod support;
