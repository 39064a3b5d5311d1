#!/bin/sh
# Draws every snapshot that differs from a commit as PNG: old, new, and the changed pixels in red.
# usage: docs/review-snapshots.sh [COMMIT]     (default: HEAD)
set -eu
cd "$(dirname "$0")/.."
MODELENS_REVIEW=${1:-HEAD} cargo test --locked --test suite -- --ignored --nocapture \
    changed_snapshots_side_by_side | grep -E '^tests/|^[0-9]+ snapshots'
