from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from landloom.pipelines.build import build
from landloom.pipelines.starters import write_starter

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def tiny(tiny_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the archive of the tiny world and a recipe of two summer months for it."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "archive").symlink_to(tiny_archive)
    write_starter("demo", folder / "landloom.yaml")
    document = yaml.safe_load((folder / "landloom.yaml").read_text(encoding="utf-8"))
    document["name"] = "tiny"
    document["period"] = {"start": "2018-06-01", "end": "2018-08-01"}
    document["samples"]["count"] = 6
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tiny_corpus(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus of that recipe, built in this process without interruption."""
    out = tmp_path_factory.mktemp("corpus") / "corpus"
    build(tiny, out=out)
    return out
