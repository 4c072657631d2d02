"""`landloom serve` as a process, and the plain page."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest

from landloom.cli.serving import announcement
from landloom.errors import InvalidInputError
from landloom.server.app import serve
from landloom.server.explore import page

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
        assert ("explorer page and" in line) == page.built()
        url = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
        with urllib.request.urlopen(f"{url}conformance", timeout=30) as answer:
            assert answer.status == 200
        process.terminate()
        assert process.stderr.read() == f"opening {own_folder[0]} …\n"
    assert process.returncode == 143


def test_the_explorer_page_is_promised_only_where_it_is_built() -> None:
    whole = announcement("corpus", "http://127.0.0.1:8000/", "127.0.0.1", page=True)
    assert whole == [
        "corpus: http://127.0.0.1:8000/ is the explorer page and the STAC API (read-only); stop with Ctrl-C"
    ]
    line, note = announcement("corpus", "http://127.0.0.1:8000/", "localhost", page=False)
    assert "is the STAC API (read-only)" in line
    assert "explorer" not in line
    assert "not built" in note
    assert "make web" in note
    assert "no password" in announcement("corpus", "http://0.0.0.0:8000/", "0.0.0.0", page=True)[-1]


def test_address_in_use_is_said(own: Served) -> None:
    port = int(own.url.rsplit(":", 1)[1])
    with pytest.raises(InvalidInputError, match=f"cannot listen on 127.0.0.1 port {port}"):
        serve(own.folder, port=port)
    with pytest.raises(InvalidInputError, match="got port 70000"):
        serve(own.folder, port=70_000)


def test_plain_page_where_none_is_built(own: Served) -> None:
    text = page.plain(own.corpus.info, len(own.corpus))
    assert "make web" in text
    assert "Own &lt;corpus&gt;" in text
    assert "src=" not in text
