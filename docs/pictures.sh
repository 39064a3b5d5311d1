#!/bin/sh
# Makes the pictures of the README. Running it again changes no byte.
set -eu
cd "$(dirname "$0")/.."
modelens() { cargo run --quiet --locked --release -- "$@"; }
modelens figure augmentation --caption --out docs/augmentation.png
for view in batchnorm dropout trainable; do
    modelens figure $view --caption --scale 2 --out docs/$view.png
done
