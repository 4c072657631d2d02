"""Land cover of the world."""

from __future__ import annotations

import numpy as np
from tests.simulate.made import DEMO

from landloom.model.grid import Grid
from landloom.simulate.landscape import LANDCOVERNET
from landloom.simulate.spectra import CODES


def test_the_world_has_many_classes_and_landcovernet_knows_them() -> None:
    found = set()
    for place in DEMO.spec.places:
        found |= set(np.unique(DEMO.land_cover(Grid.of_bounds(place.epsg, place.bounds, 60))).tolist())
    assert len(found) >= 14
    assert sorted(code for members in LANDCOVERNET.values() for code in members) == sorted(CODES)
