"""Blocks stay together."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely
from tests.training.splits.pairs import corners_of

from landloom.training.splits.make import SplitSettings, make_split

if TYPE_CHECKING:
    from landloom.query.index.sidecar import Sidecar

GAP = 3000.0


def test_regions_and_tiles_stay_together(sidecar: Sidecar) -> None:
    middles = corners_of(sidecar).mean(axis=1)
    edges = np.quantile(middles[:, 0], [0, 0.3, 0.6, 0.9])
    regions = {str(west): shapely.box(west, -90, east, 90) for west, east in pairwise(edges)}
    settings = SplitSettings(by="region", gap=0, shares={"a": 0.5, "b": 0.25, "c": 0.25})
    made, proof = make_split(sidecar, settings, regions)
    inside = (middles[:, 0] >= edges[0]) & (middles[:, 0] <= edges[-1])
    assert proof.outside == int((~inside).sum()) > 0
    assert (made.codes[~inside] == -1).all()
    for shape in regions.values():
        own = made.codes[shapely.contains_xy(shape, middles)]
        assert len(set(own.tolist())) == 1
    tiles, _ = make_split(sidecar, SplitSettings(by="tile", gap=0))
    runs = sidecar.run_of(np.arange(5_000, dtype=np.int32))
    assert all(len(set(tiles.codes[runs == run].tolist())) == 1 for run in set(runs.tolist()))
