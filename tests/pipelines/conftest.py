from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from landloom.pipelines.build import build
from landloom.pipelines.starters import write_starter
from landloom.simulate.archive import simulate_archive

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the archive of the tiny world and a recipe of two summer months for it."""
    folder = tmp_path_factory.mktemp("tiny")
    simulate_archive("tiny", folder / "archive")
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


def recipe_document(folder: Path) -> dict[str, Any]:
    """The recipe of a folder, to be changed."""
    document: dict[str, Any] = yaml.safe_load((folder / "landloom.yaml").read_text(encoding="utf-8"))
    return document
