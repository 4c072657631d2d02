from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.model.granules import granule_grid
from landloom.model.ids import ChipId, GranuleId
from landloom.sampling.chips import draw_chips

if TYPE_CHECKING:
    from landloom.model.sample import Sample

GRANULE = GranuleId.parse("37TDK")


def places(chips: tuple[Sample, ...]) -> list[tuple[int, int]]:
    """First row and column in the granule's 10 m grid."""
    outer = granule_grid(GRANULE, 10)
    return [chip.grid(10).offset_in(outer) for chip in chips]


@pytest.mark.parametrize("seed", range(5))
def test_chips_nest_in_the_granule_and_never_overlap(seed: int) -> None:
    chips = draw_chips(GRANULE, 30, seed)
    outer = granule_grid(GRANULE, 10)
    assert [str(chip.id) for chip in chips] == [f"37TDK_{i:02d}" for i in range(30)]
    assert all(ChipId.parse(str(chip.id)) == chip.id and chip.epsg == outer.epsg for chip in chips)
    for row, column in places(chips):
        assert 0 <= row <= outer.height - 256
        assert 0 <= column <= outer.width - 256
        assert row % 6 == 0
        assert column % 6 == 0
    boxes = [shapely.box(*chip.bounds) for chip in chips]
    assert not any(a.intersects(b) and a.intersection(b).area > 0 for a, b in combinations(boxes, 2))


def test_all_places_together_do_not_overlap_either() -> None:
    chips = draw_chips(GRANULE, 42 * 42, 1)
    starts = np.array(places(chips))
    assert len(np.unique(starts, axis=0)) == 42 * 42
    assert all(np.diff(np.unique(starts[:, axis])).min() >= 256 for axis in (0, 1))


@pytest.mark.parametrize("cells", [61, 183, 1830, 2745])
def test_chips_keep_clear_of_nodata_at_any_resolution(cells: int) -> None:
    yy, xx = np.mgrid[0:cells, 0:cells] / cells
    valid = xx + 0.3 * yy > 0.6  # a swath's edge
    scale = 10980 // cells
    chips = draw_chips(GRANULE, 200, 1, valid=valid)
    for row, column in places(chips):
        touched = valid[row // scale : -(-(row + 256) // scale), column // scale : -(-(column + 256) // scale)]
        assert touched.size
        assert touched.all()


def test_chips_take_turns_over_the_classes_of_a_map() -> None:
    classes = np.zeros((183, 183), dtype=np.uint8)
    classes[:, :20] = 7  # a tenth of the granule
    classes[:10] = 3
    chips = draw_chips(GRANULE, 30, 2, classes=classes)
    parts = [classes[r // 60 : (r + 256) // 60, c // 60 : (c + 256) // 60] for r, c in places(chips)]
    counts = np.bincount([np.bincount(part.ravel()).argmax() for part in parts], minlength=8)
    assert counts[[0, 3, 7]].tolist() == [10, 10, 10]


def test_scarce_classes_give_what_they_have() -> None:
    classes = np.zeros((183, 183), dtype=np.int16)
    classes[:6, :6] = 5
    chips = draw_chips(GRANULE, 30, 2, classes=classes)
    assert len({str(chip.id) for chip in chips}) == 30


def test_seed_and_granule_decide() -> None:
    first = places(draw_chips(GRANULE, 5, 1))
    assert first == places(draw_chips(GRANULE, 5, 1))
    assert first != places(draw_chips(GRANULE, 5, 2))
    other = GranuleId.parse("37TEK")
    grid = granule_grid(other, 10)
    assert first != [chip.grid(10).offset_in(grid) for chip in draw_chips(other, 5, 1)]


def test_too_few_places_are_refused_with_the_granule_named() -> None:
    with pytest.raises(InvalidInputError, match="37TDK: got 0 places"):
        draw_chips(GRANULE, 1, 1, valid=np.zeros((10, 10), bool))
    with pytest.raises(InvalidValueError, match=r"shape \(4,\)"):
        draw_chips(GRANULE, 1, 1, valid=np.zeros(4, bool))
    with pytest.raises(InvalidValueError, match="chips of 20000 pixels"):
        draw_chips(GRANULE, 1, 1, size=20_000)
