"""The public surface: what is exported, what it costs, and that its three lists agree."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import metadata, version
from pathlib import Path

import pytest
import yaml

import landloom
import landloom.training

SOURCE = Path(landloom.__file__)
ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


TRAINING = Path(landloom.training.__file__)


def typed_imports(source: Path = SOURCE) -> dict[str, str]:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.name: str(node.module).removeprefix("landloom.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_the_exports_are_these() -> None:
    assert sorted(landloom.__all__, key=str.lower) == [
        "build",
        "Cadence",
        "ChipId",
        "Corpus",
        "crosswalk",
        "draw_granules",
        "executor_factory",
        "fewest_granules",
        "get_asset_hrefs",
        "granule_footprint",
        "GranuleId",
        "granules_in",
        "GranuleTable",
        "Grid",
        "LandloomError",
        "LandloomWarning",
        "open",
        "Period",
        "PRODUCTS",
        "publish",
        "rasterise_files",
        "read_parcels",
        "Recipe",
        "Sample",
        "SampleId",
        "Selection",
        "split_corpus",
        "SplitSettings",
        "Taxonomy",
        "taxonomy",
        "TileId",
        "WindowId",
        "world_granules",
        "Zone",
    ]


def test_the_three_lists_agree() -> None:
    assert typed_imports() == landloom._HOMES
    assert sorted(landloom._HOMES) == sorted(landloom.__all__)
    homes = {name: home.removeprefix("training.") for name, home in typed_imports(TRAINING).items()}
    assert homes == landloom.training._HOMES
    assert sorted(landloom.training._HOMES) == sorted(landloom.training.__all__)


IMPORT = re.compile(r"(?m)^\s*(?:>>> )?(?:from (landloom[\w.]*) import (\([^)]*\)|.*)|import (landloom[\w.]*))")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_the_pages_import_is_public(page: Path) -> None:
    for module, names, plain in IMPORT.findall(page.read_text(encoding="utf-8")):
        assert module or plain == "landloom", f"{page}: import {plain}"
        public = landloom.training.__all__ if module == "landloom.training" else landloom.__all__
        assert {name.strip() for name in names.strip("()").split(",") if name.strip()} <= set(public)
        assert module in ("landloom", "landloom.training", ""), f"{page}: from {module} import {names}"


def test_the_version_is_that_of_the_package() -> None:
    assert landloom.__version__ == version("landloom")
    assert "__version__" in dir(landloom)


def test_every_export_is_there() -> None:
    for name in landloom.__all__:
        assert getattr(landloom, name) is not None


def test_import_is_light() -> None:
    shown = "print(sorted(m for m in sys.modules if m.split('.')[0] in {heavy}))"
    code = f"import sys, landloom, landloom.training; {shown}"
    heavy = (
        "{'numpy', 'shapely', 'rasterio', 'pandas', 'pyarrow', 'numba', 'pydantic', 'matplotlib',"
        " 'sqlalchemy', 'alembic', 'argon2', 'fastapi', 'starlette', 'uvicorn', 'torch', 'lightning'}"
    )
    command = [sys.executable, "-c", code.replace("{heavy}", heavy)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_citation_file_is_of_this_version() -> None:
    """The keys that Citation File Format 1.2.0 demands; a body of authors has a name alone."""
    document = yaml.safe_load((SOURCE.parents[2] / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(document)
    assert document["cff-version"] == "1.2.0"
    assert document["type"] == "software"
    assert document["version"] == version("landloom")
    assert document["license"] == metadata("landloom")["License-Expression"] == "Apache-2.0"
    assert all({"name"} == set(author) for author in document["authors"])
