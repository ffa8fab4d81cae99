//! Runs a pulp body on a backend by name.

use nearfield_kernels::Backend;
use pulp::WithSimd;

use super::probed::{NotAvailable, Probed};

/// `body` on the instruction set of `backend`.
///
/// # Errors
/// For the scalar backend, which has no vectors, and for one that this CPU lacks.
pub(super) fn run_on<Op: WithSimd>(backend: Backend, body: Op) -> Probed<Op::Output> {
    #[cfg(target_arch = "x86_64")]
    {
        use pulp::Simd;
        use pulp::x86::{V3, V4};
        if backend == Backend::Avx2
            && let Some(simd) = V3::try_new()
        {
            return Ok(Simd::vectorize(simd, body));
        }
        if backend == Backend::Avx512
            && let Some(simd) = V4::try_new()
        {
            return Ok(Simd::vectorize(simd, body));
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        use pulp::Simd;
        use pulp::aarch64::Neon;
        if backend == Backend::Neon
            && let Some(simd) = Neon::try_new()
        {
            return Ok(Simd::vectorize(simd, body));
        }
    }
    drop(body);
    Err(NotAvailable::because(format_args!("this CPU has no vectors of backend {backend}")))
}
