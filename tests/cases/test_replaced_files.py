"""Source files that are replaced, appear or go after a build are noticed by the next one; all else is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.cases.archives import only_chip, write_band, write_catalog, write_recipe, write_scene

from landloom.pipelines.build import build

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web import FaultyServer


@pytest.fixture
def recipe(faulty: FaultyServer, tmp_path: Path) -> Path:
    archive = tmp_path / "archive"
    write_scene(archive, "x", "2018-06-05", {"B04": 2000, "B08": 3000})
    write_catalog(archive, "x")
    return write_recipe(tmp_path, f"{faulty.address}/archive/catalog.json")


@pytest.mark.parametrize("header", ["ETag", "Last-Modified"])
def test_a_replaced_file_is_read_again(recipe: Path, faulty: FaultyServer, header: str) -> None:
    faulty.stamps = {header: '"1"' if header == "ETag" else "Mon, 01 Jan 2024 00:00:00 GMT"}
    first = build(recipe)
    assert only_chip(first.corpus)[0].min() == 2000
    assert build(recipe).units_run == 0
    write_band(recipe.parent / "archive/x/B04.tif", 2400)
    faulty.stamps = {header: '"2"' if header == "ETag" else "Tue, 02 Jan 2024 00:00:00 GMT"}
    assert build(recipe).units_run == 1
    assert only_chip(first.corpus)[0].min() == 2400


def test_a_file_that_was_missing_is_read_when_it_is_there(recipe: Path) -> None:
    late = write_scene(recipe.parent / "archive", "y", "2018-06-15", {"B04": 4000, "B08": 5000})
    write_catalog(recipe.parent / "archive", "x", "y")
    moved = (late / "B08.tif").rename(late / "elsewhere.tif")
    first = build(recipe)
    assert any("y" in note and "404" in note for note in first.notes)
    assert only_chip(first.corpus)[0].min() == 2000
    moved.rename(late / "B08.tif")
    assert build(recipe).units_run == 1
    assert only_chip(first.corpus)[0].min() == 3000


def test_a_server_that_does_not_answer_changes_nothing(recipe: Path, faulty: FaultyServer) -> None:
    first = build(recipe)
    faulty.heads = 405
    write_band(recipe.parent / "archive/x/B04.tif", 2400)
    assert build(recipe).units_run == 0
    assert only_chip(first.corpus)[0].min() == 2000
