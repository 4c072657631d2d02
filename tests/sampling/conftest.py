"""A small world with known class fractions, across a border of zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from scipy.sparse import csr_array

from landloom.sampling.zone_cells import candidate_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.sampling.candidates import Candidates

CLASSES = 12
REGION = shapely.box(11.0, 50.0, 13.0, 51.0)
COUNTRIES = {
    "Dot": shapely.Point(12.0, 50.3).buffer(0.03),
    "East": shapely.Polygon([(12.3, 49.0), (14.0, 49.0), (14.0, 52.0), (12.6, 52.0), (12.6, 50.6), (12.3, 50.6)]),
    "Middle": shapely.box(11.4, 49.0, 12.3, 50.6),
    "North": shapely.box(11.4, 50.6, 12.6, 52.0),
    "West": shapely.box(10.0, 49.0, 11.4, 52.0),
}


def simulated_fractions(cells: Candidates, seed: int) -> csr_array:
    """Patches of one class each with an edge of two others; the last class lies in one cell only."""
    rng = np.random.default_rng(seed)
    patch = cells.tile_index().astype(np.int64) * 64 + (cells.row - 1) // 6 * 8 + (cells.column - 1) // 6
    weights = rng.dirichlet(0.8 / (1 + np.arange(CLASSES - 1)), len(cells.countries)).cumsum(axis=1)
    value = rng.random(patch.max() + 1)[patch]
    base = (value[:, None] > weights[cells.country]).sum(axis=1)
    dense: NDArray[np.uint32] = np.zeros((len(cells), CLASSES), dtype=np.uint32)
    rows = np.arange(len(cells))
    edge = rng.integers(0, 400_000, len(cells))
    dense[rows, np.minimum(base, CLASSES - 2)] += (1_000_000 - edge).astype(np.uint32)
    dense[rows, (base + 3) % (CLASSES - 1)] += edge.astype(np.uint32)
    only = int(rng.choice(np.flatnonzero(cells.country == 1)))
    dense[only] = 0
    dense[only, [0, CLASSES - 1]] = 700_000, 300_000
    return csr_array(dense)


@pytest.fixture(scope="session")
def region() -> shapely.Polygon:
    """Where the world lies."""
    return REGION


@pytest.fixture(scope="session")
def shapes() -> dict[str, shapely.Polygon]:
    """Its countries; the dot lies within another and is listed first."""
    return COUNTRIES


@pytest.fixture(scope="session")
def world(region: shapely.Polygon, shapes: dict[str, shapely.Polygon]) -> Candidates:
    """Some 52,000 labelled cells of five countries in zones 32 and 33."""
    cells = candidate_cells(region, list(shapes.items()))
    return cells.with_fractions(simulated_fractions(cells, 3))
