#!/usr/bin/env bash
# A process that writes to a durable index is killed a thousand times; nothing acknowledged may be lost.
set -euo pipefail
cd "$(dirname "$0")/.."

bash ci/xtask.sh crash --kills 1000
