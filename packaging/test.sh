#!/usr/bin/env bash
# Checks the release files that packaging/build.sh made; each part that is there.
# usage: packaging/test.sh DIR
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
dir=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$dir" && sha256sum --check --quiet SHA256SUMS)
say() { echo "WARNING: $1" >&2; }

for archive in "$dir"/modelens-*-linux-gnu.tar.gz; do
    [ -f "$archive" ] || continue
    tar --extract --file "$archive" --directory "$work"
    folder=$(dirname "$work"/modelens-*/modelens)
    (cd / && "$folder/modelens" inspect --json >/dev/null)
    [ -s "$folder/share/man/man1/modelens.1.gz" ] && [ -s "$folder/share/icons/hicolor/48x48/apps/modelens.png" ]
    if command -v desktop-file-validate >/dev/null; then desktop-file-validate "$folder/share/applications/modelens.desktop"; fi
    # shellcheck disable=SC1091 # made above
    bash -n "$folder/share/bash-completion/completions/modelens"
done
for package in "$dir"/modelens_*.deb; do
    [ -f "$package" ] || continue
    dpkg-deb --extract "$package" "$work/deb"
    "$work/deb/usr/bin/modelens" --version
    (cd "$work/deb" && dpkg-deb --ctrl-tarfile "$package" | tar --extract --to-stdout ./md5sums | md5sum --check --quiet)
done
for wheel in "$dir"/modelens_notebook-*-manylinux*.whl "$dir"/modelens_notebook-*-linux*.whl; do
    [ -f "$wheel" ] || continue
    if python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet "$wheel"; then
        (cd / && env -u MODELENS_BINARY -u MODELENS_WEB "$work/venv/bin/modelens-notebook" --version &&
            env -u MODELENS_BINARY -u MODELENS_WEB -u PYTHONPATH "$work/venv/bin/python" -c '
import modelens_notebook as modelens
assert modelens.show().url and modelens.inspect().semantics == "keras3" and "<svg" in modelens.figure("dropout", batch=4).svg')
    else
        say "THE WHEEL WAS NOT INSTALLED: NumPy cannot be had here"
    fi
done
for package in "$dir"/modelens-*-windows-gnu.zip; do
    [ -f "$package" ] || continue
    tested=0
    suite=$(find "${CARGO_TARGET_DIR:-target}/debug/deps" -maxdepth 1 -name 'suite-*' -type f -executable -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -1 | cut -d' ' -f2-)
    packaging/windows/test.sh "$package" "$work/deb/usr/bin/modelens" ${suite:+"$suite"} || tested=$?
    case $tested in
    0) ;;
    3) say "THE WINDOWS PACKAGE WAS NOT RUN: there is no wine here (Debian: wine)" ;;
    *) exit $tested ;;
    esac
done
echo "packages checked: $(ls "$dir")"
