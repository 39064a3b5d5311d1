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
    python3 - "$folder/modelens" assets/base/*.keras assets/base/*.safetensors <<'ONCE'
import sys
from pathlib import Path
program, *networks = (Path(path).read_bytes() for path in sys.argv[1:])
counts = [program.count(network[5000:9000]) for network in networks]
assert counts == [1] * len(networks), f"the program holds its networks {counts} times"
ONCE
    [ -s "$folder/share/icons/hicolor/48x48/apps/modelens.png" ]
    if command -v desktop-file-validate >/dev/null; then desktop-file-validate "$folder/share/applications/modelens.desktop"; fi
    for page in "$folder"/share/man/man1/*.gz; do
        if command -v man >/dev/null; then
            # groff says what it cannot set.
            [ -z "$(MANWIDTH=80 man --warnings --encoding=UTF-8 --local-file "$page" 2>&1 >/dev/null)" ]
            MANWIDTH=80 man --local-file "$page" | grep -q '^NAME'
        fi
    done
    # A shell completes a command with what it has read.
    completed=$(bash -c "source '$folder/share/bash-completion/completions/modelens'
        COMP_WORDS=(modelens insp) COMP_CWORD=1; _modelens modelens insp modelens; echo \"\${COMPREPLY[*]}\"")
    [ "$completed" = inspect ]
    if command -v zsh >/dev/null; then
        zsh -f -c "fpath=('$folder/share/zsh/vendor-completions' \$fpath); autoload -U compinit; compinit -D -u; [ \"\$_comps[modelens]\" = _modelens ] && autoload +X _modelens"
    else
        say "THE COMPLETIONS FOR ZSH WERE NOT LOADED: there is no zsh here"
    fi
done
# cargo binstall fetches the archive that its metadata names.
python3 packaging/binstall.py "$dir"
for package in "$dir"/modelens_*.deb; do
    [ -f "$package" ] || continue
    dpkg-deb --extract "$package" "$work/deb"
    "$work/deb/usr/bin/modelens" --version
    (cd "$work/deb" && dpkg-deb --ctrl-tarfile "$package" | tar --extract --to-stdout ./md5sums | md5sum --check --quiet)
    # Installed, listed, and removed again without a trace, in a root of its own.
    root=$work/root
    mkdir -p "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/info"
    touch "$root/var/lib/dpkg/status"
    installs() { dpkg --root="$root" --force-not-root --force-depends --force-script-chrootless "$@" >"$work/said.txt" 2>&1 || { cat "$work/said.txt" >&2; return 1; }; }
    installs --install "$package"
    "$root/usr/bin/modelens" inspect --json >/dev/null
    dpkg --root="$root" --listfiles modelens | grep -q '/usr/share/applications/modelens.desktop'
    installs --purge modelens
    [ ! -e "$root/usr/bin/modelens" ]
    if command -v lintian >/dev/null; then
        lintian --fail-on error --suppress-tags "$(grep -v '^#' packaging/linux/lintian.txt | paste -sd,)" "$package"
    else
        say "THE DEBIAN PACKAGE WAS NOT CHECKED BY LINTIAN: it is not installed here"
    fi
done
for wheel in "$dir"/modelens_notebook-*-manylinux*.whl "$dir"/modelens_notebook-*-linux*.whl; do
    [ -f "$wheel" ] || continue
    if python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet "$wheel"; then
        (cd / && env -u MODELENS_BINARY -u MODELENS_WEB "$work/venv/bin/modelens-notebook" --version &&
            env -u MODELENS_BINARY -u MODELENS_WEB -u PYTHONPATH "$work/venv/bin/python" -c '
import urllib.request
import modelens_notebook as modelens
from modelens_notebook import _web
assert not any((_web.folder() / name).exists() for name in _web.NETWORKS), "the wheel holds a network twice"
app = modelens.show().url.split("/view/")[0] + "/app/"
for name in _web.NETWORKS:
    assert len(urllib.request.urlopen(app + name).read()) > 9e6
assert modelens.inspect().semantics == "keras3" and "<svg" in modelens.figure("dropout", batch=4).svg')
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
