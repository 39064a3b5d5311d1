"""The whole program in an output cell, for a front end that reaches no server of the kernel."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from . import _page, _web

#: The scripts of the page in the order in which they import each other.
SCRIPTS = ("fetched.js", "interrupts.js", "modelens_web.js", "program.js", "outside.js", "mirror.js", "worker.js", "page.js")
#: The build that every browser runs: a cell does not know which one shows it.
PROGRAM = "modelens_web_bg.wasm"
LAB = "lab_mobilenetv2.keras"
PHOTOS = "photos.tar"

# The outer document is what notebooks show; the inner one is the page, which takes messages from its parent alone.
_OUTER = r"""<!doctype html>
<html lang="en"><meta charset="utf-8">
<style>
  :root { color-scheme: light dark; }
  html, body { margin: 0; height: 100%; overflow: hidden; display: flex; flex-direction: column; font: 12px system-ui, sans-serif; }
  iframe { border: 0; width: 100%; flex: 1; }
  output { padding: 4px 8px; white-space: nowrap; overflow: auto; color: GrayText; }
</style>
<iframe title="modelens"></iframe>
<output aria-label="State"></output>
<script type="module">
  const packed = __FILES__, given = __GIVEN__;
  const frame = document.querySelector("iframe"), said = document.querySelector("output");
  const unpacked = async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).blob();
  };
  const files = {};
  for (const [name, text] of Object.entries(packed)) files[name] = await unpacked(text);
  const urls = {};
  const put = (name, blob) => (urls[name] = URL.createObjectURL(blob));
  for (const name of __DATA__) if (files[name]) put(name, files[name]);
  for (const name of __SCRIPTS__) {
    let text = await files[name].text();
    // Scripts without an address of their own find the others by the addresses that they were given.
    for (const [other, url] of Object.entries(urls)) text = text.replaceAll(`"./${other}"`, JSON.stringify(url));
    text = text.replaceAll("new URL(address, import.meta.url)", `new URL(${JSON.stringify(urls)}[address] ?? address)`);
    text = text.replaceAll('"./worker.js?model"', JSON.stringify(urls["worker.js"]));
    text = text.replace(/\b(self\.)?location\.search\b/g, given.search);
    put(name, new Blob([text], { type: "text/javascript" }));
  }
  addEventListener("message", ({ data, source }) => {
    if (source !== frame.contentWindow) return;
    if (data.modelens === "failed") said.textContent = data.text;
    if (data.modelens === "state") said.textContent = `state: ${data.state}`;
    if (data.modelens !== "ready") return;
    const file = (name) => ({ name, bytes: files[`given/${name}`] });
    const message = { modelens: "open", state: given.state };
    if (given.model.length) message.model = { ...file(given.model[0]), beside: given.model.slice(1).map(file) };
    if (given.photos.length) message.photos = file(given.photos[0]);
    frame.contentWindow.postMessage(message, "*");
  });
  let text = await files["index.html"].text();
  text = text.replace('<script src="check.js"></scr' + "ipt>", () => "<script>" + packedCheck + "</scr" + "ipt>");
  text = text.replace('src="page.js"', `src="${urls["page.js"]}"`).replace('href="icon.svg"', 'href="data:,"');
  frame.srcdoc = text;
</script>
"""


def document(model: Sequence[Path], photos: Sequence[Path], state: str) -> str:
    """The document: the program, and the files that it opens."""
    folder = _web.folder()
    needed = ["index.html", *SCRIPTS, PROGRAM]
    if not model:
        needed.append(LAB)
    # The program begins with its bundled photos in any case.
    needed.append(PHOTOS)
    packed = {name: _packed(_web.file(name) or folder / name) for name in needed}
    for path in (*model, *photos):
        packed[f"given/{path.name}"] = _packed(path)
    given = {
        "model": [path.name for path in model],
        "photos": [path.name for path in photos],
        "state": state,
        # What the address of a page says elsewhere.
        "search": json.dumps("?embed&plain&model" if model else "?embed&plain"),
    }
    values = {
        "__FILES__": json.dumps(packed),
        "__GIVEN__": _in_script(given),
        "__DATA__": json.dumps([PROGRAM, LAB, PHOTOS]),
        "__SCRIPTS__": json.dumps(SCRIPTS),
        "packedCheck": _in_script((folder / "check.js").read_text(encoding="utf-8")),
    }
    text = _OUTER
    for key, value in values.items():
        text = text.replace(key, value)
    return text


def _in_script(value: object) -> str:
    # A text that ends the script would end it anywhere.
    return json.dumps(value).replace("<", "\\u003c")


def _packed(path: Path) -> str:
    # No date: the same files give the same cell.
    return base64.b64encode(gzip.compress(path.read_bytes(), 9, mtime=0)).decode()


def frame(model: Sequence[Path], photos: Sequence[Path], state: str, height: int) -> str:
    """The document in an iframe."""
    text = document(model, photos, state)
    name = f"modelens-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return _page.cell(name, height, srcdoc=text)
