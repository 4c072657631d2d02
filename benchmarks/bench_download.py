"""Downloads from nginx on the loopback: ours, with digests, flushes and a journal, against a requests session.

nginx serves 20,000 different objects of 60 KB from files that the page cache holds. The peer writes files with 32
threads and neither checks nor flushes. Where there is no nginx a server of Python answers from memory, and says so:
its share of the processor is larger, so ratios come out lower.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from threading import local
from typing import TYPE_CHECKING, Any

from landloom.query.transfer.destination import Wanted, plan_download, verify
from landloom.query.transfer.download import download
from landloom.query.transfer.stores import open_transfer_store

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = 20_000
SIZE = 60_000
THREADS = 32
ROUNDS = 3

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; types {{ }}
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""

SERVER = """
import asyncio, sys
from pathlib import Path
root = Path(sys.argv[1])
class Answer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""
    def data_received(self, data):
        self.buffer += data
        while b"\\r\\n\\r\\n" in self.buffer:
            head, self.buffer = self.buffer.split(b"\\r\\n\\r\\n", 1)
            body = (root / head.split()[1].decode()[1:]).read_bytes()
            self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
async def main():
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", int(sys.argv[2]))
    await server.serve_forever()
asyncio.run(main())
"""


def _write_objects(root: Path, paths: list[str]) -> list[Wanted]:
    """Different objects, and what a manifest would say of them."""
    wanted = []
    for path in paths:
        seed = hashlib.sha256(path.encode()).digest()
        content = (seed * (SIZE // len(seed) + 1))[:SIZE]
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        wanted.append(Wanted(path=path, size=SIZE, sha256=hashlib.sha256(content).hexdigest()))
    return wanted


@contextmanager
def _serving(root: Path) -> Iterator[str]:
    """A web server over a folder, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    with tempfile.TemporaryDirectory(prefix="landloom-nginx-") as name:
        if nginx is None:
            print("no nginx on this machine: a server of Python stands in for it; `apt-get install nginx-light`")
            command = [sys.executable, "-c", SERVER, str(root), str(port)]
        else:
            Path(name).chmod(0o755)  # its worker is another user where root starts it
            configuration = Path(name) / "nginx.conf"
            configuration.write_text(NGINX.format(folder=name, port=port, root=root), encoding="utf-8")
            command = [nginx, "-c", str(configuration), "-p", name, "-e", f"{name}/error.log"]
        server = subprocess.Popen(command)
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server did not start")


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
    ratios = []
    with tempfile.TemporaryDirectory(prefix="landloom-bench-") as name:
        Path(name).chmod(0o755)
        wanted = _write_objects(Path(name) / "served", _paths(files))
        paths = [item.path for item in wanted]
        with _serving(Path(name) / "served") as base:
            for _ in range(ROUNDS):
                folder = Path(name) / "ours"
                start = time.perf_counter()
                report = _ours(base, wanted, folder)
                ours = time.perf_counter() - start
                if report.fetched != files or report.failed or verify(folder):
                    raise AssertionError(f"the download is not complete: {report.failed[:3]}")
                shutil.rmtree(folder)
                os.sync()
                start = time.perf_counter()
                _published(base, paths, Path(name) / "peer")
                peer = time.perf_counter() - start
                shutil.rmtree(Path(name) / "peer")
                os.sync()
                print(f"ours {files / ours:.0f} files/s, requests {files / peer:.0f} files/s")
                ratios.append(peer / ours)
    return {"download": median(ratios)}


if __name__ == "__main__":
    print(run(int(sys.argv[1]) if len(sys.argv) > 1 else FILES))
