"""A recipe in its folder: addresses that move with it, and what makes a scene's files the same files."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from tests.projects import project_of

from landloom.engine.project import RECIPE_FILE, Project
from landloom.errors import RecipeError
from landloom.model.scene import Role, Scene, SceneFile
from landloom.model.time import Period
from landloom.pipelines.registry import REGISTRY, Recipe
from landloom.pipelines.starters import write_starter

PARTS = st.lists(st.sampled_from(["maps", "archive", "a b", "x.zip", "B02.tif"]), min_size=1, max_size=4)


def at(folder: str) -> Project:
    return Project(recipe=None, folder=Path(folder))  # type: ignore[arg-type]


@given(PARTS, st.sampled_from(["", "/vsizip/"]))
def test_what_lies_below_a_project_is_called_the_same_wherever_both_lie(parts: list[str], prefix: str) -> None:
    """Also what lies inside of a zip file."""
    name = "/".join(parts)
    told = [
        at(folder).portable(f"{prefix}{folder}/{name}", "archive/catalog.json")
        for folder in ("/here/project", "/there/deeper/project")
    ]
    assert told == [f"{prefix}{name}"] * 2


@given(PARTS)
def test_and_so_is_what_lies_beside_it(parts: list[str]) -> None:
    name = "/".join(parts)
    told = [
        at(f"{folder}/project").portable(f"{folder}/{name}", "../archive/catalog.json")
        for folder in ("/here", "/there/deeper")
    ]
    assert told == [f"../{name}"] * 2


@given(PARTS)
def test_what_is_named_by_its_whole_address_keeps_it(parts: list[str]) -> None:
    href = "/".join(["/data", *parts])
    assert at("/here").portable(href, "/data/catalog.json") == href
    remote = "/".join(["https://example.org", *parts])
    assert at("/here").portable(remote, "https://example.org/catalog.json") == remote
    assert at("/here").portable(href, None) == href


@given(PARTS)
def test_a_path_of_a_recipe_is_meant_from_its_folder(parts: list[str]) -> None:
    name = "/".join(parts)
    assert at("/here").path(name) == f"/here/{name}"
    assert at("/here").path(f"/data/{name}") == f"/data/{name}"
    assert at("/here").path(f"s3://bucket/{name}") == f"s3://bucket/{name}"


def test_a_folder_stands_for_the_recipe_in_it(tmp_path: Path) -> None:
    write_starter("demo", tmp_path / RECIPE_FILE)
    by_folder, by_file = Project.open(tmp_path, Recipe), Project.open(str(tmp_path / RECIPE_FILE), Recipe)
    assert by_folder == by_file == REGISTRY.open(tmp_path)
    assert by_folder.folder == tmp_path.resolve()
    with pytest.raises(RecipeError, match="cannot be read: No such file"):
        Project.open(tmp_path / "none.yaml", Recipe)


def scene(folder: Path) -> Scene:
    """Three bands, a classification and a mask."""
    assets = {name: SceneFile(href=f"{folder}/archive/{name}.tif", size=7, etag="e") for name in ("B02", "B03", "B04")}
    return Scene(
        id="S2A_1",
        time=datetime(2018, 6, 1, tzinfo=UTC),
        granule="33UUR",
        epsg=32633,
        footprint=shapely.box(0, 0, 1, 1),
        bands=assets,
        layers={Role.CLASSIFICATION: SceneFile(href=f"{folder}/archive/SCL.tif", checksum="1220aa")},
        masks={"MSK_CLOUDS": SceneFile(href=f"{folder}/archive/clouds.gml", size=3)},
    )


def test_a_scene_is_the_same_by_what_is_read_of_it_alone(tmp_path: Path) -> None:
    """Bands that are not read, and all that an archive says of clouds or of the time of a change, do not count."""
    project, one = project_of(tmp_path), scene(tmp_path)
    bands = ("B02", "B04")
    told = project.scene_identity(one, bands, "archive")
    unread = replace(one, bands={**one.bands, "B03": SceneFile(href="elsewhere.tif")}, cloud_cover=3.0, href="x")
    assert project.scene_identity(unread, bands, "archive") == told
    changes = [
        replace(one, id="S2A_2"),
        replace(one, layers={Role.CLASSIFICATION: SceneFile(href=f"{tmp_path}/archive/SCL.tif", checksum="1220bb")}),
        replace(one, masks={"MSK_CLOUDS": SceneFile(href=f"{tmp_path}/archive/clouds.gml", size=4)}),
    ]
    own = one.bands["B02"]
    changed = (replace(own, size=8), replace(own, etag="f"), replace(own, offset=-1000), replace(own, band=2))
    changes += [replace(one, bands={**one.bands, "B02": asset}) for asset in changed]
    identities = [str(project.scene_identity(other, bands, "archive")) for other in changes]
    assert str(told) not in identities
    assert len(set(identities)) == len(changes)


def test_a_checksum_goes_before_etag_and_size(tmp_path: Path) -> None:
    project, one = project_of(tmp_path), scene(tmp_path)
    with_sum = replace(one.bands["B02"], checksum="1220cc")
    told = [
        project.scene_identity(replace(one, bands={"B02": asset}), ("B02",), "archive")
        for asset in (with_sum, replace(with_sum, size=9, etag="moved to another store"))
    ]
    assert told[0] == told[1]


def test_a_scene_is_the_same_when_a_project_moves_with_its_archive(tmp_path: Path) -> None:
    told = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        told.append(project_of(tmp_path / name).scene_identity(scene(tmp_path / name), ("B02",), "archive"))
    assert told[0] == told[1]


def test_a_product_has_its_own_period_or_the_recipes(tmp_path: Path) -> None:
    project = project_of(tmp_path)
    section = project.recipe.products["s2"]
    assert project.period(section) == Period.year(2018)
    own = type(section).model_validate(section.model_dump() | {"period": {"start": "2018-06-01", "end": "2018-07-01"}})
    assert project.period(own) == Period.parse("2018-06-01", "2018-07-01")
    assert project.period(None) == Period.year(2018)


def test_seasons_come_in_order_of_their_years(tmp_path: Path) -> None:
    seasons = {str(year): {"start": f"{year}-04-01", "end": f"{year}-10-01"} for year in (2019, 2017, 2018)}
    project = project_of(
        tmp_path,
        "deepsatdata",
        period={"start": "2017-01-01", "end": "2020-01-01"},
        samples={"draw": "windows", "seasons": seasons},
    )
    assert list(project.seasons) == [2017, 2018, 2019]
    assert all(early.end <= late.start for early, late in itertools.pairwise(project.seasons.values()))
    assert project_of(tmp_path).seasons == {}


def test_a_layout_has_the_names_that_a_recipe_gives(tmp_path: Path) -> None:
    plain = project_of(tmp_path, "demo-landcovernet").layout
    assert (plain.name, plain.scheme, plain.names) == ("demo-landcovernet", "granule", None)
    named = project_of(tmp_path, "demo-landcovernet", stac={"item": "{collection}-{sample}"}).layout
    assert named.patterns.item == "{collection}-{sample}"
    assert named.patterns.dated_item == plain.patterns.dated_item
