"""Azurite, an Azure blob server on the loopback: installed once into the user's cache, run from there."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION: Final = "3.33.0"
ACCOUNT: Final = "landloom"
KEY: Final = base64.b64encode(b"opens nothing but this server").decode()
ROOT: Final = Path(__file__).parents[1]
_LISTENS: Final = re.compile(r"listens on (http://127\.0\.0\.1:\d+)")
_FLAGS: Final = ("--inMemoryPersistence", "--skipApiVersionCheck", "--loose", "--silent")


def missing(what: str) -> str:
    """Skip, or fail where everything is expected to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"Azure is not tested: {what}")
    pytest.skip(f"Azure is not tested: {what}")


def _paths() -> str:
    return f"{os.environ['PATH']}{os.pathsep}{ROOT / '.venv' / 'bin'}"


def _tool(name: str) -> str:
    return shutil.which(name, path=_paths()) or missing(f"no {name} on this machine")


def installed() -> Path:
    """The program, fetched from the npm registry where it is not there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "landloom-tests"
    folder = cache / f"azurite-{VERSION}"
    program = folder / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    if program.is_file():
        return program
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        fresh = Path(scratch) / "azurite"
        fresh.mkdir()
        said = _install(fresh)
        if said and (said := _install(fresh)):  # a registry may fail once
            missing(said)
        try:
            fresh.rename(folder)
        except OSError:  # another run was faster
            if not program.is_file():
                raise
    return program


def _install(folder: Path) -> str:
    """Nothing where npm succeeded, else all that it said."""
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline"]
    command = [_tool("npm"), "install", "--prefix", str(folder), *flags, f"azurite@{VERSION}"]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PATH": _paths()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=240,
        )
    except subprocess.TimeoutExpired as slow:
        return f"{' '.join(command)}: {slow}"
    return f"{' '.join(command)}: status {done.returncode}\n{done.stdout}" if done.returncode else ""


def make_container(address: str, name: str) -> None:
    """Make a container, by a request signed with the account's key."""
    headers = {"x-ms-date": format_datetime(datetime.now(UTC), usegmt=True), "x-ms-version": "2021-12-02"}
    signed = "\n".join([f"{key}:{value}" for key, value in headers.items()])
    resource = f"/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    text = "PUT" + "\n" * 12 + f"{signed}\n{resource}"
    digest = hmac.digest(base64.b64decode(KEY), text.encode(), hashlib.sha256)
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
    parts = urlsplit(address)
    assert parts.hostname is not None
    with closing(HTTPConnection(parts.hostname, parts.port, timeout=30)) as connection:
        connection.request("PUT", f"/{ACCOUNT}/{name}?restype=container", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 201, answer.read()


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Serve from memory until the block ends; the address of the account."""
    command = [_tool("node"), str(installed()), "--blobHost", "127.0.0.1", "--blobPort", "0", *_FLAGS]
    environment = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        assert process.stdout is not None
        said = []
        try:
            for line in process.stdout:
                said.append(line)
                if found := _LISTENS.search(line):
                    yield f"{found[1]}/{ACCOUNT}"
                    break
            else:
                pytest.fail(f"Azurite did not start:\n{''.join(said)}")
        finally:
            process.kill()  # told to end, it would wait for clients that keep their connections
