"""Labels of no sample at all are a mistake nearly always: refused with both extents, or counted where meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st

from landloom.engine.sources.unlabelled import bounds_of, label_notes, require_labels, unlabelled
from landloom.engine.units import Note, NoteKind, Outcome
from landloom.errors import InvalidInputError
from landloom.model.ids import TileId
from landloom.model.recipe import LabelSource
from landloom.model.sample import Sample

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = LabelSource(taxonomy="clc", file="x", column="code")
HERE = (14.9, 52.1, 15.1, 52.3)


def outcome(*notes: tuple[NoteKind, str, int]) -> Outcome:
    return Outcome(files=(), notes=tuple(Note(kind=kind, what=what, count=count) for kind, what, count in notes))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Labels in Italy: polygons in metres, and a raster."""
    box = geopandas.GeoSeries([shapely.box(8, 45, 9, 46)], crs=4326)
    geopandas.GeoDataFrame({"code": ["311"]}, geometry=box).to_crs(32632).to_file(tmp_path / "x.gpkg")
    with rasterio.open(
        tmp_path / "x.tif",
        "w",
        driver="GTiff",
        dtype="uint8",
        count=1,
        height=10,
        width=10,
        crs="EPSG:4326",
        transform=rasterio.Affine(0.1, 0, 8, 0, -0.1, 46),
    ) as file:
        file.write(np.ones((10, 10), np.uint8), 1)
    return {name: str(tmp_path / name) for name in ("x.gpkg", "x.tif")}


@pytest.mark.parametrize("name", ["x.gpkg", "x.tif"])
def test_labels_elsewhere_are_refused_with_both_extents(files: dict[str, str], name: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        require_labels(files[name], SOURCE, 6, 6, HERE)
    told = str(refused.value)
    assert told.startswith(f"{files[name]}: no label lies in any of the 6 cells; it reaches from ")
    assert "degrees east and from 45 to 46 degrees north" in told or "from 44.9" in told
    assert "lie from 14.9 to 15.1 degrees east and from 52.1 to 52.3 degrees north" in told


def test_one_label_is_enough_and_none_may_be_meant(files: dict[str, str]) -> None:
    require_labels(files["x.gpkg"], SOURCE, 5, 6, HERE)
    require_labels(files["x.gpkg"], SOURCE.model_copy(update={"allow_empty": True}), 6, 6, HERE)


@given(st.lists(st.lists(st.tuples(st.sampled_from(NoteKind), st.just("x"), st.integers(1, 9)), max_size=4)))
def test_cells_without_labels_are_counted_over_all_units(told: list[list[Any]]) -> None:
    wanted = sum(count for notes in told for kind, _, count in notes if kind is NoteKind.UNLABELLED)
    assert unlabelled(outcome(*notes) for notes in told) == wanted


def test_lines_say_what_was_survived_each_repaired_row_once() -> None:
    row = (NoteKind.REPAIRED, "feature 2: Self-intersection", 1)
    outcomes = {
        "33N_a": outcome(row, (NoteKind.OVERLAP, "311 and 211", 1), (NoteKind.OVERLAP, "311 and 512", 1)),
        "33N_b": outcome(row, (NoteKind.UNLABELLED, "cells without any label", 1200)),
        "33N_c": outcome((NoteKind.OVERLAP, "311 and 211", 1)),
    }
    assert label_notes("clc", outcomes, 3600) == [
        "clc: 1,200 of 3,600 samples without any label",
        "clc: feature 2: Self-intersection: repaired",
        "clc, 33N_a: 2 overlapping pairs; the ground goes to the smaller polygon",
        "clc, 33N_c: 1 overlapping pair; the ground goes to the smaller polygon",
    ]
    assert label_notes("clc", {"33N_d": outcome()}, 10) == []


def test_bounds_are_those_of_all_samples_in_degrees() -> None:
    samples = [Sample.of_utm24(cell) for cell in TileId.parse("33N_16E-243N").samples()[::77]]
    west, south, east, north = bounds_of(samples)
    assert shapely.union_all([sample.footprint for sample in samples]).bounds == (west, south, east, north)
    assert 12 < west < east < 18
