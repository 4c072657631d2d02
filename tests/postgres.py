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
    free: list[str] = field(default_factory=list)
    """Databases that were used and are empty again: to empty one takes less time than to make one."""

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{ROLE}@/{database}?host={self.folder}"

    def new_database(self, tablespace: Path | None = None) -> str:
        """Address of a new, empty database, whose tables may be in a folder of the server's user."""
        name = f"test_{next(self.numbers)}"
        where = ""
        if tablespace is not None:
            self._run("postgres", f"create tablespace {name} location '{tablespace}'")
            where = f" tablespace {name}"
        self._run("postgres", f"create database {name} template template0{where}")
        return self.url(name)

    @contextmanager
    def copied(self, template: str) -> Iterator[str]:
        """Address of a copy of a database that nobody uses now, dropped at the end."""
        name = f"test_{next(self.numbers)}"
        self._run("postgres", f"create database {name} template {self._name(template)}")
        try:
            yield self.url(name)
        finally:
            self.drop(self.url(name))

    def drop(self, url: str) -> None:
        """Drop a database and the tablespace of its name."""
        name = self._name(url)
        self._run("postgres", f"drop database {name} with (force)", f"drop tablespace if exists {name}")

    def own(self, folder: Path) -> None:
        """Give a folder to the server's user."""
        if owner := _owner():
            shutil.chown(folder, owner)

    @staticmethod
    def _name(url: str) -> str:
        return url.partition("?")[0].rpartition("/")[2]

    @contextmanager
    def lent(self) -> Iterator[str]:
        """Address of an empty database, which is emptied again at the end."""
        url = self.free.pop() if self.free else self.new_database()
        try:
            yield url
        finally:
            name = self._name(url)
            others = f"from pg_stat_activity where datname = '{name}' and pid != pg_backend_pid()"
            self._run(
                name, f"select pg_terminate_backend(pid) {others}", "drop schema public cascade", "create schema public"
            )
            self.free.append(url)

    def _run(self, database: str, *statements: str) -> None:
        import psycopg

        with psycopg.connect(host=str(self.folder), user=ROLE, dbname=database, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


def programs() -> Path | None:
    """The newest PostgreSQL of this machine: Debian keeps its programs off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def running(*, durable: bool = True) -> Iterator[Cluster]:
    """A new cluster, stopped and removed at the end.

    One that is not durable forgets after a loss of power, which no test makes, what it keeps when processes are killed.
    """
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
    subprocess.run([str(one) for one in make], check=True, stdout=subprocess.DEVNULL, **common)
    start = [home / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "max_connections=200"]
    start += [] if durable else ["-c", "fsync=off", "-c", "full_page_writes=off"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([str(one) for one in start], stdout=log, stderr=log, **common)
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


def _wait(server: subprocess.Popen[Any], folder: Path) -> None:
    import psycopg

    while server.poll() is None:
        try:
            psycopg.connect(host=str(folder), user=ROLE, dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError((folder / "log").read_text(encoding="utf-8"))
