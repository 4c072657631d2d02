"""The STAC API under eight clients at once: 95th percentile of a search, as a client sees it.

A corpus of the published size, known by its resource files, is served by uvicorn in a process of its own on loopback.
Clients keep their connection and ask by turns for boxes around Berlin that differ, ten items a page with all 292
assets, 2.6 MB; they read the whole answer and do not parse it, since their own work is not the server's.

Milliseconds say as much about a machine as about a program, so the same clients ask, in turns with these, a server of
the same kind that only sends one such answer from memory.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landloom.query.corpus import Corpus
from landloom.query.index.synthetic import synthetic_samples, write_resources

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = 8
SEARCHES = 40
SAMPLES = int(os.environ.get("LANDLOOM_BENCH_SAMPLES", "500000"))
"""Fewer for a quick look; bars are for all."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _body(turn: int) -> bytes:
    shift = 0.002 * turn
    box = [13.05 - shift, 52.35 - shift, 13.72 + shift, 52.69 + shift]
    return json.dumps({"collections": ["rapidai4eo_v1_source_pf"], "bbox": box, "limit": 10}).encode()


def _search(connection: http.client.HTTPConnection, turn: int) -> tuple[float, int]:
    started = time.perf_counter()
    connection.request("POST", "/search", _body(turn), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    size = len(answer.read())
    if answer.status != 200:
        raise RuntimeError(f"got status {answer.status}")
    return time.perf_counter() - started, size


def _client(port: int, number: int, gate: threading.Barrier, times: list[float], sizes: list[int]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    _search(connection, number)
    gate.wait()
    for turn in range(SEARCHES):
        taken, size = _search(connection, number * SEARCHES + turn)
        times.append(taken)
        sizes.append(size)
    connection.close()


def measure(port: int) -> dict[str, float]:
    """Eight clients at once."""
    times: list[float] = []
    sizes: list[int] = []
    gate = threading.Barrier(CLIENTS)
    threads = [threading.Thread(target=_client, args=(port, n, gate, times, sizes)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ordered = sorted(times)
    return {
        "api_p95_ms": 1_000 * ordered[int(0.95 * len(ordered))],
        "api_median_ms": 1_000 * ordered[len(ordered) // 2],
        "api_page_kb": sum(sizes) / len(sizes) / 1_000,
    }


def from_memory(answer: Path, port: int) -> None:
    """Serve the bytes of a file for every request, as the API does: by uvicorn, in one process."""
    import uvicorn

    body = answer.read_bytes()
    head = [(b"content-type", b"application/geo+json"), (b"content-length", str(len(body)).encode())]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(application, host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="off")


@contextmanager
def _served(command: list[str], port: int, **environment: str) -> Iterator[None]:
    """A server in a process of its own, from its first answer on."""
    server = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield
    finally:
        server.terminate()
        server.wait(timeout=30)


def run() -> dict[str, float]:
    """Serve, ask, stop."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, cache = Path(scratch) / "corpus", Path(scratch) / "cache"
        write_resources(synthetic_samples(SAMPLES, max(SAMPLES // 357, 3)), folder / "resources")
        Corpus.open(folder, cache=cache)
        port, plain = _free_port(), _free_port()
        command = [sys.executable, "-m", "landloom.cli", "serve", str(folder), "--port", str(port)]
        with _served(command, port, LANDLOOM_CACHE=str(cache)):
            answer = Path(scratch) / "answer.json"
            answer.write_bytes(_answer(port))
            other = [sys.executable, "-m", "benchmarks.bench_server", str(answer), str(plain)]
            with _served(other, plain):
                rounds = [(measure(port), measure(plain)) for _ in range(3)]
    figures = sorted((ours for ours, _ in rounds), key=lambda figure: figure["api_p95_ms"])[1]
    ratios = sorted(ours["api_p95_ms"] / theirs["api_p95_ms"] for ours, theirs in rounds)
    return figures | {"api_against_memory": ratios[1]}


def _answer(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/search", _body(0), {"Content-Type": "application/json"})
    return connection.getresponse().read()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        from_memory(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        print(json.dumps(run(), indent=2))
