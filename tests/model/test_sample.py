"""Samples: grids cover the bounds with one shape, footprints are the outlines reprojected, tiles keep id order."""

from __future__ import annotations

import random

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from landloom.model.grid import WGS84, Grid
from landloom.model.ids import ChipId, SampleId, TileId, WindowId
from landloom.model.sample import Sample, by_tile
from landloom.model.shapes import reproject


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([10.0, 20.0, 60.0, 3.0]))
def test_pixels_of_utm24_samples_fill_the_cell(row: int, column: int, resolution: float) -> None:
    identity = SampleId.parse(f"33N_16E-243N_{row:02d}_{column:02d}")
    sample = Sample.of_utm24(identity)
    grid = sample.grid(resolution)
    assert grid == identity.grid(resolution)
    assert grid.bounds == sample.bounds
    assert sample.side == 600


@given(st.integers(1, 400), st.integers(1, 400), st.sampled_from([24, 25, 64]), st.sampled_from([10.0, 20.0, 60.0]))
def test_native_blocks_of_windows_cover_them_and_have_one_shape(
    row: int, column: int, size: int, resolution: float
) -> None:
    def at(row: int, column: int) -> Sample:
        west, north = 499_980.0 + 10 * size * column, 5_100_000.0 - 10 * size * row
        identity = WindowId.parse(f"33N-499980E-5100000N_{row:04d}_{column:04d}")
        return Sample(id=identity, epsg=32633, bounds=(west, north - 10 * size, west + 10 * size, north))

    sample = at(row, column)
    grid = sample.grid(resolution)
    assert grid.shape == at(1, 1).grid(resolution).shape
    west, south, east, north = grid.bounds
    assert west <= sample.bounds[0]
    assert south <= sample.bounds[1]
    assert east >= sample.bounds[2]
    assert north >= sample.bounds[3]
    assert west % resolution == north % resolution == 0 or grid.bounds == sample.bounds


def test_the_footprint_is_the_outline_in_degrees() -> None:
    sample = Sample.of_utm24(SampleId.parse("35N_19E-292N_23_31"))
    wanted = reproject(Grid.of_bounds(sample.epsg, sample.bounds, 600).outline(), sample.epsg, WGS84)
    assert sample.footprint.equals_exact(wanted, 1e-12, normalize=True)
    assert [round(number, 5) for number in shapely.get_coordinates(sample.footprint)[0]] == [26.49348, 63.29178]


def test_samples_are_grouped_by_tile_in_id_order() -> None:
    names = ("33N_16E-243N", "32N_29E-231N")
    samples = [Sample.of_utm24(identity) for name in names for identity in TileId.parse(name).samples()[:5]]
    shuffled = random.Random(1).sample(samples, len(samples))  # noqa: S311
    found = by_tile(shuffled)
    assert list(found) == sorted(names)
    assert {tile: list(group) for tile, group in found.items()} == {
        tile: sorted((one for one in samples if one.tile == tile), key=lambda one: str(one.id)) for tile in names
    }


def test_other_schemes_have_no_cell_of_their_own() -> None:
    with pytest.raises(TypeError, match="got ChipId, expected SampleId"):
        Sample.of_utm24(ChipId.parse("37TDK_27"))
