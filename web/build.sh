#!/usr/bin/env bash
# Builds web/dist: the page, for any static host.
# usage: web/build.sh [PROFILE]   web, the default, is small; dev builds quickly, for trying a change
# Exit status 3: a tool is missing and cannot be installed.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
target=wasm32-unknown-unknown
profile=${1:-web}
if ! ls "$(rustc --print target-libdir --target $target)"/libstd-*.rlib >/dev/null 2>&1; then
    rustup target add $target || { echo "Rust cannot build for $target here: rustup target add $target" >&2; exit 3; }
fi
# The tool must have the very version of the library.
version=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/[^0-9.]/, ""); print }' Cargo.lock)
tools=${XDG_CACHE_HOME:-$HOME/.cache}/modelens-tools/wasm
bindgen=$tools/bin/wasm-bindgen
if [ "$("$bindgen" --version 2>/dev/null | awk '{ print $2 }')" != "$version" ]; then
    CARGO_TARGET_DIR=$tools/target cargo install --quiet --root "$tools" --version "$version" wasm-bindgen-cli ||
        { echo "wasm-bindgen $version cannot be installed here" >&2; exit 3; }
    rm -rf "$tools/target"
fi
# getrandom asks for its back end by a flag; 128-bit vectors are in every browser since 2023. Without loop
# strength reduction, loads keep constant offsets: a pass takes 7 % less time, and the code is smaller.
flags='--cfg getrandom_backend="wasm_js" -C target-feature=+simd128 -C llvm-args=-disable-lsr'
built=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
dist=web/dist
rm -rf $dist && mkdir -p $dist
# Two builds: see program.js.
builds=(modelens_web modelens_web_relaxed)
for name in "${builds[@]}"; do
    features=()
    [ "$name" = modelens_web ] || features=(--features relaxed-simd)
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=$flags \
        cargo build --locked --quiet --profile "$profile" --target $target -p modelens-web "${features[@]}"
    "$bindgen" --target web --no-typescript --out-name "$name" --out-dir $dist "$built/$target/${profile/#dev/debug}/modelens_web.wasm"
    [ "$name" = modelens_web ] || python3 web/exact_minima.py $dist/${name}_bg.wasm
done
cp web/index.html web/*.js $dist/
cp assets/icon/modelens.svg $dist/icon.svg
cp assets/base/lab_mobilenetv2.keras assets/base/efficientnet_lite0.safetensors $dist/
# The same bytes on every machine.
tar --create --file $dist/photos.tar --directory assets/photos --sort=name --owner=0 --group=0 --numeric-owner \
    --mtime='2026-01-01 00:00Z' --mode=u=rw,go=r,a+X .
[ "$profile" = web ] || exit 0
# What a host sends: one of the builds, compressed.
limit=$((5 << 20))
for name in "${builds[@]}"; do
    size=$(cat $dist/${name}_bg.wasm $dist/$name.js web/*.js | gzip -9 | wc -c)
    echo "web/dist: $size bytes of code compressed with $name, limit $limit"
    [ "$size" -le $limit ] || { echo "the page's code is too large" >&2; exit 1; }
done
