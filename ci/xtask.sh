#!/usr/bin/env bash
# `cargo xtask` as the tests compile it, so that all jobs share one build of the kernels. A test among the targets makes
# cargo choose the features that `cargo xtask test` needs; without it crates that differ in a feature of a dependency
# would be compiled again.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --quiet --locked --workspace --exclude index-peers --all-features --bin xtask --test bits
exec "${CARGO_TARGET_DIR:-target}/debug/xtask" "$@"
