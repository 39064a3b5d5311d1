#!/usr/bin/env bash
# Makes architectures.md beside it: every architecture through its framework and through `modelens run`.
# usage: docs/architectures.sh MODELENS [PYTHON]     (PYTHON has tensorflow, tf_keras, torch, torchvision, timm,
# onnx, onnxruntime, onnxscript and tf2onnx)
# Takes tens of minutes. Exit status 1 where a row is above the limit, as the table then says.
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
"$python" "$generators/architectures_onnx.py" "$modelens" --work "$work" >"$work/onnx.md" || status=1
versions=$("$python" -c 'from importlib.metadata import PackageNotFoundError, version
def line(name):
    try: return [f"{name} {version(name)}"]
    except PackageNotFoundError: return []
names = ["tensorflow", "keras", "tf_keras", "torch", "torchvision", "timm", "onnx", "onnxruntime", "onnxscript", "tf2onnx"]
print(", ".join(x for name in names for x in line(name)))')
{
    cat <<TEXT
# Every architecture beside its framework

Each network is built by its framework with random weights, saved, and given a few random photos in both modes, by the
framework and by \`modelens run\`; dropout and stochastic depth are off on both sides. A number is the largest
difference as a part of the largest value, of the outputs in inference and in training, and of the moving statistics
after the training pass. A row passes where all three are at most 1e-4. Nothing is downloaded.

Frameworks: $versions.

The command that makes this page:

    cargo build --release && docs/architectures.sh target/release/modelens

The weights are drawn so that they fit each other: moving statistics near those of what each BatchNorm receives, and
most of beta above 0. With others the values grow, or roundings are enlarged, from layer to layer, until the framework
in float32 is itself more than 1e-4 from the framework in float64. Networks without BatchNorm (VGG, ConvNeXt) have no
moving statistics: 0 stands there.
TEXT
    for table in "Keras 3:keras3" "Keras 2:keras2" "PyTorch:pytorch" "ONNX:onnx"; do
        printf '\n## %s\n\n' "${table%%:*}"
        # An ONNX file has no moving statistics to compare, and its table another column in front.
        onnx=0
        if [ "${table##*:}" = onnx ]; then
            onnx=1
            cat <<TEXT
The same networks as their exporters write them, beside onnxruntime in inference and, where the file keeps BatchNorm and
comes from PyTorch, beside PyTorch in \`.train()\`. Writers: torch (today's exporter) and torch legacy, which both fold
most of BatchNorm into the convolutions; torch kept (legacy, \`training=PRESERVE\`), which does not; Keras' export, which
is tf2onnx; and tf2onnx on Keras' SavedModel, where Keras' export leaves out constants and its file does not run. A dash:
nothing to compare. Refused: the file is not opened, and the sentence says which operator.

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
