#!/usr/bin/env bash
# The tests of the kernels, and of the index its golden graphs, on emulated AArch64. Installs what it needs, as root on Debian.
set -euo pipefail
cd "$(dirname "$0")/.."

bash ci/xtask.sh neon
