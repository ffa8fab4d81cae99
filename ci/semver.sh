#!/usr/bin/env bash
# Compares the interface of the libraries with the last release. With `install` as its argument it compiles
# cargo-semver-checks where it is missing, which takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! last=$(git describe --tags --match 'v*' --abbrev=0 2>/dev/null); then
    echo 'NOT CHECKED: no release is tagged (v*), so there is nothing to compare with'
    exit
fi
if ! cargo semver-checks --version 2>/dev/null; then
    if [ "${1:-}" != install ]; then
        echo 'NOT CHECKED: cargo-semver-checks is missing (cargo install --locked cargo-semver-checks)'
        exit
    fi
    cargo install --locked cargo-semver-checks
fi
cargo semver-checks --baseline-rev "$last" \
    --package nearfield-kernels --package nearfield-hnsw --package nearfield-files
