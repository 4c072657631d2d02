"""Source files that are replaced, appear or go after a build are noticed by the next one; all else is left alone.

Files of scenes of whose last update the archive says that it is the same are not asked.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.cases.archives import only_chip, write_band, write_catalog, write_recipe, write_scene
from tests.projects import digest_of

from landloom.engine.shards import Shard
from landloom.errors import InvalidInputError
from landloom.pipelines.build import build
from landloom.pipelines.shards.build import build_shard

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


VALUES = {"B04": 2000, "B08": 3000}


@pytest.fixture
def dated(recipe: Path, faulty: FaultyServer) -> Path:
    """The recipe, of an archive that says when it has updated a scene."""
    write_scene(recipe.parent / "archive", "x", "2018-06-05", VALUES, updated="2018-07-01T00:00:00Z")
    faulty.stamps = {"ETag": '"1"'}
    return recipe


def _replaced(recipe: Path, faulty: FaultyServer, value: int, **properties: str) -> None:
    write_scene(recipe.parent / "archive", "x", "2018-06-05", VALUES | {"B04": value}, **properties)
    faulty.stamps = {"ETag": f'"{value}"'}


def _files_asked(faulty: FaultyServer) -> int:
    return sum(path.endswith(".tif") for path in faulty.requests)


def test_no_file_of_a_scene_that_was_not_updated_is_asked(dated: Path, faulty: FaultyServer) -> None:
    digest = digest_of(build(dated).corpus)
    faulty.requests.clear()
    again = build(dated)
    assert (again.units_run, again.sources_asked, _files_asked(faulty)) == (0, 0, 0)
    assert digest_of(again.corpus) == digest
    assert build(dated, check_sources="all").sources_asked == 3


def test_files_of_an_updated_scene_are_asked_once(dated: Path, faulty: FaultyServer) -> None:
    first = build(dated)
    _replaced(dated, faulty, 2400, updated="2018-08-01T00:00:00Z")
    assert build(dated).units_run == 1
    assert only_chip(first.corpus)[0].min() == 2400
    write_scene(dated.parent / "archive", "x", "2018-06-05", VALUES | {"B04": 2400}, updated="2018-09-01T00:00:00Z")
    assert (build(dated).sources_asked, build(dated).sources_asked) == (3, 0), "its files are the same"


def test_a_file_replaced_behind_the_archive_is_found_on_request(dated: Path, faulty: FaultyServer) -> None:
    first = build(dated)
    _replaced(dated, faulty, 2400, updated="2018-07-01T00:00:00Z")
    assert build(dated).units_run == 0
    assert build(dated, check_sources="none").sources_asked == 0
    assert build(dated, check_sources="all").units_run == 1
    assert only_chip(first.corpus)[0].min() == 2400


def test_checksums_of_all_files_say_as_much(recipe: Path) -> None:
    item = recipe.parent / "archive/x/item.json"
    document = json.loads(item.read_text(encoding="utf-8"))
    document["assets"]["SCL"]["file:checksum"] = "1220aa"
    item.write_text(json.dumps(document), encoding="utf-8")
    build(recipe)
    assert build(recipe).sources_asked == 3, "one of three says nothing of the others"
    for asset in document["assets"].values():
        asset["file:checksum"] = "1220aa"
    item.write_text(json.dumps(document), encoding="utf-8")
    assert build(recipe).units_run == 1, "a checksum is part of what a unit is made of"
    assert build(recipe).sources_asked == 0


def test_shards_remember_too(dated: Path, faulty: FaultyServer) -> None:
    build_shard(dated, Shard.parse("1/1"))
    build(dated, finish=True)
    faulty.requests.clear()
    assert build(dated).sources_asked == _files_asked(faulty) == 0


def test_another_word_is_refused(dated: Path) -> None:
    with pytest.raises(InvalidInputError, match="expected changed, all or none"):
        build(dated, check_sources="some")  # type: ignore[arg-type]
