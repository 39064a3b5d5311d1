#!/usr/bin/env bash
# Opens web/dist in headless Chromium, waits until the first view has been computed, and keeps a picture.
# usage: web/look.sh OUT.png
# Needs Chromium and Node 20 or newer. Exit status 1: the page did not start, or said that something failed;
# 3: Chromium does not start here.
set -euo pipefail
out=$(realpath -m "$1")
cd "$(dirname "$(realpath "$0")")/dist"
port=$((20000 + RANDOM % 20000))
python3 -m http.server --bind 127.0.0.1 $port >/dev/null 2>&1 &
server=$!
trap 'kill $server' EXIT
node --experimental-websocket ../look.mjs "http://127.0.0.1:$port/" "$out"
