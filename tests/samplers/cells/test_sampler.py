"""Samples of 600 m cells: all of a region, those that are listed, and a draw by country and class."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.projects import project_of

from landloom.engine.context import build_context
from landloom.engine.scenes.archives import Archives
from landloom.errors import InvalidInputError, RecipeError
from landloom.model.ids import CELL_SIZE, SampleId, TileId
from landloom.model.recipe import VectorSource
from landloom.model.shapes import reproject
from landloom.samplers.cells.sampler import AllCellsSampler, AreaClassSampler, ListedCellsSampler
from landloom.samplers.cells.section import AllCells, AreaClassDraw, ListedCells

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.kinds import Sampler
    from landloom.engine.placement import Placement

TILE = TileId.parse("33N_16E-243N")
CELLS = TILE.samples()
NEAR = [
    cell
    for east, north in itertools.product((-1, 0, 1), repeat=2)
    for cell in TileId(TILE.zone, TILE.east + east, TILE.north + north).samples()
]
CENTRES = np.array([(grid.west + 300, grid.north - 300) for grid in (cell.grid(CELL_SIZE) for cell in NEAR)])
SAMPLERS: dict[str, Sampler[Any]] = {
    "all": AllCellsSampler(),
    "list": ListedCellsSampler(),
    "area-class": AreaClassSampler(),
}


def placed(folder: Path, samples: dict[str, Any], **changes: Any) -> Placement:
    project = project_of(folder, samples=samples, **changes)
    with build_context(folder / "corpus") as context:
        archives = Archives(project, context)
        sampler: Sampler[Any] = SAMPLERS[samples["draw"]]
        return sampler.place(project, project.recipe.samples, context, archives)


def bounds_of(cells: list[SampleId]) -> list[float]:
    shapes = [reproject(cell.grid(CELL_SIZE).outline(), cell.zone.epsg, 4326) for cell in cells]
    return list(shapely.union_all(shapes).buffer(1e-4).bounds)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(st.floats(13.3, 13.6), st.floats(52.6, 52.7), st.floats(0.005, 0.06), st.floats(0.005, 0.06))
def test_all_cells_are_those_whose_centre_lies_in_the_region(
    tmp_path: Path, west: float, south: float, width: float, height: float
) -> None:
    box = shapely.box(west, south, west + width, south + height)
    placement = placed(tmp_path, {"draw": "all"}, region={"bounds": list(box.bounds)}, labels={})
    area = reproject(shapely.segmentize(box, 0.002), 4326, TILE.zone.epsg)
    at_least, at_most = (
        {NEAR[place] for place in np.flatnonzero(shapely.contains_xy(area.buffer(metres), CENTRES))}
        for metres in (-1, 1)
    )
    found = [sample.id for sample in placement.samples if isinstance(sample.id, SampleId)]
    assert at_least <= set(found) <= at_most
    assert found == sorted(set(found))


def test_listed_cells_come_in_order_whether_from_the_recipe_or_a_file(tmp_path: Path) -> None:
    own = [CELLS[9], CELLS[700], CELLS[3]]
    region = {"bounds": bounds_of(own)}
    texts = [str(cell) for cell in own]
    by_recipe = placed(tmp_path, {"draw": "list", "ids": texts}, region=region)
    (tmp_path / "cells.txt").write_text("# three\n\n" + "\n".join(f"  {text} " for text in texts), encoding="utf-8")
    by_file = placed(tmp_path, {"draw": "list", "file": "cells.txt"}, region=region)
    assert [sample.id for sample in by_file.samples] == sorted(own)
    assert by_recipe.samples == by_file.samples
    with pytest.raises(InvalidInputError, match=f"more than once: {texts[0]}"):
        placed(tmp_path, {"draw": "list", "ids": [*texts, texts[0]]}, region=region)


def test_every_id_that_cannot_be_used_is_named_where_it_stands(tmp_path: Path) -> None:
    outside = SampleId.parse("33N_20E-243N_01_01")
    (tmp_path / "cells.txt").write_text(f"{CELLS[0]}\nnonsense\n{outside}\n", encoding="utf-8")
    region = {"bounds": bounds_of([CELLS[0]])}
    with pytest.raises(InvalidInputError) as refused:
        placed(tmp_path, {"draw": "list", "file": "cells.txt"}, region=region)
    told = str(refused.value)
    assert told.startswith("2 sample ids cannot be used:")
    assert "cells.txt, line 2: got 'nonsense'" in told
    assert f"cells.txt, line 3: got '{outside}', a cell outside the region" in told
    many = [f"{TILE}_{row:02}_41" for row in range(1, 31)]
    with pytest.raises(InvalidInputError, match=r"(?s)30 sample ids cannot be used.*… and 10 more"):
        placed(tmp_path, {"draw": "list", "ids": many}, region=region)
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInputError, match=r"bytes\.txt, line 1: is not utf-16 text"):
        placed(tmp_path, {"draw": "list", "file": "bytes.txt"}, region=region)


def test_a_list_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"none\.txt: cannot be read"):
        placed(tmp_path, {"draw": "list", "file": "none.txt"})


@pytest.mark.parametrize("draw", ["all", "area-class"])
def test_a_region_of_the_world_is_refused_before_it_is_counted(tiny: Path, tmp_path: Path, draw: str) -> None:
    (tmp_path / "archive").symlink_to((tiny / "archive").resolve())
    samples = {"draw": draw}
    if draw == "area-class":
        samples = project_of(tmp_path).recipe.document()["samples"]
    with pytest.raises(InvalidInputError, match=r"about 1,3.* cells of 600 m, expected at most 50,000,000"):
        placed(tmp_path, samples, region={"bounds": [-179, -80, 179, 80]})


# The draw ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def drawn(tiny: Path, tmp_path: Path) -> dict[str, Any]:
    """The section of a draw, beside its inputs."""
    (tmp_path / "archive").symlink_to((tiny / "archive").resolve())
    return {**project_of(tmp_path).recipe.document()["samples"], "count": 6}


def test_a_draw_keeps_to_quotas_and_says_how_near_it_came(drawn: dict[str, Any], tmp_path: Path) -> None:
    placement = placed(tmp_path, drawn)
    assert len(placement.samples) == 6
    countries = geopandas.read_file(tmp_path / "archive/countries.geojson").to_crs(4326).set_index("id").geometry
    for sample in placement.samples:
        assert countries[sample.stratum].buffer(1e-3).contains(sample.footprint.centroid)
    told = placement.draw
    assert told is not None
    achieved = {one["name"]: one["achieved"] for one in told["countries"]}
    strata = [sample.stratum for sample in placement.samples]
    assert {name: strata.count(name) for name in achieved} == achieved
    assert sum(one["wanted"] for one in told["countries"]) == 6
    assert sum(told["draw_shares"]) == pytest.approx(1)
    assert sum(told["region_shares"]) == pytest.approx(1)
    assert len(told["classes"]) == len(told["draw_shares"])
    boxes = [shapely.box(*sample.bounds) for sample in placement.samples]
    assert len({sample.id for sample in placement.samples}) == len(boxes)


def test_the_same_recipe_draws_the_same(drawn: dict[str, Any], tmp_path: Path) -> None:
    first, again = placed(tmp_path, drawn), placed(tmp_path, drawn)
    assert (first.samples, first.draw) == (again.samples, again.draw)


def test_samples_are_gathered_in_as_many_tiles_as_are_asked_for(drawn: dict[str, Any], tmp_path: Path) -> None:
    placement = placed(tmp_path, drawn | {"count": 2, "tiles": 2})
    assert len(placement.tiles) == 2


def test_a_region_without_strata_is_said(drawn: dict[str, Any], tmp_path: Path) -> None:
    """Nearly always swapped axes."""
    with pytest.raises(
        InvalidInputError, match=r"lies in any stratum of .*: are the region's axes longitude, latitude"
    ):
        placed(tmp_path, drawn, region={"bounds": [50.1, 11.8, 50.2, 12.3]})


def test_labels_that_a_draw_goes_by_have_to_be_there(drawn: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as refused:
        project_of(tmp_path, samples=drawn | {"labels": "corine"})
    (problem,) = refused.value.problems
    assert (problem.where, problem.what) == ("samples.labels", "got 'corine', expected one of ['clc']")


def test_what_is_stated_and_which_files_are_named() -> None:
    draw = AreaClassDraw(count=9, tiles=4, strata=VectorSource(file="c.gpkg", column="id"), labels="clc")
    listed, filed = ListedCells(draw="list", ids=("a", "b")), ListedCells(draw="list", file="c.txt")
    stated = [
        (one.count, one.tiles, one.side)
        for one in (
            AreaClassSampler().stated(None, draw),  # type: ignore[arg-type]
            AllCellsSampler().stated(None, AllCells(draw="all")),  # type: ignore[arg-type]
            ListedCellsSampler().stated(None, listed),  # type: ignore[arg-type]
            ListedCellsSampler().stated(None, filed),  # type: ignore[arg-type]
        )
    ]
    assert stated == [(9, 4, 600.0), (None, None, 600.0), (2, None, 600.0), (None, None, 600.0)]
    assert [*AreaClassSampler().files(draw)] == ["c.gpkg"]
    assert [*ListedCellsSampler().files(filed), *ListedCellsSampler().files(listed)] == ["c.txt"]
