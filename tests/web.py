"""A web server on the loopback that fails on demand."""

from __future__ import annotations

import gzip
import threading
from base64 import b64decode
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


CUT = -1


@dataclass
class FaultyServer:
    """Serves a folder with ranges until `good` requests were answered, then fails `status` or hangs."""

    root: Path
    good: int = 1_000_000
    status: int = 503
    hang: float = 0
    script: list[int] = field(default_factory=list)
    """Statuses of the next answers; 200 is a right one, `CUT` one whose body ends too early."""
    asks: str = "0"
    """Retry-After of such a status."""
    whole: dict[str, str] | None = None
    """Headers of answers that heed no range."""
    late: int = 0
    """Bytes by which ranges within a file begin too late, as their headers say."""
    stamps: dict[str, str] = field(default_factory=dict)
    """Headers that tell versions of files."""
    heads: int = 200
    """Status of answers to HEAD."""
    secret: str = ""
    """What a request must carry in its query or as its password."""
    redirect: dict[str, tuple[int, str]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    address: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    def fail(self, *, after: int = 0, status: int = 503) -> None:
        """Fail every request after so many more."""
        self.requests.clear()
        self.good, self.status = after, status

    def heal(self) -> None:
        """Answer everything again."""
        self.good = 1_000_000


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that went away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cut = False

    def __init__(self, faulty: FaultyServer, *args: Any) -> None:
        self.faulty = faulty
        super().__init__(*args)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(body=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""

    def _answer(self, *, body: bool) -> None:
        faulty = self.faulty
        faulty.requests.append(self.path)
        if self._answered_otherwise(body=body):
            return
        path = faulty.root / unquote(self.path.split("?")[0]).strip("/")
        if len(faulty.requests) > faulty.good or not path.is_file():
            self._send(faulty.status if len(faulty.requests) > faulty.good else 404, b"", {})
            return
        data, status, headers = path.read_bytes(), 200, {"Accept-Ranges": "bytes"} | faulty.stamps
        if faulty.whole is not None:
            self._send_whole(data, faulty.whole)
            return
        if wanted := self.headers.get("Range"):
            first, last = wanted.removeprefix("bytes=").split("-")
            whole, status = len(data), 206
            if int(first) >= whole:
                self._send(416, b"", {"Content-Range": f"bytes */{whole}"})
                return
            if int(first):
                first, last = str(int(first) + faulty.late), str(int(last or whole) + faulty.late)
            data = data[int(first) : int(last or whole) + 1]
            headers["Content-Range"] = f"bytes {first}-{int(first) + len(data) - 1}/{whole}"
        self._send(status, data, headers, body=body)

    def _answered_otherwise(self, *, body: bool) -> bool:
        """Answer as a server in trouble, if this one is."""
        faulty = self.faulty
        login = b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        scripted = faulty.script.pop(0) if faulty.script else 200
        if faulty.hang:
            faulty.closing.wait(faulty.hang)
            self.close_connection = True
        elif not body and faulty.heads != 200:
            self._send(faulty.heads, b"", {}, body=False)
        elif faulty.secret not in self.path + login:
            self._send(403, b"", {})
        elif self.path in faulty.redirect:
            status, target = faulty.redirect[self.path]
            self._send(status, b"", {"Location": target})
        elif scripted == CUT:
            self.close_connection = self.cut = True
            return False
        elif scripted != 200:
            self._send(scripted, b"", {"Retry-After": faulty.asks})
        else:
            return False
        return True

    def _send_whole(self, data: bytes, headers: dict[str, str]) -> None:
        if "Content-Encoding" in headers:
            data = gzip.compress(data)
        if "Transfer-Encoding" in headers:
            parts = [data[at : at + 9999] for at in range(0, len(data), 9999)]
            data = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])
        else:
            headers = headers | {"Content-Length": str(len(data))}
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if self.cut else data)

    def _send(self, status: int, data: bytes, headers: dict[str, str], *, body: bool = True) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(data))}).items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data[: len(data) // 2] if self.cut else data)


@contextmanager
def serving(folder: Path) -> Iterator[FaultyServer]:
    """Serve a folder on the loopback."""
    state = FaultyServer(folder)
    server = _QuietServer(("127.0.0.1", 0), partial(_Handler, state))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        state.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
