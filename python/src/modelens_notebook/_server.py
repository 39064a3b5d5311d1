"""A small server on this machine: the web build, and the files that were given to ``show``."""

from __future__ import annotations

import json
import mimetypes
import secrets
import shutil
import threading
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from . import _web
from ._binary import ModelensError

#: The most bytes of a message from a page; a link has at most 16 kB.
MOST_OF_A_MESSAGE = 64 << 10
#: The most widgets that are served at the same time.
MOST_SHOWN = 64
# What the system's table may lack or have otherwise.
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".wasm": "application/wasm", ".svg": "image/svg+xml"}


class Shown(Protocol):
    """What the server asks of a widget."""

    def page(self) -> str:
        """The page around the program."""

    def files(self) -> dict[str, Path]:
        """The files that the page may read, by the end of their address."""

    def told(self, message: dict[str, object]) -> None:
        """Takes a message of the page."""


class Server:
    """Serves on a free port of 127.0.0.1. Every address begins with a token, so no other page can guess one."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(16)
        # Says at once that there is no page.
        _web.folder()
        self._shown: dict[str, Shown] = {}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, name="modelens-server", daemon=True).start()

    @property
    def port(self) -> int:
        """The port."""
        return int(self._http.server_address[1])

    def add(self, shown: Shown) -> str:
        """Serves a widget; returns the path of its page. The oldest of many widgets ends."""
        key = secrets.token_urlsafe(8)
        self._shown[key] = shown
        while len(self._shown) > MOST_SHOWN:
            del self._shown[next(iter(self._shown))]
        return f"/{self.token}/view/{key}/"

    def close(self) -> None:
        """Ends the server."""
        self._http.shutdown()
        self._http.server_close()

    def _find(self, path: str) -> tuple[str | Path | None, Shown | None]:
        """What an address means: a text or a file, and the widget that it belongs to."""
        parts = unquote(urlsplit(path).path).split("/", 4)
        if len(parts) < 4 or parts[0] or not secrets.compare_digest(parts[1].encode(), self.token.encode()):
            return None, None
        if parts[2] == "app":
            name = parts[3] or "index.html"
            return _web.file(name) if len(parts) == 4 else None, None
        if parts[2] == "view" and len(parts) == 5:
            shown = self._shown.get(parts[3])
            if shown is None:
                return None, None
            return (shown.files().get(parts[4]) if parts[4] else shown.page()), shown
        return None, None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                try:
                    found, _ = server._find(self.path)
                except ModelensError as error:
                    # The program that writes the page's networks has failed.
                    self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", str(error).encode())
                    return
                if found is None:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"not found")
                elif isinstance(found, str):
                    self._answer(HTTPStatus.OK, TYPES[".html"], found.encode())
                else:
                    self._file(found)

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                # The address of a widget's page, with `told` behind it.
                _, shown = server._find(self.path.removesuffix("told"))
                if shown is None or not self.path.endswith("/told") or length > MOST_OF_A_MESSAGE:
                    self.close_connection = True
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"not found")
                    return
                try:
                    message = json.loads(self.rfile.read(length))
                except ValueError:
                    message = None
                if isinstance(message, dict):
                    shown.told(message)
                self._answer(HTTPStatus.NO_CONTENT, "text/plain", b"")

            def _head(self, status: HTTPStatus, kind: str, length: int) -> None:
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(length))
                # The program never changes under a token; what it shows does.
                app = f"/{server.token}/app/" in self.path
                self.send_header("cache-control", "max-age=86400" if app else "no-store")
                self.send_header("referrer-policy", "no-referrer")
                self.end_headers()

            def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
                self._head(status, kind, len(body))
                self.wfile.write(body)

            def _file(self, path: Path) -> None:
                ending = path.suffix.lower()
                kind = TYPES.get(ending) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
                try:
                    with path.open("rb") as file:
                        self._head(HTTPStatus.OK, kind, path.stat().st_size)
                        shutil.copyfileobj(file, self.wfile)
                except FileNotFoundError:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"not found")
                except (BrokenPipeError, ConnectionResetError):
                    # The page was closed while it was loading.
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Keeps requests out of the notebook."""

        return Handler


@cache
def server() -> Server:
    """The server of this process, started when it is first needed."""
    return Server()
