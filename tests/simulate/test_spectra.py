"""Reflectance of the world through the year."""

from __future__ import annotations

import numpy as np
from tests.simulate.made import DEMO, GRID

from landloom.simulate.scene_frame import positions
from landloom.simulate.spectra import harvest_day
from landloom.simulate.vectors import parcel_polygons


def test_fields_are_cut_on_a_day_of_their_own() -> None:
    """Arable land is no harmonic: within two days a field loses most of its colour."""
    x, y = positions(GRID)
    parcels, polygons = parcel_polygons(DEMO.spec, (float(x.min()), float(y.min()), float(x.max()), float(y.max())))
    cut = harvest_day(DEMO.spec, parcels, 2018)
    assert len(set(np.round(cut, 3))) == cut.size
    before = DEMO.truth_reflectance(GRID, "2018-05-20", ("B04", "B08")).astype(float)
    after = DEMO.truth_reflectance(GRID, "2018-08-15", ("B04", "B08")).astype(float)
    arable = DEMO.land_cover(GRID) == 211
    ndvi = [((b[1] - b[0]) / (b[1] + b[0]))[arable] for b in (before, after)]
    assert np.median(ndvi[0]) > 0.5 > np.median(ndvi[1])
    assert len(polygons) > 20
