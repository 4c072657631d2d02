"""The map of chosen granules: a picture of the draw, the same bytes each time."""

from __future__ import annotations

import io

import numpy as np
from matplotlib import image

from landloom.model.granules import granule_footprint, granules_in
from landloom.samplers.granules.figures import draw_figure
from landloom.sampling.granules import CLASSES, GranuleTable, draw_granules


def table() -> GranuleTable:
    """Some hundred granules of two continents with random shares."""
    import shapely

    ids = granules_in(shapely.box(5, 40, 20, 55))
    places = np.array([(one.x, one.y) for one in (granule_footprint(name).centroid for name in ids)])
    shares = np.random.default_rng(2).dirichlet(np.ones(CLASSES), len(ids))
    names = ["Europe" if x < 12 else "Asia" for x in places[:, 0]]
    return GranuleTable.of_rows(ids, names, places, shares)


def test_a_draw_is_drawn() -> None:
    rows = table()
    drawn = draw_granules(rows, {"Europe": 12, "Asia": 9}, 1, method="ecdf-uniform", water=1.0, barren=1.0)
    other = draw_granules(rows, {"Europe": 12, "Asia": 9}, 2, method="random", water=1.0, barren=1.0)
    picture = draw_figure(rows, drawn)
    assert picture == draw_figure(rows, drawn) != draw_figure(rows, other)
    shown = image.imread(io.BytesIO(picture))
    assert min(shown.shape[:2]) > 500
    assert len(np.unique(shown.reshape(-1, shown.shape[2]), axis=0)) > 20
