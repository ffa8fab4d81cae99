#!/usr/bin/env bash
# hnswlib, usearch and faiss, from PyPI, and Nearfield read each other's indexes and must find the same.
set -euo pipefail
cd "$(dirname "$0")/.."

bash ci/xtask.sh interop --points 1500
