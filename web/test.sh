#!/usr/bin/env bash
# Runs the checks in web/tests against web/dist in headless Chromium.
# usage: web/test.sh [FILE_OR_NAME...]   only the files whose names contain one of the words
# Needs Chromium and Node 20 or newer. Exit status 1: a check failed; 3: Chromium does not start here.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/tests"
status=0
for file in *_test.mjs; do
    wanted=$((!$#))
    for word in "$@"; do [[ $file == *$word* ]] && wanted=1; done
    ((wanted)) || continue
    echo "-- $file"
    code=0
    node --experimental-websocket "$file" || code=$?
    case $code in
    0) ;;
    3) exit 3 ;;
    *) status=1 ;;
    esac
done
exit $status
