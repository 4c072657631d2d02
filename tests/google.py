"""Google Cloud Storage on the loopback: its XML interface, as far as obstore uses it, from memory."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

_FRAME = '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://doc.s3.amazonaws.com/2006-03-01">'
_PAGE = 20
"""Files of a page; a server may list fewer than it is asked for."""


def account(address: str) -> str:
    """The key of a service account whose requests go to an address, unsigned."""
    names = ("client_email", "private_key", "private_key_id")
    return json.dumps(dict.fromkeys(names, "") | {"gcs_base_url": address, "disable_oauth": True})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    files: dict[str, tuple[bytes, int]]
    """Bucket and key → bytes and generation."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    @property
    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).strip("/")

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            wanted = self.headers.get("x-goog-if-generation-match")
            there = self.files.get(self._key, (b"", 0))[1]
            if wanted is not None and int(wanted) != there:
                self._answer(412)
                return
            self.files[self._key] = data, there + 1
        self._answer(200, self._told(self._key))

    def do_DELETE(self) -> None:
        with self.lock:
            found = self.files.pop(self._key, None)
        self._answer(404 if found is None else 204)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if "list-type" in query:
            self._list(query)
            return
        found = self.files.get(self._key)
        if found is None:
            self._answer(404)
            return
        data, headers = found[0], self._told(self._key)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if self.headers.get("If-Match", headers["ETag"]) != headers["ETag"]:
            self._answer(412)
        elif wanted is None:
            self._answer(200, headers, data)
        elif int(wanted[1]) >= len(data):
            self._answer(416, {"Content-Range": f"bytes */{len(data)}"})
        else:
            first, last = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            self._answer(206, headers, data[first : last + 1])

    def _list(self, query: dict[str, str]) -> None:
        bucket, start = f"{self._key}/", query.get("continuation-token", "")
        prefix = f"{bucket}{query.get('prefix', '')}"
        with self.lock:
            keys = sorted(key for key in self.files if key.startswith(prefix) and key > start)
            page = [(key, self.files[key][0], self._told(key)["ETag"]) for key in keys[:_PAGE]]
        parts = [
            f"<Contents><Key>{escape(key.removeprefix(bucket))}</Key><Size>{len(data)}</Size><ETag>{escape(tag)}</ETag>"
            "<LastModified>2024-01-01T00:00:00.000Z</LastModified></Contents>"
            for key, data, tag in page
        ]
        more = f"<NextContinuationToken>{escape(page[-1][0])}</NextContinuationToken>" if len(keys) > _PAGE else ""
        body = f"{_FRAME}<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}{''.join(parts)}</ListBucketResult>"
        self._answer(200, {"Content-Type": "application/xml"}, body.encode())

    def _told(self, key: str) -> dict[str, str]:
        data, generation = self.files[key]
        return {
            "ETag": f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"',
            "x-goog-generation": str(generation),
            "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT",
        }

    def _answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in ((headers or {}) | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def running() -> Iterator[str]:
    """Serve until the block ends; the address."""
    own: Any = type("Handler", (_Handler,), {"files": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), own)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
