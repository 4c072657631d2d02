from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from landloom.pipelines.build import build
from landloom.pipelines.starters import write_starter

if TYPE_CHECKING:
    from pathlib import Path


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
