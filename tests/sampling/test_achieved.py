"""What a draw reports is what its samples hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from landloom.sampling.achieved import country_shares
from landloom.sampling.allocate import areas, quotas
from landloom.sampling.draw import draw

if TYPE_CHECKING:
    import shapely

    from landloom.sampling.candidates import Candidates


@pytest.fixture(scope="module")
def wanted(region: shapely.Polygon, shapes: dict[str, shapely.Polygon]) -> dict[int, dict[str, int]]:
    """Quotas by area for some totals."""
    sizes = areas(region, shapes.items())
    return {total: quotas(sizes, total) for total in (120, 1000, 6000)}


def test_reported_divergences_are_those_of_the_samples(world: Candidates, wanted: dict[int, dict[str, int]]) -> None:
    found = draw(world, 1000, wanted[1000], seed=4)
    region, drawn = (world.labelled().toarray().sum(axis=0), world.labelled()[found.indices].toarray().sum(axis=0))
    assert np.allclose(found.region_shares, region / region.sum())
    assert np.allclose(found.draw_shares, drawn / drawn.sum())
    assert found.divergence == pytest.approx(jensenshannon(region, drawn, base=2) ** 2)
    east = world.countries.index("East")
    own = world.labelled()[found.indices[world.country[found.indices] == east]].toarray().sum(axis=0)
    target = world.labelled()[np.flatnonzero(world.country == east)].toarray().sum(axis=0)
    assert found.countries[east].divergence == pytest.approx(jensenshannon(own, target, base=2) ** 2)
    assert np.allclose(country_shares(world)[east], target / target.sum())
