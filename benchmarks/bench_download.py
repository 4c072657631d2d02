"""Downloads from a web server on the loopback: ours, with digests, flushes and a journal, against a requests session.

The server is a process of its own that answers from memory, so that the clients and the file system are what is
measured. The peer writes files with 32 threads and neither checks nor flushes.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from threading import local
from typing import Any

from landloom.query.destination import Wanted, plan_download, verify
from landloom.query.download import download
from landloom.query.stores import open_transfer_store

FILES = 20_000
SIZE = 60_000
THREADS = 32
ROUNDS = 3

SERVER = """
import asyncio, sys
size = int(sys.argv[1])
body = bytes(range(256)) * (size // 256 + 1)
head = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nETag: \\"x\\"\\r\\n\\r\\n" % size
answer = head + body[:size]
class Answer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""
    def data_received(self, data):
        self.buffer += data
        while b"\\r\\n\\r\\n" in self.buffer:
            _, self.buffer = self.buffer.split(b"\\r\\n\\r\\n", 1)
            self.transport.write(answer)
async def main():
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def _paths(count: int) -> list[str]:
    tile = "imagery/33N/16E-243N/33N_16E-243N"
    samples = [f"{tile}_{n // 40 + 1:02d}_{n % 40 + 1:02d}" for n in range(count // 12 + 1)]
    return [f"{sample}/S2-SR/2018-{month:02d}.tif" for sample in samples for month in range(1, 13)][:count]


def _published(base: str, paths: list[str], folder: Path) -> None:
    """A requests session for each of 32 threads; whole bodies written to their final names."""
    import requests

    sessions = local()

    def one(path: str) -> None:
        if not hasattr(sessions, "own"):
            sessions.own = requests.Session()
        answer = sessions.own.get(f"{base}/{path}", timeout=60)
        answer.raise_for_status()
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(answer.content)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, paths))


def _ours(base: str, files: list[Wanted], folder: Path) -> Any:
    return download(plan_download(files, folder), open_transfer_store(base), corpus="bench 1", base=base)


def run(files: int = FILES) -> dict[str, float]:
    """Bar name → measured ratio."""
    body = (bytes(range(256)) * (SIZE // 256 + 1))[:SIZE]
    digest = hashlib.sha256(body).hexdigest()
    paths = _paths(files)
    wanted = [Wanted(path=path, size=SIZE, sha256=digest) for path in paths]
    ratios = []
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(SIZE)], stdout=subprocess.PIPE, text=True)
    try:
        if server.stdout is None:
            raise RuntimeError("the server has no output")
        base = f"http://127.0.0.1:{int(server.stdout.readline())}"
        with tempfile.TemporaryDirectory(prefix="landloom-bench-") as name:
            for _ in range(ROUNDS):
                folder = Path(name) / "ours"
                start = time.perf_counter()
                report = _ours(base, wanted, folder)
                ours = time.perf_counter() - start
                if report.fetched != files or report.failed or verify(folder):
                    raise AssertionError(f"the download is not complete: {report.failed[:3]}")
                shutil.rmtree(folder)
                start = time.perf_counter()
                _published(base, paths, Path(name) / "peer")
                peer = time.perf_counter() - start
                shutil.rmtree(Path(name) / "peer")
                print(f"ours {files / ours:.0f} files/s, requests {files / peer:.0f} files/s")
                ratios.append(peer / ours)
    finally:
        server.terminate()
        server.wait()
    return {"download": median(ratios)}


if __name__ == "__main__":
    print(run(int(sys.argv[1]) if len(sys.argv) > 1 else FILES))
