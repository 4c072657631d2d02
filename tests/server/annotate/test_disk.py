"""A disk without space: 507, nothing lost, and work goes on once there is space."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.annotation import GUESS, NAME, make_world, submission
from tests.annotators import Client, Crowd, process

from landloom.annotate.ledger.answers import answered_tasks
from landloom.annotate.ledger.chain import verify
from landloom.annotate.ledger.database import open_ledger

DISK = 2 * 2**20
"""Bytes of the disk of the ledger."""
FLAG = "-m" if os.geteuid() == 0 else "-rm"
"""File systems of its own; only with a user's namespace where one is not root."""


def _may_mount() -> bool:
    """Whether this machine lets a process have file systems of its own."""
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([unshare, FLAG, "true"], check=False).returncode == 0


@pytest.mark.skipif(not _may_mount(), reason="this machine allows no namespaces: a full disk is not tested")
def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """The ledger lies on a real file system of 2 MiB, in the server's own namespace, and is filled up."""
    made, disk = tmp_path / "made.sqlite", tmp_path / "disk"
    people: dict[str, tuple[str, str] | None] = {"ann": (NAME, "annotator")}
    world = make_world(tmp_path, f"sqlite:///{made}", chips=6, people=people)
    world.ledger.close()
    disk.mkdir()
    mount = f'mount -t tmpfs -o size={DISK} tmpfs {disk} && cp {made} {disk}/ledger.sqlite && exec "$@"'
    wrap = ("unshare", FLAG, "sh", "-c", mount, "sh")
    with process(world.campaign, f"sqlite:///{disk}/ledger.sqlite", wrap) as server:
        inside = Path(f"/proc/{server.pid}/root{disk}")
        client = Client(server.port, "ann", Crowd(0))
        client.login()
        kept = [_submitted(client) for _ in range(2)]
        path, body = _path(client), submission(GUESS, comment="x" * 2_000)
        filler = inside / "filler"
        _fill(filler)
        status, content, _ = client.ask("POST", path, body)
        document = json.loads(content)
        assert (status, document["code"]) == (507, "Insufficient Storage")
        assert str(tmp_path) not in document["description"]
        assert client.ask("POST", "api/assignments", {"count": 2})[0] == 507
        assert client.ask("GET", "api/me")[0] == 200, "reading goes on"
        filler.unlink()
        status, content, _ = client.ask("POST", path, body)
        assert status == 200, "the same submission, once there is space"
        kept += [json.loads(content)["sequence"], _submitted(client)]
        client.leave()
        _check(inside, tmp_path / "copy", kept)


def _submitted(client: Client) -> int:
    status, content, _ = client.ask("POST", _path(client), submission())
    assert status == 200, content
    return int(json.loads(content)["sequence"])


def _path(client: Client) -> str:
    status, content, _ = client.ask("POST", "api/assignments", {"count": 1})
    assert status == 200, content
    return f"api/assignments/{json.loads(content)['assignments'][0]['id']}/submit"


def _fill(filler: Path) -> None:
    """Take all space that is left."""
    with filler.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 512):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def _check(inside: Path, copy: Path, kept: list[int]) -> None:
    """Every acknowledged submission is in the files as they are now, and the chain is whole."""
    copy.mkdir()
    for path in inside.glob("ledger.sqlite*"):
        shutil.copy(path, copy)
    with open_ledger(f"sqlite:///{copy}/ledger.sqlite") as ledger:
        found = {one.sequence for task in answered_tasks(ledger, NAME, counted=False) for one in task.answers}
        assert set(kept) <= found
        assert verify(ledger, NAME) >= len(kept)
