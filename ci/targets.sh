#!/usr/bin/env bash
# Checks that kernels and hnsw compile for 32 bits and for WebAssembly. With `tests` as its argument it also runs
# the kernels' tests on 32 bits, which takes minutes to compile. What cannot be had is named, and was not checked.
set -euo pipefail
cd "$(dirname "$0")/.."

not_checked=()

# Whether the compiler has the target's standard library, or can get it.
has_target() {
    [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ] && return
    command -v rustup >/dev/null && rustup target add "$1"
}

# Whether programs of 32 bits can be linked.
links_32_bits() {
    local program
    program=$(mktemp)
    echo 'int main(void) { return 0; }' | gcc -m32 -x c - -o "$program" 2>/dev/null && "$program"
}

for target in i686-unknown-linux-gnu wasm32-unknown-unknown; do
    if ! has_target "$target"; then
        not_checked+=("$target: the compiler has no standard library for it")
        continue
    fi
    echo "== cargo check for $target"
    cargo check --locked --target "$target" --package nearfield-kernels --no-default-features
    cargo check --locked --target "$target" --package nearfield-kernels --all-features
    cargo check --locked --target "$target" --package nearfield-hnsw --all-features
done

if [ "${1:-}" = tests ]; then
    target=i686-unknown-linux-gnu
    if ! links_32_bits && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        apt-get install --yes --no-install-recommends gcc-multilib || true
    fi
    if ! has_target "$target"; then
        : # named above
    elif links_32_bits; then
        echo "== the kernels' tests on $target"
        cargo test --locked --target "$target" --package nearfield-kernels --lib --tests
    else
        not_checked+=("$target: the kernels' tests, which need gcc and a C library for 32 bits (Debian: gcc-multilib)")
    fi
fi

for what in "${not_checked[@]}"; do
    echo "NOT CHECKED: $what"
done
