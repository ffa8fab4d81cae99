#!/usr/bin/env bash
# The short hardware report: proves that it can be made, not what the machine can do.
set -euo pipefail
cd "$(dirname "$0")/.."

bash ci/xtask.sh bench --quick
