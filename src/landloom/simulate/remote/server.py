"""A web server on the loopback with latency, bandwidth, faults and counts."""

from __future__ import annotations

import json
import re
import time
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from landloom.simulate.remote.behaviour import Behaviour, Line
from landloom.simulate.remote.content import DOCUMENT
from landloom.simulate.remote.loopback import LoopbackServer
from landloom.simulate.remote.tally import Tally

if TYPE_CHECKING:
    from landloom.simulate.remote.behaviour import Fault
    from landloom.simulate.remote.content import Content, Held

TALLY: Final = "/-/tally"
"""Path of the counts."""
BEHAVIOUR: Final = "/-/behaviour"
"""Path that a new behaviour is posted to; counts begin anew."""
_RANGE: Final = re.compile(r"bytes=(\d+)-(\d*)")
_LARGEST: Final = 1 << 24
_STATUS: Final = {"503": 503, "404": 404}


class RemoteServer(LoopbackServer):
    """Serves content on 127.0.0.1 inside a `with` block.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from urllib.request import urlopen
        >>> from landloom.simulate.remote.content import FolderContent
        >>> with TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a.txt").write_text("text")
        ...     with RemoteServer(FolderContent(Path(folder))) as server, urlopen(server.address + "/a.txt") as answer:
        ...         answer.read(), server.tally.document()["requests"]
        (b'text', {'header': 1})
    """

    def __init__(self, content: Content, behaviour: Behaviour | None = None) -> None:
        """Set what is served and how; any free port is taken."""
        self._content = content
        self.behave(behaviour or Behaviour())
        super().__init__(partial(_Handler, self))

    def behave(self, behaviour: Behaviour) -> None:
        """Behave so from now on, and count anew."""
        self.behaviour, self.line, self.tally = behaviour, Line(behaviour.bandwidth), Tally()
        self._since = time.process_time()
        self._met: dict[str, int] = {}
        """Request that met a fault → times it was sent: the others need not be remembered."""

    def counted(self) -> Tally:
        """The counts so far."""
        self.tally.seconds = time.process_time() - self._since
        return self.tally

    def find(self, path: str, query: str, body: bytes) -> Held | None:
        """What lies at a path."""
        return self._content.find(path, query, body, self.address)

    def fault(self, request: str) -> Fault | None:
        """The fault of a request, which then counts as sent."""
        times = self._met.get(request, 0)
        found = self.behaviour.fault(request, times)
        if found is not None or times:
            self._met[request] = times + 1
        return found


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, server: RemoteServer, *args: Any) -> None:
        self.remote = server
        super().__init__(*args)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Say what there is."""
        self._answer(b"")

    def do_GET(self) -> None:
        """Send it, or the counts."""
        if self.path == TALLY:
            self._send_json(self.remote.counted().document())
        else:
            self._answer(b"")

    def do_POST(self) -> None:
        """Search, or take another behaviour."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _LARGEST))
        if self.path == BEHAVIOUR:
            self.remote.behave(Behaviour.parse(json.loads(body)))
            self._send_json({})
        else:
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        parts, remote = urlsplit(self.path), self.remote
        asked = self.headers.get("Range", "")
        time.sleep(remote.behaviour.latency)
        found = remote.find(unquote(parts.path), parts.query, body)
        kind = self._kind(found, asked)
        fault = remote.fault(f"{self.command} {self.path} {asked} {body!r}")
        status = 404 if found is None else _STATUS.get(fault or "", 200)
        if found is None or status != 200:
            remote.tally.add(kind, 0, fault=fault)
            self._head(status, {"Content-Length": "0"})
            return
        self._send(found, asked, kind, fault)

    def _kind(self, found: Held | None, asked: str) -> str:
        if found is None:
            return "nothing there"
        if found.etag is None:
            return DOCUMENT
        if self.command == "HEAD":
            return "check"
        return "header" if not asked or asked.startswith("bytes=0-") else "pixels"

    def _send(self, found: Held, asked: str, kind: str, fault: Fault | None) -> None:
        wanted = _RANGE.fullmatch(asked)
        first = int(wanted[1]) if wanted else 0
        stop = min(int(wanted[2]) + 1, found.size) if wanted and wanted[2] else found.size
        if first >= stop and wanted:
            self._head(416, {"Content-Length": "0", "Content-Range": f"bytes */{found.size}"})
            return
        headers = {"Content-Type": found.type, "Content-Length": str(stop - first), "Accept-Ranges": "bytes"}
        headers |= {} if found.etag is None else {"ETag": found.etag}
        headers |= {"Content-Range": f"bytes {first}-{stop - 1}/{found.size}"} if wanted else {}
        cut = fault == "cut" and self.command != "HEAD"
        end = first + (stop - first) // 2 if cut else stop
        size = 0 if self.command == "HEAD" else end - first
        self.remote.line.carry(size)
        self.remote.tally.add(kind, size, fault="cut" if cut else None)
        self._head(206 if wanted else 200, headers)
        for piece in found.part(first, end) if size else ():
            self.wfile.write(piece)
        self.close_connection = self.close_connection or cut

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_json(self, document: dict[str, Any]) -> None:
        data = json.dumps(document).encode()
        self._head(200, {"Content-Type": "application/json", "Content-Length": str(len(data))})
        self.wfile.write(data)
