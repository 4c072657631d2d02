"""A web server on the loopback that serves made-up files and injects faults by path."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def content(path: str, size: int) -> bytes:
    """The true bytes of a path."""
    seed = hashlib.sha256(path.encode()).digest()
    return (seed * (size // 32 + 1))[:size]


@dataclass
class Faulty:
    """What the server does: `fault(path, count)` names the fault of the count-th request for a path, from 1."""

    size: int = 60_000
    fault: Callable[[str, int], str | None] = lambda _path, _count: None
    files: Callable[[str], bytes] | None = None
    etags: bool = True
    address: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    requests: list[tuple[str, str, float, str | None]] = field(default_factory=list)

    def truth(self, path: str) -> bytes:
        return self.files(path) if self.files is not None else content(path, self.size)

    def gets(self) -> list[str]:
        return [path for method, path, _, _ in self.requests if method == "GET"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, faulty: Faulty, *args: Any) -> None:
        self.faulty = faulty
        super().__init__(*args)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._serve("HEAD")

    def do_GET(self) -> None:
        self._serve("GET")

    def _serve(self, method: str) -> None:
        path = self.path.lstrip("/")
        faulty = self.faulty
        faulty.requests.append((method, path, time.monotonic(), self.headers.get("Range")))
        if method == "GET":
            faulty.counts[path] += 1
        fault = faulty.fault(path, faulty.counts[path])
        if fault is not None and fault.isdigit():
            self._head(int(fault), 0)
            return
        if fault is not None and fault.startswith("503 "):
            self._head(503, 0, {"Retry-After": fault.split()[1]})
            return
        if fault == "drop":
            self.close_connection = True
            return
        self._body(method, path, fault)

    def _body(self, method: str, path: str, fault: str | None) -> None:
        try:
            data = self.faulty.truth(path)
        except KeyError:
            self._head(404, 0)
            return
        whole, first = len(data), 0
        if wanted := self.headers.get("Range"):
            first = int(wanted.removeprefix("bytes=").split("-")[0])
            data = data[first:]
        if fault == "flip":
            data = bytes([data[0] ^ 1]) + data[1:]
        headers = {"ETag": f'"{hashlib.md5(path.encode(), usedforsecurity=False).hexdigest()}-1"'}
        if wanted:
            headers["Content-Range"] = f"bytes {first}-{whole - 1}/{whole}"
        if fault == "chunk":
            self._cut_chunks(data)
            return
        self._head(206 if wanted else 200, len(data), headers)
        if method == "GET":
            self.wfile.write(data[: len(data) // 2] if fault == "short" else data)
        self.close_connection = fault == "short"

    def _cut_chunks(self, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n" % len(data) + data[: len(data) // 2])
        self.close_connection = True

    def _head(self, status: int, length: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ((headers or {}) | {"Content-Length": str(length)}).items():
            self.send_header(name, value)
        self.end_headers()


@contextmanager
def serving(faulty: Faulty, port: int = 0) -> Iterator[Faulty]:
    """Serve until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, faulty))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    faulty.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield faulty
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
