"""The page around the program in an output cell: it hands over the state and tells what is shown."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>modelens</title>
<style>
  /* The program inside takes the theme that the notebook gives this page. */
  :root { color-scheme: light dark; }
  html, body { margin: 0; height: 100%; overflow: hidden; }
  iframe { display: block; border: 0; width: 100%; height: 100%; }
</style>
<body>
<script>
  const given = __GIVEN__;
  const here = (end) => new URL(end, location.href).href;
  const query = new URLSearchParams({ embed: location.origin });
  for (const key of ["model", "photos", "lesson"]) for (const end of given[key]) query.append(key, here(end));
  const frame = document.createElement("iframe");
  frame.title = "modelens";
  frame.src = here("../../app/") + "?" + query + given.state;
  const tell = (message) => fetch("told", { method: "POST", body: JSON.stringify(message) });
  let waiting;
  addEventListener("message", ({ data, source }) => {
    if (source !== frame.contentWindow || !data?.modelens) return;
    // Whoever shows this page may know that it is alive.
    parent.postMessage({ modelens: data.modelens }, "*");
    if (data.modelens === "failed") tell(data);
    if (data.modelens !== "state") return;
    // A slider tells many states.
    clearTimeout(waiting);
    waiting = setTimeout(() => tell(data), 150);
  });
  document.body.append(frame);
</script>
"""


def page(model: Sequence[str], photos: Sequence[str], lesson: Sequence[str], state: str) -> str:
    """The page; the files are the ends of their addresses below it."""
    given = {"model": list(model), "photos": list(photos), "lesson": list(lesson), "state": state}
    # A text that ends the script would end it anywhere.
    return _PAGE.replace("__GIVEN__", json.dumps(given).replace("<", "\\u003c"))


# JupyterLab, Notebook 7 and VS Code say their theme on the body; other front ends have that of the system.
_THEME = """<script>(() => {
  const frame = document.getElementById("__NAME__"), body = document.body;
  const follow = () => {
    const said = body.dataset.jpThemeLight;
    const dark = said === "false" || /\\bvscode-(dark|high-contrast)\\b/.test(body.className);
    const light = said === "true" || /\\bvscode-light\\b/.test(body.className);
    frame.style.colorScheme = dark ? "dark" : light ? "light" : "";
  };
  follow();
  new MutationObserver(follow).observe(body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light"] });
})();</script>"""


def cell(name: str, height: int, *, src: str = "", srcdoc: str = "") -> str:
    """An iframe for an output cell, in the theme of the notebook; ``name`` is its id."""
    style = f"border:1px solid #80808066;border-radius:8px;box-sizing:border-box;width:100%;height:{height}px"
    content = f'srcdoc="{html.escape(srcdoc)}"' if srcdoc else f'src="{html.escape(src)}" allow="clipboard-read; clipboard-write"'
    return f'<iframe id="{name}" {content} style="{style}" title="modelens"></iframe>{_THEME.replace("__NAME__", name)}'
