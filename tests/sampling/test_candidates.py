from __future__ import annotations

import numpy as np
import pytest
import shapely
from scipy.sparse import csr_array

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.model.grid import WGS84, transformer
from landloom.model.ids import CELL_SIZE, SampleId, TileId
from landloom.sampling.candidates import Candidates
from landloom.sampling.zone_cells import candidate_cells


def test_every_cell_lies_in_the_country_that_holds_its_centre(
    world: Candidates, shapes: dict[str, shapely.Polygon], region: shapely.Polygon
) -> None:
    rng = np.random.default_rng(1)
    some = np.sort(rng.choice(len(world), 400, replace=False))
    for cell, country in zip(world.ids(some), world.country[some], strict=True):
        w, s, _, _ = cell.grid(CELL_SIZE).bounds
        lon, lat = transformer(cell.zone.epsg, WGS84).transform(w + 300, s + 300)
        assert shapely.contains_xy(region, lon, lat)
        assert shapely.contains_xy(shapes[world.countries[country]], lon, lat)
        in_dot = shapely.contains_xy(shapes["Dot"], lon, lat)
        assert (world.countries[country] == "Dot") == in_dot  # listed first, it wins


def test_cells_without_a_country_are_left_out() -> None:
    region = shapely.box(12.1, 50.0, 12.3, 50.1)
    half = candidate_cells(region, [("A", shapely.box(12.1, 49, 12.2, 51))])
    assert 0 < len(half) < len(candidate_cells(region))


def test_a_region_without_cells_is_empty() -> None:
    empty = candidate_cells(shapely.box(12.1, 50.0, 12.1001, 50.0001), [("A", shapely.box(0, 0, 20, 60))])
    assert (len(empty), empty.countries) == (0, ("A",))


def test_corners_agree_with_the_grid_of_ids(world: Candidates) -> None:
    west, south = world.corners()
    for at, cell in zip(range(0, 3000, 100), world.ids(np.arange(0, 3000, 100)), strict=True):
        assert (west[at], south[at]) == cell.grid(CELL_SIZE).bounds[:2]


def test_ids_of_listed_cells_come_back_sorted() -> None:
    names = ["33S_16E-243N_29_01", "33N_16E-243N_29_01", "33N_16E-243N_03_40", "02N_16E-243N_29_01"]
    cells = Candidates.of_ids([SampleId.parse(name) for name in names], ["a", "b", "a", "c"])
    assert [str(cell) for cell in cells.ids()] == sorted(names)
    assert [cells.countries[i] for i in cells.country] == ["c", "a", "b", "a"]


def test_invalid_polygons_and_doubled_names_are_named() -> None:
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(InvalidInputError, match=r"country 'Bow'.*Self-intersection"):
        candidate_cells(shapely.box(0, 0, 1, 1), [("Bow", bow)])
    with pytest.raises(InvalidInputError, match="more than once: A"):
        candidate_cells(shapely.box(0, 0, 1, 1), [("A", shapely.box(0, 0, 1, 1)), ("A", shapely.box(2, 2, 3, 3))])


def test_fractions_must_sum_to_a_million() -> None:
    cells = Candidates.of_ids(TileId.parse("33N_16E-243N").samples()[:2])
    with pytest.raises(InvalidValueError, match="33N_16E-243N_01_02"):
        cells.with_fractions(csr_array(np.array([[1_000_000, 0], [999_999, 0]])))
    with pytest.raises(InvalidValueError, match="got fractions of 1 cells"):
        cells.with_fractions(csr_array(np.array([[1_000_000, 0]])))
    with pytest.raises(InvalidValueError, match="labelled first"):
        cells.labelled()
