#!/bin/sh
# Makes the pictures of the README and of docs/figures.md; running it again changes no byte. Set MODELENS to use a program that is
# already built.
set -eu
cd "$(dirname "$0")/.."
modelens() { ${MODELENS:-cargo run --quiet --locked --release --} "$@"; }
modelens figure augmentation --caption --out docs/augmentation.png
for view in start batchnorm dropout trainable predict; do
    modelens figure $view --caption --scale 2 --out docs/$view.png
done
mkdir -p docs/figures
modelens figure dropout --width 160mm --dpi 110 --out docs/figures/scaled.png
modelens figure dropout --width 160mm --text-size 8pt --dpi 110 --out docs/figures/laid-out.png
modelens figure dropout --animate --frames 6 --width 640px --out docs/figures/passes.gif
modelens figure finetune --caption --scale 2 --out docs/finetune.png
