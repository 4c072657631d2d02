from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from scipy.sparse import csr_array

from landloom.model.grid import transformer
from landloom.model.ids import CELL_SIZE, SampleId
from landloom.sampling.candidates import Candidates
from landloom.sampling.overlap import independent, overlapping_pairs
from landloom.sampling.zone_cells import candidate_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray


def true_pairs(cells: Candidates) -> set[tuple[int, int]]:
    """Footprints of all cells in a projection of the middle, every pair of them intersected."""
    outlines = [cell.footprint for cell in cells.ids()]
    longitude, latitude = shapely.get_coordinates(outlines[0])[0]

    def flat(points: NDArray[np.float64]) -> NDArray[np.float64]:
        turned = points.copy()
        # Around the antimeridian too: longitudes as distances from the first cell's.
        turned[:, 0] = (turned[:, 0] - longitude + 180) % 360 - 180
        return np.asarray(turned * np.array([111_320 * np.cos(np.radians(latitude)), 111_320]))

    shapes = [shapely.transform(shape, flat) for shape in outlines]
    return {
        (a, b)
        for a, b in combinations(range(len(shapes)), 2)
        if shapely.area(shapely.intersection(shapes[a], shapes[b])) > 1.0
    }


@pytest.mark.parametrize(
    "region",
    [
        shapely.box(11.98, 52.0, 12.02, 52.02),
        shapely.box(11.985, -33.15, 12.015, -33.0),
        shapely.box(14.98, -0.02, 15.02, 0.02),
        shapely.box(11.985, -0.012, 12.015, 0.012),
        shapely.box(29.9, 79.99, 30.1, 80.01),
        shapely.MultiPolygon([shapely.box(179.98, 10, 180, 10.02), shapely.box(-180, 10, -179.98, 10.02)]),
    ],
    ids=["zones", "south", "equator", "four zones", "far north", "antimeridian"],
)
def test_pairs_are_those_whose_footprints_overlap(region: shapely.Geometry) -> None:
    cells = candidate_cells(region)
    found = {(a, b) for a, b in overlapping_pairs(cells).tolist()}
    expected = true_pairs(cells)
    assert expected
    assert expected <= found
    assert len(found - expected) <= 1  # one that merely touches may be counted in


def test_cells_far_from_borders_never_overlap() -> None:
    assert len(overlapping_pairs(candidate_cells(shapely.box(15.0, 50.0, 15.2, 50.1)))) == 0


def test_the_independent_set_is_maximal_and_leaves_nothing_overlapping() -> None:
    cells = candidate_cells(shapely.box(11.9, 51.9, 12.1, 52.1))
    kept = independent(cells)
    assert len(overlapping_pairs(cells.take(kept))) == 0
    neighbours: dict[int, set[int]] = {}
    for a, b in overlapping_pairs(cells).tolist():
        neighbours.setdefault(a, set()).add(b)
        neighbours.setdefault(b, set()).add(a)
    for left_out in np.flatnonzero(~kept).tolist():
        assert any(kept[other] for other in neighbours[left_out])


def test_the_cell_with_the_rarer_class_is_kept() -> None:
    cells = candidate_cells(shapely.box(11.985, 52.0, 12.015, 52.01))
    loser = int(np.flatnonzero(~independent(cells))[0])
    dense = np.zeros((len(cells), 2), dtype=np.uint32)
    dense[:, 0] = 1_000_000
    dense[loser] = [0, 1_000_000]
    assert independent(cells.with_fractions(csr_array(dense)))[loser]


def test_distant_zones_are_not_compared() -> None:
    cells = Candidates.of_ids([SampleId.parse(f"{zone}_16E-243N_01_01") for zone in ("10N", "40S", "33N")])
    assert overlapping_pairs(cells).shape == (0, 2)


def test_the_footprint_of_a_neighbour_bends_by_less_than_what_counts_as_touching() -> None:
    cell = SampleId.parse("33N_07E-240N_08_11")
    west, south, east, north = cell.grid(CELL_SIZE).bounds
    middle = transformer(cell.zone.epsg, 32632).transform((west + east) / 2, south)
    corners = transformer(cell.zone.epsg, 32632).transform(np.array([west, east]), np.array([south, south]))
    sag = np.hypot(middle[0] - np.mean(corners[0]), middle[1] - np.mean(corners[1]))
    assert 0 < sag < 0.05
    assert north - south == CELL_SIZE
