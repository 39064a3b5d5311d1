#!/usr/bin/env bash
# Makes architectures.md: compares every architecture in its framework and in `modelens run`.
# usage: docs/architectures.sh MODELENS [PYTHON]     (PYTHON has tensorflow, tf_keras, torch, torchvision, timm,
# onnx, onnxruntime, onnxscript and tf2onnx)
# Takes tens of minutes. Exit status 1 if a row is above the limit.
set -uo pipefail
modelens=$(realpath "$1") python=${2:-python3}
here=$(dirname "$(realpath "$0")")
generators=$here/../tests/fixtures/generators
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
status=0
for framework in keras3 keras2; do
    "$python" "$generators/architectures.py" $framework "$modelens" --work "$work" >"$work/$framework.md" || status=1
done
"$python" "$generators/architectures_pytorch.py" "$modelens" --work "$work" >"$work/pytorch.md" || status=1
"$python" "$generators/architectures_pt2.py" "$modelens" --work "$work" >"$work/pt2.md" || status=1
"$python" "$generators/architectures_onnx.py" "$modelens" --work "$work" >"$work/onnx.md" || status=1
versions=$("$python" -c 'from importlib.metadata import PackageNotFoundError, version
def line(name):
    try: return [f"{name} {version(name)}"]
    except PackageNotFoundError: return []
names = ["tensorflow", "keras", "tf_keras", "torch", "torchvision", "timm", "onnx", "onnxruntime", "onnxscript", "tf2onnx"]
print(", ".join(x for name in names for x in line(name)))')
{
    cat <<TEXT
# Every architecture compared with its framework

Each network is built by its framework with random weights, saved, and given a few random photos in both modes, by the
framework and by \`modelens run\`; dropout and stochastic depth are off on both sides. The numbers are the
largest differences, relative to the largest value: of the outputs in inference, of the outputs in training, and of the
moving statistics after the training pass. A row passes if all three are at most 1e-4. Nothing is downloaded.

Frameworks: $versions.

This command makes the page:

    cargo build --release && docs/architectures.sh target/release/modelens

The random weights fit each other: moving statistics are near the statistics of what each BatchNorm receives, and most
of beta is above 0. With other weights the values or the rounding errors grow from layer to layer, until the framework in
float32 differs from itself in float64 by more than 1e-4. Networks without BatchNorm (VGG, ConvNeXt, transformers) have
no moving statistics: their column shows 0.
TEXT
    for table in "Keras 3:keras3" "Keras 2:keras2" "PyTorch:pytorch" "Exported programs of PyTorch:pt2" "ONNX:onnx"; do
        printf '\n## %s\n\n' "${table%%:*}"
        # The table of ONNX files has one column more in front and no moving statistics.
        onnx=0
        if [ "${table##*:}" = onnx ]; then
            onnx=1
            cat <<TEXT
The same networks as their exporters write them, compared with onnxruntime in inference and, if the file keeps BatchNorm
and comes from PyTorch, with PyTorch in \`.train()\`. Writers: torch (the current exporter) and torch legacy, which both fold
most of BatchNorm into the convolutions; torch kept (legacy, \`training=PRESERVE\`), which does not; Keras' export, which
is tf2onnx; and tf2onnx on Keras' SavedModel, if Keras' export leaves out constants and its file does not run. A dash
means that there is nothing to compare. Refused files do not open; the error names the operator.

TEXT
        fi
        awk -F'|' -v onnx=$onnx 'NR > 2 { rows++; for (i = 5; i < 8; i++) if ($(i + onnx) + 0 > most[i]) most[i] = $(i + onnx) + 0; fail += /FAIL/; refused += /\| refused \|/ }
            END { printf "%d rows, %d above the limit; the largest: %.1e in inference, %.1e in training", rows, fail, most[5], most[6]
                  if (!onnx) printf ", %.1e of the statistics", most[7]
                  if (refused) printf "; %d refused", refused
                  printf ".\n\n" }' "$work/${table##*:}.md"
        cat "$work/${table##*:}.md"
    done
} >"$work/page.md"
mv "$work/page.md" "$here/architectures.md"
exit $status
