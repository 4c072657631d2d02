"""`landloom serve` as a process, and the plain page."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest

from landloom.errors import InvalidInputError
from landloom.server import page
from landloom.server.app import serve
from landloom.server.described import describe

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Served


def test_serve_says_where_it_listens(own_folder: tuple[Path, object], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "landloom.cli", "serve", str(own_folder[0]), "--port", "0"]
    environment = {**os.environ, "LANDLOOM_CACHE": str(tmp_path)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
        with urllib.request.urlopen(f"{url}conformance", timeout=30) as answer:
            assert answer.status == 200
        process.terminate()
        assert process.stderr.read() == ""
    assert process.returncode == 143


def test_address_in_use_is_said(own: Served) -> None:
    port = int(own.url.rsplit(":", 1)[1])
    with pytest.raises(InvalidInputError, match=f"cannot listen on 127.0.0.1 port {port}"):
        serve(own.folder, port=port)
    with pytest.raises(InvalidInputError, match="got port 70000"):
        serve(own.folder, port=70_000)


def test_plain_page_where_none_is_built(own: Served) -> None:
    text = page.plain(describe(own.corpus), len(own.corpus))
    assert "make web" in text
    assert "Own &lt;corpus&gt;" in text
    assert "src=" not in text
