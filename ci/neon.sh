#!/usr/bin/env bash
# The kernels and hnsw tests on emulated AArch64. Installs what it needs, as root on Debian.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo xtask neon
