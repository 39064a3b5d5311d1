#!/usr/bin/env bash
# Makes a paper, slides and a page of a book, each with figures of modelens: what an author would write.
# usage: docs/examples/make.sh [OUT_DIR]      MODELENS=FILE names a program that is already built
# The paper and the slides need pdflatex (Debian: texlive-latex-recommended texlive-pictures lmodern), the page needs
# Jupyter Book (pip install "jupyter-book<2"). What cannot be made here is left out, loudly, and the exit status is 3.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
out=$(realpath -m "${1:-$here/../../target/examples}")
modelens() { ${MODELENS:-cargo run --quiet --locked --release --manifest-path "$here/../../Cargo.toml" --} "$@"; }
missing=0
left_out() { echo "WARNING: $1 NOT MADE: $2" >&2; missing=3; }
rm -rf "$out"
mkdir -p "$out"/{paper,slides,book}

# The figures, with their captions.
modelens figure batchnorm --trainable all --width 7.16in --text-size 7pt --background white --caption-file tex \
    --out "$out/paper/batchnorm.pdf"
modelens figure predict --for ieee-column --caption-file tex --out "$out/paper/predict.pdf"
modelens figure trainable --for beamer --out "$out/slides/trainable.pdf"
modelens figure batchnorm --trainable all --animate --frames 3 --for beamer --out "$out/slides/moving-mean.pdf"
modelens figure predict --theme auto --background none --caption-file txt --out "$out/book/predict.svg"
modelens figure dropout --theme auto --background none --caption-file txt --out "$out/book/dropout.svg"

# Twice, for the references; what TeX says is shown where it fails.
latex() {
    cp "$here/$1.tex" "$out/$1/"
    for _ in 1 2; do
        (cd "$out/$1" && pdflatex -interaction=nonstopmode -halt-on-error "$1.tex" >said.txt) || { tail -20 "$out/$1/said.txt" >&2; exit 1; }
    done
    # What does not fit is a fault, too.
    if grep 'undefined references\|Overfull\|Float too large\|PDF inclusion' "$out/$1/said.txt" >&2; then exit 1; fi
    echo "$out/$1/$1.pdf"
}
if kpsewhich lmodern.sty beamer.cls pgf.sty >/dev/null 2>&1 && command -v pdflatex >/dev/null; then
    latex paper
    latex slides
else
    left_out "THE PAPER AND THE SLIDES" "there is no LaTeX here"
fi

if command -v jupyter-book >/dev/null; then
    cp "$here"/book/* "$out/book/"
    jupyter-book build --quiet --warningiserror "$out/book" >"$out/book/said.txt" 2>&1 || { tail -20 "$out/book/said.txt" >&2; exit 1; }
    echo "$out/book/_build/html/index.html"
else
    left_out "THE PAGE OF A BOOK" "there is no jupyter-book here"
fi
exit $missing
