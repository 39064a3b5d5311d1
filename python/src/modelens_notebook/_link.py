"""States of the window as one line: ``#v1;view=batchnorm;channel=7``."""

from __future__ import annotations

import json
from urllib.parse import quote, unquote

from ._binary import ModelensError, call

START = "#v1"
# What may stay as it is in a value.
SAFE = "-_.~,:/[]{}\"'!*()@$&?"


def write(pairs: dict[str, object]) -> str:
    """Writes settings as a link; ``None`` leaves one out, and ``_`` in a key is ``-``."""
    link = START
    for key, value in pairs.items():
        if value is not None:
            link += f";{key.replace('_', '-')}={quote(_text(value), safe=SAFE)}"
    return link


def _text(value: object) -> str:
    """A value as TOML writes it; a plain word needs no quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(json.dumps(one) if isinstance(one, str) else _text(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key.replace('_', '-')} = {_quoted(one)}" for key, one in value.items()) + "}"
    text = str(value)
    plain = text[:1].isalpha() and text not in ("true", "false", "inf", "nan")
    return text if plain else json.dumps(text, ensure_ascii=False)


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else _text(value)


def read(state: str) -> str:
    """The link in a text that may have an address before it."""
    at = state.rfind("#v")
    if at < 0:
        raise ModelensError(f"this is no state, which begins with #v1: {state}")
    return state[at:].strip()


def checked(link: str) -> str:
    """The link, which the program has read: its sentence becomes an error here, not in the window."""
    call(["link", link])
    return link


def without_files(link: str, token: str) -> str:
    """A link without what it says of files that only this process serves."""
    parts = link.split(";")
    served = (f"/{token}/", "/Given ", "/Dropped ", "/Chosen ")
    kept = [
        part
        for part in parts
        if not (part.startswith(("model=", "photos=")) and any(one in unquote(part) for one in served))
    ]
    return ";".join(kept)
