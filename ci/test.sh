#!/usr/bin/env bash
# Every check that a change must pass.
set -euo pipefail
cd "$(dirname "$0")/.."

if command -v rustup >/dev/null; then
    rustup component add clippy rustfmt
    # The oldest Rust we promise. Without it the step `msrv` says so and leaves the check to clippy.
    msrv=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)
    rustup toolchain install "$msrv" --profile minimal --no-self-update \
        || echo "Rust $msrv cannot be had here"
fi

bash ci/xtask.sh test --keep-going
