"""A web server with latency, in a process of its own: `python -m benchmarks.race_server FOLDER SECONDS`.

It prints its port, serves ranges after a pause, and answers `/count` with requests and bytes since it last did.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, root: Path, pause: float, count: list[int], *args: Any) -> None:
        self.root, self.pause, self.count = root, pause, count
        super().__init__(*args)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        if self.path == "/count":
            text = f"{self.count[0]} {self.count[1]}".encode()
            self.count[:] = [0, 0]
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            return
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        time.sleep(self.pause)
        path = self.root / self.path.lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        size = path.stat().st_size
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        start, stop = (int(asked[1]), min(int(asked[2]) + 1, size)) if asked else (0, size)
        self.send_response(206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{size}-{path.stat().st_mtime_ns}"')
        self.send_header("Content-Length", str(stop - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.end_headers()
        sent = 0
        if body:
            with path.open("rb") as file:
                sent = os.sendfile(self.wfile.fileno(), file.fileno(), start, stop - start)
                while start + sent < stop:
                    sent += os.sendfile(self.wfile.fileno(), file.fileno(), start + sent, stop - start - sent)
        self.count[0] += 1
        self.count[1] += sent

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that went away."""


@contextmanager
def served(folder: Path, pause: float) -> Iterator[str]:
    """A folder on the loopback, by another process.

    Yields:
        Its address.
    """
    command = [sys.executable, "-m", "benchmarks.race_server", str(folder), str(pause)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def counted(address: str) -> tuple[int, int]:
    """Requests and bytes since the last call."""
    with urllib.request.urlopen(f"{address}/count") as response:  # noqa: S310 - the loopback
        requests, size = response.read().split()
    return int(requests), int(size)


def main(folder: str, pause: str) -> None:
    """Serve until standard input ends."""
    with _Server(("127.0.0.1", 0), partial(_Handler, Path(folder), float(pause), [0, 0])) as server:
        print(server.server_address[1], flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
