from __future__ import annotations

import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from landloom.errors import MissingKeyError, PermanentFaultError, TransientFaultError
from landloom.store.faults import http_fault
from landloom.store.href_documents import HrefDocuments
from landloom.store.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = b"x" * 1000


class Handler(BaseHTTPRequestHandler):
    """Answers as the path says: `/500,cut,200` fails, is cut, then succeeds."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    asked: dict[str, int]

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        number = self.asked.get(self.path, 0)
        self.asked[self.path] = number + 1
        script = self.path.strip("/").split(",")
        answer = script[min(number, len(script) - 1)]
        if answer == "hang":
            self.rfile.read(1)  # until the client gives up
            return
        self.send_response(int(answer) if answer.isdigit() else 200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        if answer == "trickle":
            self._trickle()
            return
        self.wfile.write(BODY[:10] if answer == "cut" else BODY)
        self.close_connection = answer == "cut"

    def _trickle(self) -> None:
        with suppress(OSError):  # the client has given up
            for byte in BODY:
                self.wfile.write(bytes([byte]))
                time.sleep(0.01)
        self.close_connection = True


@pytest.fixture
def server() -> Iterator[tuple[str, dict[str, int]]]:
    asked: dict[str, int] = {}
    served = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"asked": asked}))
    served.daemon_threads = True
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}", asked
    served.shutdown()
    served.server_close()
    thread.join()


def documents(waits: list[float]) -> HrefDocuments:
    return HrefDocuments(Patience(attempts=4, first_wait=2.0, longest_wait=3.0, timeout=0.2, sleep=waits.append))


@pytest.mark.parametrize("script", ["/200", "/500,200", "/cut,cut,200", "/502,cut,429,200", "/hang,200"])
def test_what_passes_is_waited_for(server: tuple[str, dict[str, int]], script: str) -> None:
    waits: list[float] = []
    assert documents(waits).read(server[0] + script) == BODY
    assert server[1][script] == len(script.split(","))
    assert len(waits) == script.count(",")
    assert all(0 <= wait <= 3.0 for wait in waits)


@pytest.mark.parametrize(
    ("script", "error", "times"),
    [
        ("/404", MissingKeyError, 1),
        ("/410", MissingKeyError, 1),
        ("/451", MissingKeyError, 1),
        ("/400", TransientFaultError, 1),
        ("/401", TransientFaultError, 1),
        ("/403", TransientFaultError, 1),
        ("/409", TransientFaultError, 1),
        ("/500", TransientFaultError, 4),
        ("/cut", TransientFaultError, 4),
    ],
)
def test_what_does_not_pass_is_named(
    server: tuple[str, dict[str, int]], script: str, error: type[Exception], times: int
) -> None:
    with pytest.raises(error, match="127"):
        documents([]).read(server[0] + script)
    assert server[1][script] == times


def test_a_body_that_trickles_is_cut(server: tuple[str, dict[str, int]]) -> None:
    patience = Patience(attempts=2, first_wait=0, timeout=5, least_rate=1e6, rate_window=0.05)
    with pytest.raises(TransientFaultError, match="fewer than 1000000 bytes a second"):
        HrefDocuments(patience).read(server[0] + "/trickle,trickle")


def test_other_schemes_go_through_the_store() -> None:
    with pytest.raises(MissingKeyError):
        HrefDocuments().read("memory://folder/catalog.json")


def test_statuses_have_their_faults() -> None:
    assert isinstance(http_fault(504, "x"), TransientFaultError)
    assert isinstance(http_fault(401, "x"), TransientFaultError)
    assert isinstance(http_fault(410, "x"), PermanentFaultError)
