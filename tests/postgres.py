"""A PostgreSQL cluster of the tests' own: made, started as an unprivileged user, and thrown away."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = "landloom"


@dataclass
class Cluster:
    """A server that listens on a Unix socket alone."""

    folder: Path
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{ROLE}@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """Address of a new, empty database."""
        import psycopg

        name = f"test_{next(self.numbers)}"
        with psycopg.connect(host=str(self.folder), user=ROLE, dbname="postgres", autocommit=True) as connection:
            connection.execute(f"create database {name} template template0".encode())
        return self.url(name)


def programs() -> Path | None:
    """The newest PostgreSQL of this machine: Debian keeps its programs off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def running() -> Iterator[Cluster]:
    """A new cluster, stopped and removed at the end."""
    home = programs()
    if home is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no PostgreSQL on this machine, and CI is to test with one")
        pytest.skip("no PostgreSQL on this machine: tests of the ledger run on SQLite alone")
    folder = Path(tempfile.mkdtemp(prefix="landloom-pg-"))
    owner = _owner()
    if owner:
        shutil.chown(folder, owner)
    data = folder / "data"
    how: dict[str, Any] = {"user": owner, "group": pwd.getpwnam(owner).pw_gid, "extra_groups": []} if owner else {}
    common: dict[str, Any] = {"cwd": folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, **how}
    make = [home / "initdb", "--pgdata", data, "--username", ROLE, "--auth=trust", "--encoding=UTF8", "--no-sync"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, **common)
    start = [home / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "max_connections=200"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(start, stdout=log, stderr=log, **common)
    try:
        _wait(server, folder)
        yield Cluster(folder)
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nothing is to be kept
        server.wait(timeout=60)
        shutil.rmtree(folder)


def _owner() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {one.pw_name for one in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _wait(server: subprocess.Popen[bytes], folder: Path) -> None:
    import psycopg

    while server.poll() is None:
        try:
            psycopg.connect(host=str(folder), user=ROLE, dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError((folder / "log").read_text(encoding="utf-8"))
