#!/usr/bin/env bash
# Checks the types of the notebook package and runs its tests, and one output cell in Chromium if there is one.
# usage: python/tests/run.sh [PYTHON]   needs pytest, mypy and NumPy there; MODELENS_BINARY may name the program
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
python=${1:-python3}
"$python" examples/make.py --check
"$python" -m mypy
if [ ! -f ../web/dist/index.html ] && [ -z "${MODELENS_WEB:-}" ]; then
    echo "WARNING: THE OUTPUT CELLS WERE NOT TESTED: there is no web build" >&2
    PYTHONPATH=src "$python" -m pytest -q -p no:cacheprovider tests/test_program.py
    exit
fi
PYTHONPATH=src "$python" -m pytest -q -p no:cacheprovider
if command -v chromium >/dev/null && command -v node >/dev/null; then
    looked=0
    PYTHON=$python PYTHONPATH=src node --experimental-websocket tests/cell.mjs || looked=$?
    case $looked in
    0) ;;
    3) echo "WARNING: NO OUTPUT CELL WAS OPENED: Chromium does not start here" >&2 ;;
    *) exit $looked ;;
    esac
else
    echo "WARNING: NO OUTPUT CELL WAS OPENED: there is no Chromium or no Node here" >&2
fi
