#!/usr/bin/env bash
# Serves web/dist on this machine, for a look at what build.sh made.
# usage: web/serve.sh [PORT]   8000 unless another is named
set -euo pipefail
port=${1:-8000}
dist=$(dirname "$(realpath "$0")")/dist
[ -f "$dist/index.html" ] || { echo "there is no web/dist: run web/build.sh first" >&2; exit 1; }
echo "http://127.0.0.1:$port/"
exec python3 -m http.server --bind 127.0.0.1 --directory "$dist" "$port"
