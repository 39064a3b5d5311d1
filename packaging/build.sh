#!/usr/bin/env bash
# Makes the release files from a clean clone.
# usage: packaging/build.sh [OUT_DIR] [PART...]
#   OUT_DIR  target/packages unless another is named; PART: linux, windows, web, wheels (default: all)
#   PROFILE=dev packaging/build.sh ...   builds quickly, for a check of the packages themselves
#   PROGRAM=FILE packaging/build.sh ...  packs this program for Linux instead of building one
# The same commit, tools and folders give the same bytes. A part whose tools are missing is left out, loudly, and
# the exit status is 3 then.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
profile=${PROFILE:-release}
target_dir=$(cargo metadata --locked --format-version 1 --no-deps | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
out=$(realpath -m "${1:-$target_dir/packages}")
shift || true
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(linux windows web wheels)
version=$(awk -F'"' '/^version = / { print $2; exit }' Cargo.toml)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 1767225600)
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
linux=x86_64-unknown-linux-gnu
windows=x86_64-pc-windows-gnu
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missing=0

built() { echo "$target_dir/${2:+$2/}${profile/#dev/debug}/$1"; }
left_out() { echo "WARNING: $1 NOT MADE: $2" >&2; missing=3; }
# A tar with the same bytes each time.
packed() { tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --mode=u=rwX,go=rX "$@" | gzip -9n; }

# What every package holds beside the program.
texts() {
    mkdir -p "$1"
    cp README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$1/"
    cp assets/README.md "$1/ASSETS.md"
}

# The share/ folder of a Linux installation.
shared() {
    local program=$1 share=$2 side
    install -Dm644 packaging/linux/modelens.desktop "$share/applications/modelens.desktop"
    install -Dm644 packaging/linux/modelens.xml "$share/mime/packages/modelens.xml"
    install -Dm644 assets/icon/modelens.svg "$share/icons/hicolor/scalable/apps/modelens.svg"
    for side in 16 32 48 128 256; do
        install -Dm644 assets/icon/modelens-$side.png "$share/icons/hicolor/${side}x$side/apps/modelens.png"
    done
    "$program" manual --out "$share/man/man1" --make-folders
    gzip -9n "$share"/man/man1/*.1
    mkdir -p "$share"/{bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
    "$program" completions bash >"$share/bash-completion/completions/modelens"
    "$program" completions zsh >"$share/zsh/vendor-completions/_modelens"
    "$program" completions fish >"$share/fish/vendor_completions.d/modelens.fish"
}

make_linux() {
    [ -n "${PROGRAM:-}" ] || cargo build --locked --quiet -p modelens --profile "$profile"
    local program=$work/modelens
    strip --strip-unneeded -o "$program" "${PROGRAM:-$(built modelens)}"
    local name=modelens-$version-$linux
    texts "$work/tar/$name"
    install -m755 "$program" "$work/tar/$name/modelens"
    shared "$program" "$work/tar/$name/share"
    packed --directory "$work/tar" "$name" >"$out/$name.tar.gz"

    if ! command -v dpkg-deb >/dev/null; then
        left_out "THE DEBIAN PACKAGE" "there is no dpkg-deb here"
        return
    fi
    local root=$work/deb glibc
    install -Dm755 "$program" "$root/usr/bin/modelens"
    shared "$program" "$root/usr/share"
    local doc=$root/usr/share/doc/modelens
    mkdir -p "$doc"
    install -m644 packaging/linux/copyright "$doc/copyright"
    install -m644 LICENSE-MIT "$doc/LICENSE-MIT"
    install -m644 assets/README.md "$doc/ASSETS.md"
    install -m644 CHANGELOG.md "$doc/CHANGELOG.md"
    printf 'modelens (%s) unstable; urgency=medium\n\n  * CHANGELOG.md tells what is new.\n\n -- the modelens contributors <modelens@localhost>  %s\n' \
        "$version" "$(date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")" | gzip -9n >"$doc/changelog.gz"
    chmod -R u=rwX,go=rX "$root"
    glibc=$(objdump -T "$program" | grep -o 'GLIBC_[0-9.]*' | cut -c7- | sort -uV | tail -1)
    mkdir -p "$root/DEBIAN"
    (cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
    cat >"$root/DEBIAN/control" <<CONTROL
Package: modelens
Version: $version
Architecture: amd64
Maintainer: the modelens contributors <modelens@localhost>
Section: science
Priority: optional
Installed-Size: $(du -sk --apparent-size "$root/usr" | cut -f1)
Depends: libc6 (>= $glibc), libgcc-s1
Recommends: libgl1, libegl1, libxkbcommon-x11-0, libxcursor1, libxi6, xdg-desktop-portal
Description: training and inference of a pretrained network side by side
 Two switches decide what a pretrained network does in transfer learning:
 training= sets how its layers behave, trainable sets which weights an
 optimizer may change. modelens opens a real network and real photos and
 shows what augmentation, dropout and BatchNorm do in both modes.
CONTROL
    dpkg-deb --root-owner-group -Zgzip --build "$root" "$out/modelens_${version}_amd64.deb" >/dev/null
}

make_windows() {
    if ! command -v x86_64-w64-mingw32-gcc >/dev/null; then
        left_out "THE WINDOWS PACKAGE" "there is no x86_64-w64-mingw32-gcc here (Debian: gcc-mingw-w64-x86-64)"
        return
    fi
    if ! ls "$(rustc --print target-libdir --target $windows)"/libstd-*.rlib >/dev/null 2>&1 && ! rustup target add $windows; then
        left_out "THE WINDOWS PACKAGE" "Rust cannot build for it here: rustup target add $windows"
        return
    fi
    cargo build --locked --quiet -p modelens --profile "$profile" --target $windows
    local name=modelens-$version-$windows
    local folder=$work/zip/$name
    texts "$folder"
    # The linker writes the time into the file unless it is told not to.
    x86_64-w64-mingw32-strip --strip-debug -o "$folder/modelens.com" "$(built modelens.exe $windows)"
    local numbers=${version//./,},0
    cat >"$work/launcher.rc" <<RESOURCE
1 ICON "$PWD/assets/icon/modelens.ico"
1 VERSIONINFO
FILEVERSION $numbers
PRODUCTVERSION $numbers
BEGIN
  BLOCK "StringFileInfo"
  BEGIN
    BLOCK "040904b0"
    BEGIN
      VALUE "FileDescription", "modelens: training and inference side by side"
      VALUE "FileVersion", "$version"
      VALUE "ProductName", "modelens"
      VALUE "ProductVersion", "$version"
      VALUE "OriginalFilename", "modelens.exe"
      VALUE "LegalCopyright", "MIT OR Apache-2.0"
    END
  END
  BLOCK "VarFileInfo"
  BEGIN
    VALUE "Translation", 0x0409, 1200
  END
END
RESOURCE
    x86_64-w64-mingw32-windres "$work/launcher.rc" -O coff -o "$work/launcher.o"
    rustc --edition 2024 --target $windows -C opt-level=s -C strip=symbols -C link-arg="$work/launcher.o" \
        -C link-arg=-Wl,--no-insert-timestamp -o "$folder/modelens.exe" packaging/windows/launcher.rs
    python3 packaging/pack.py "$work/zip" "$out/$name.zip"
}

make_web() {
    local status=0 web_profile=web
    [ "$profile" = release ] || web_profile=$profile
    # A page that is there is not built again for a check of the packages.
    if [ "$profile" = release ] || [ ! -f web/dist/index.html ]; then web/build.sh "$web_profile" || status=$?; fi
    case $status in
    0) python3 packaging/pack.py web/dist "$out/modelens-$version-web.zip" "modelens-$version-web/" ;;
    3) left_out "THE WEB BUILD" "its tools cannot be had here" ;;
    *) exit $status ;;
    esac
}

make_wheels() {
    if ! maturin --version >/dev/null 2>&1; then
        left_out "THE WHEELS" "there is no maturin here (pip install maturin)"
        return
    fi
    if [ ! -f web/dist/index.html ]; then
        left_out "THE WHEELS" "there is no web build"
        return
    fi
    local package=python/src/modelens_notebook platforms=("") platform
    if command -v x86_64-w64-mingw32-gcc >/dev/null && [ -f "$(built modelens.exe $windows)" ]; then
        platforms+=("$windows")
    else
        left_out "THE WHEEL FOR WINDOWS" "the Windows package comes first"
    fi
    # The page takes its networks from the program beside it.
    rm -rf $package/web && cp -r web/dist $package/web
    rm $package/web/*.keras $package/web/*.safetensors
    for platform in "${platforms[@]}"; do
        (cd python && maturin build --locked --quiet --profile "$profile" --strip --out "$out" ${platform:+--target "$platform"})
    done
    rm -rf $package/web
}

for part in "${parts[@]}"; do
    case $part in
    linux | windows | web | wheels) echo "== $part" && "make_$part" ;;
    *) echo "there is no part $part: linux, windows, web, wheels" >&2 && exit 2 ;;
    esac
done
(cd "$out" && rm -f SHA256SUMS && find . -maxdepth 1 -type f -printf '%P\n' | sort | xargs sha256sum >"$work/sums" && mv "$work/sums" SHA256SUMS)
ls -l "$out"
exit $missing
