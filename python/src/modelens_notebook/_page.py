"""The page around the program in an output cell: it hands over the state and tells what is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>modelens</title>
<style>
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
