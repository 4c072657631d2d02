"""Chips of granules that overlap, within a zone, across a border of zones, at the equator and the antimeridian."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import shapely

from landloom.imagery.resample import repeat
from landloom.model.grid import transformer
from landloom.model.ids import GranuleId
from landloom.sampling.chips import draw_chips
from landloom.sampling.neighbours import neighbours_of, own_ground

GROUPS = [
    ["33TWL", "33TXL", "33TWK", "33TXK"],
    ["32TQM", "33TTG", "32TQL", "33TUG"],
    ["31NBA", "31MBV", "30NZF"],
    ["60KXF", "01KAA", "60KXE"],
]


@pytest.mark.parametrize("names", GROUPS, ids="-".join)
@pytest.mark.parametrize("seed", range(2))
def test_chips_of_neighbours_never_overlap(names: list[str], seed: int) -> None:
    granules = [GranuleId.parse(name) for name in names]
    near = neighbours_of(granules)
    assert any(near.values())
    drawn = {}
    for granule in granules:
        kept = own_ground(granule, granules)
        assert (kept == own_ground(granule, near[granule])).all()
        chips = draw_chips(granule, int(kept.mean() * 1_000), seed, valid=repeat(kept, 10))
        drawn[granule] = [shapely.segmentize(shapely.box(*chip.bounds), 60) for chip in chips]
    for one, other in combinations(granules, 2):
        moved = transformer(one.zone.epsg, other.zone.epsg)
        tree = shapely.STRtree(drawn[other])
        seen = [shapely.Polygon(np.column_stack(moved.transform(*chip.exterior.xy))) for chip in drawn[one]]
        assert not len(tree.query(seen, predicate="overlaps")[0]), f"{one} and {other}"
        assert not len(tree.query(seen, predicate="within")[0]), f"{one} and {other}"


def test_chips_without_the_rule_do_overlap() -> None:
    """The oracle above sees what it should."""
    one, other = (GranuleId.parse(name) for name in GROUPS[0][:2])
    theirs = shapely.STRtree([shapely.box(*chip.bounds) for chip in draw_chips(other, 1_000, 1)])
    ours = [shapely.box(*chip.bounds) for chip in draw_chips(one, 1_000, 1)]
    assert len(theirs.query(ours, predicate="overlaps")[0])
