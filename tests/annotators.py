"""Many annotators at once over HTTP, and a server in a process of its own that can be killed and started again."""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from tests.annotation import CLASSES, PASSWORD

from landloom.annotate.ledger.answers import answered_tasks
from landloom.annotate.ledger.chain import verify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.annotate.ledger.database import Ledger

ROOT: Final = Path(__file__).parents[1]
_CODES: Final = bytes(one.code for one in CLASSES)
_PATIENCE: Final = 120.0
"""Seconds for which a client tries to reach a server that is gone."""


@dataclass
class Process:
    """`landloom annotate serve` in a process of its own, always on the same port."""

    campaign: Path
    database: str
    wrap: tuple[str, ...] = ()
    """What the command is run with."""
    port: int = 0
    process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """Of the server."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Start, and wait until it listens."""
        command = [sys.executable, "-m", "landloom.cli", "annotate", "serve", str(self.campaign)]
        self.process = subprocess.Popen(
            [*self.wrap, *command, "--port", str(self.port), "--database", self.database],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "LANDLOOM_CACHE": str(self.campaign.parent / "cache")},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "http://127.0.0.1:" in line, line + self.process.stdout.read()
        self.port = int(line.partition("http://127.0.0.1:")[2].partition("/")[0])

    def kill(self) -> None:
        """As a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def stop(self) -> int:
        """As an operator would; its exit code."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(timeout=30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@contextmanager
def process(campaign: Path, database: str, wrap: tuple[str, ...] = ()) -> Iterator[Process]:
    """A server, stopped at the end."""
    found = Process(campaign, database, wrap)
    found.start()
    try:
        yield found
    finally:
        if found.process is not None and found.process.poll() is None:
            found.kill()


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A submission that was acknowledged."""

    annotator: str
    labels: bytes
    sequence: int
    state: str
    seconds: float
    """From the request to its answer; only of those that were sent once."""
    tries: int


@dataclass
class Crowd:
    """What annotators have been told."""

    wanted: int
    kept: list[Kept] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kept: Kept) -> None:
        with self.lock:
            self.kept.append(kept)

    @property
    def done(self) -> bool:
        """Whether enough was submitted."""
        return len(self.kept) >= self.wanted or bool(self.problems)


class Client:
    """One annotator; sends again whatever got no answer."""

    def __init__(self, port: int, name: str, crowd: Crowd, ahead: int = 1) -> None:
        self.port, self.name, self.crowd = port, name, crowd
        self.ahead = ahead
        """Tasks that are asked for at once."""
        self.rng = random.Random(name)  # noqa: S311 - labels, no secrets
        self.connection: http.client.HTTPConnection | None = None
        self.cookie, self.csrf = "", ""

    def ask(self, method: str, path: str, document: Any = None) -> tuple[int, bytes, int]:
        """Status, content, and how often it was asked."""
        body = None if document is None else json.dumps(document).encode()
        headers = {"Content-Type": "application/json", "Cookie": self.cookie, "X-CSRF": self.csrf}
        end = time.monotonic() + _PATIENCE
        tries = 0
        while time.monotonic() < end:
            tries += 1
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                    self.connection.connect()
                    assert self.connection.sock is not None
                    self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connection.request(method, f"/annotate/{path}", body, headers)
                answer = self.connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                self.leave()
                time.sleep(0.05)
                continue
            if answer.status == 503:
                time.sleep(0.2)
                continue
            if cookie := answer.headers.get("set-cookie"):
                self.cookie = cookie.partition(";")[0]
            return answer.status, content, tries
        raise AssertionError(f"{path}: the server did not come back")

    def login(self) -> None:
        """Sign in."""
        status, content, _ = self.ask("POST", "api/login", {"name": self.name, "password": PASSWORD})
        assert status == 200, content
        self.csrf = json.loads(content)["csrf"]

    def work(self) -> None:
        """Do tasks until there are enough, or none is left."""
        try:
            while not self.crowd.done and self._some():
                pass
        except Exception as error:  # noqa: BLE001 - reported by the test
            self.crowd.problems.append(f"{self.name}: {error!r}")
        finally:
            self.leave()

    def leave(self) -> None:
        """Close the connection."""
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def _some(self) -> bool:
        """Do the tasks that are on loan; the window of the first one is read."""
        status, content, _ = self.ask("POST", "api/assignments", {"count": self.ahead})
        assert status == 200, content
        tasks = json.loads(content)["assignments"]
        if not tasks:
            return False
        status, _, _ = self.ask("GET", tasks[0]["window"]["href"].removeprefix("/annotate/"))
        assert status == 200
        for task in tasks:
            self._submit(task)
        return True

    def _submit(self, task: dict[str, Any]) -> None:
        labels = bytes(self.rng.choices(_CODES, k=task["task"]["height"] * task["task"]["width"]))
        body = {
            "submission": str(uuid4()),
            "labels": b64encode(labels).decode(),
            "seconds": 3.5,
            "dates_viewed": [0, 1, 2, 3],
            "flagged": False,
            "comment": "",
            "client": "crowd",
        }
        began = time.perf_counter()
        status, content, tries = self.ask("POST", f"api/assignments/{task['id']}/submit", body)
        seconds = time.perf_counter() - began
        assert status == 200, content
        receipt = json.loads(content)
        kept = Kept(
            annotator=self.name,
            labels=labels,
            sequence=receipt["sequence"],
            state=receipt["state"],
            seconds=seconds,
            tries=tries,
        )
        self.crowd.add(kept)


def run_crowd(port: int, names: list[str], wanted: int, ahead: int = 1) -> tuple[Crowd, list[threading.Thread]]:
    """Sign everybody in, then let them begin; the threads end when enough was submitted."""
    crowd = Crowd(wanted)
    clients = [Client(port, name, crowd, ahead) for name in names]
    for client in clients:
        client.login()
    threads = [threading.Thread(target=client.work, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    return crowd, threads


def check_kept(ledger: Ledger, campaign: str, crowd: Crowd, copies: int) -> None:
    """Everything acknowledged is there, once; nobody holds a place twice, and no task has more answers than places."""
    assert not crowd.problems, crowd.problems[:3]
    known = {one.sequence: one for one in crowd.kept}
    assert len(known) == len(crowd.kept), "a sequence was given twice"
    found: dict[int, bytes] = {}
    for task in answered_tasks(ledger, campaign, counted=False):
        counted = [one for one in task.answers if one.counted]
        assert len(counted) <= copies, "a task has too many answers"
        assert len({one.annotator for one in task.answers}) == len(task.answers), "one person has a task twice"
        found |= {one.sequence: one.labels for one in task.answers}
    lost = [one for one in crowd.kept if found.get(one.sequence) != one.labels]
    assert not lost, f"{len(lost)} of {len(crowd.kept)} acknowledged submissions are lost or changed"
    assert verify(ledger, campaign) >= len(crowd.kept)
