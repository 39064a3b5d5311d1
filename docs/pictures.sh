#!/bin/sh
# Makes the pictures of the README; running it again changes no byte. Set MODELENS to use a program that is
# already built.
set -eu
cd "$(dirname "$0")/.."
modelens() { ${MODELENS:-cargo run --quiet --locked --release --} "$@"; }
modelens figure augmentation --caption --out docs/augmentation.png
for view in start batchnorm dropout trainable predict; do
    modelens figure $view --caption --scale 2 --out docs/$view.png
done
modelens figure finetune --caption --scale 2 --out docs/finetune.png
