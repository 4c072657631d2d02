"""The archive of `service`, running."""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from tests.archive.orders.service import (
    Archive,
    Handler,
    TestClock,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def archive() -> Iterator[Archive]:
    held = Archive(TestClock())
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"archive": held}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    held.url = f"http://127.0.0.1:{server.server_port}"
    yield held
    server.shutdown()
    server.server_close()
    thread.join()
