from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import yaml

from landloom.cli.__main__ import main
from landloom.pipelines.build import build
from landloom.pipelines.starters import write_starter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs the console script's function with arguments."""

    def call(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["landloom", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        seen = capsys.readouterr()
        return Ran(code=code, out=seen.out, err=seen.err)

    return call


@pytest.fixture(scope="session")
def project(tiny_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small archive, a recipe of one month and two samples, and the corpus built from it."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "archive").symlink_to(tiny_archive)
    write_starter("demo", folder / "landloom.yaml")
    document = yaml.safe_load((folder / "landloom.yaml").read_text(encoding="utf-8"))
    document["name"] = "small"
    document["period"] = {"start": "2018-06-01", "end": "2018-07-01"}
    document["samples"]["count"] = 2
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    build(folder)
    return folder


@pytest.fixture(scope="session")
def corpus(project: Path) -> Path:
    """The corpus of that folder; not to be changed."""
    return project / "corpus"
