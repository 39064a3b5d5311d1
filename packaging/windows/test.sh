#!/usr/bin/env bash
# Runs the Windows package under wine, and compares what it writes with what the Linux program writes, byte for byte.
# usage: packaging/windows/test.sh PACKAGE.zip LINUX_PROGRAM [SUITE]
#   SUITE  the binary of tests/suite: its tests of the command line are run with the Windows program, too
# Exit status 3: wine is missing here. It needs no display.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."
package=$(realpath "$1") linux=$(realpath "$2") suite=${3:+$(realpath "$3")}
command -v wine >/dev/null || { echo "there is no wine here" >&2; exit 3; }
work=$(mktemp -d)
export WINEPREFIX=$work/wine WINEDEBUG=-all DISPLAY='' WINEDLLOVERRIDES='mscoree,mshtml='
trap 'wineserver -k 2>/dev/null || true; rm -rf "$work"' EXIT
timeout 300 wineboot --init >/dev/null 2>&1 || { echo "wine does not start here" >&2; exit 3; }
python3 -m zipfile -e "$package" "$work/package"
folder=$(dirname "$work"/package/*/modelens.exe)
[ -f "$folder/modelens.com" ] || { echo "modelens.com is not in the package" >&2; exit 1; }
if [ ! -f "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" ]; then
    x86_64-w64-mingw32-gcc -shared -o "$folder/bcryptprimitives.dll" packaging/windows/bcryptprimitives.c -ladvapi32
fi
printf '#!/bin/sh\nexec wine "%s" "$@"\n' "$folder/modelens.com" >"$work/modelens"
chmod +x "$work/modelens"

failed=0
fail() { echo "FAILED: $1" >&2; failed=1; }
# same NAME COMMAND...: OUT in a command is the file that both programs write.
same() {
    local name=$1 ending=${1##*.}
    shift
    local one=$work/linux.$ending other=$work/windows.$ending before=$failed
    rm -f "$one" "$other"
    "$linux" "${@/OUT/$one}" >"$work/linux.out" 2>"$work/linux.err" || fail "$name on Linux: $(cat "$work/linux.err")"
    "$work/modelens" "${@/OUT/$other}" >"$work/windows.out" 2>"$work/windows.err" || fail "$name: $(cat "$work/windows.err")"
    cmp "$work/linux.out" "$work/windows.out" || fail "$name: another output"
    if [[ " $* " == *" OUT "* ]]; then
        case $ending in
        # A zip names the system that wrote it; what is in it must be the same.
        npz | csv) python3 packaging/windows/compare.py "$one" "$other" || fail "$name: other content" ;;
        *) cmp "$one" "$other" || fail "$name: other bytes" ;;
        esac
    fi
    [ "$failed" != "$before" ] || echo "same: $name"
}
# status N COMMAND...: the exit status, and one line on standard error.
status() {
    local want=$1 got=0
    shift
    "$work/modelens" "$@" >/dev/null 2>"$work/windows.err" || got=$?
    [ "$got" = "$want" ] || fail "$*: status $got, not $want"
    [ "$(grep -c '^modelens: ' "$work/windows.err")" = 1 ] || [ "$want" = 2 ] || fail "$*: $(cat "$work/windows.err")"
}

case=tests/fixtures/golden/bnnet_keras3
same version.txt --version
same inspect.json inspect --json
same inspect.txt inspect $case/model.h5
same training.npz run $case/model.keras --input $case/io.npz --mode training --no-random --out OUT
same inference.npz run $case/model.keras --input $case/io.npz --mode inference --out OUT
same photos.npz run --input assets/photos/fish --mode training --batch 4 --tap block_13_project_BN --out OUT
same batchnorm.svg figure batchnorm --batch 8 --out OUT
same dropout.svg figure dropout --theme dark --batch 8 --out OUT
same augmentation.png figure augmentation --out OUT
same train.csv train --photos assets/photos --epochs 1 --out OUT
status 1 inspect "$work/none.h5"
status 2 run --mode training
# The file that Explorer starts hands its arguments and the exit status on.
[ "$(wine "$folder/modelens.exe" --version | tr -d '\r')" = "$("$linux" --version)" ] || fail "modelens.exe --version"
code=0
wine "$folder/modelens.exe" inspect none.h5 >/dev/null 2>&1 || code=$?
[ "$code" = 1 ] || fail "modelens.exe: status $code, not 1"
# What Explorer shows, and whether Windows gives a console: the mark is 2 for a window and 3 for a terminal.
for file in modelens.exe modelens.com; do
    x86_64-w64-mingw32-objdump -h "$folder/$file" | grep -q '\.rsrc' || fail "$file has no icon and no version"
done
mark() { x86_64-w64-mingw32-objdump -p "$1" | awk '/^Subsystem/ { print $2 + 0 }'; }
[ "$(mark "$folder/modelens.exe")" = 2 ] || fail "modelens.exe opens a console"
[ "$(mark "$folder/modelens.com")" = 3 ] || fail "modelens.com has no console"
if [ -n "$suite" ]; then
    MODELENS_PROGRAM=$work/modelens "$suite" --test-threads 2 cli:: || fail "the tests of the command line"
fi
[ $failed = 0 ] && echo "the Windows package writes what the Linux program writes"
exit $failed
