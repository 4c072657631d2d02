from __future__ import annotations

import random
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from shapely import MultiPolygon, box, union_all

from landloom.archive.granule_cover import EXACT_UP_TO, fewest_granules, granules_for
from landloom.archive.selection import equal_area

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

REGION = box(10, 45, 13, 47)


def squares(seed: int, count: int = 9) -> dict[str, BaseGeometry]:
    chance = random.Random(seed)  # noqa: S311
    outlines: dict[str, BaseGeometry] = {}
    for number in range(count):
        west, south = chance.uniform(9, 12.5), chance.uniform(44, 46.5)
        outlines[f"g{number}"] = box(west, south, west + chance.uniform(1, 3), south + chance.uniform(1, 3))
    return outlines


def test_shares_are_largest_first() -> None:
    shares = granules_for(REGION, squares(1) | {"far": box(50, 50, 51, 51), "beside": box(13, 45, 14, 47)})
    values = [row.share for row in shares]
    assert values == sorted(values, reverse=True)
    assert {"far", "beside"}.isdisjoint(row.granule for row in shares)
    for row in shares:
        outline = squares(1)[row.granule]
        part, whole = equal_area(outline.intersection(REGION)).area, equal_area(REGION).area
        assert row.share == pytest.approx(part / whole, rel=1e-9)


@pytest.mark.parametrize("seed", range(25))
def test_no_fewer_granules_would_do(seed: int) -> None:
    outlines = squares(seed)
    coverable = union_all(list(outlines.values())).intersection(REGION)
    cover = fewest_granules(REGION, outlines)
    assert cover.exact
    assert _holds(coverable, [outlines[name] for name in cover.granules])
    for fewer in combinations(outlines.values(), len(cover.granules) - 1):
        assert not _holds(coverable, list(fewer))
    assert cover.uncovered == pytest.approx(1 - equal_area(coverable).area / equal_area(REGION).area, abs=1e-6)


def _holds(coverable: BaseGeometry, outlines: list[BaseGeometry]) -> bool:
    return coverable.difference(union_all(outlines)).area < 1e-7


def test_larger_shares_win_among_equals() -> None:
    outlines = {"small": box(11.5, 45, 13, 47), "large": box(10.5, 45, 13, 47), "west": box(9, 45, 12, 47)}
    assert fewest_granules(REGION, outlines).granules == ("large", "west")


def test_greedy_stands_in_for_many_and_says_so() -> None:
    chance = random.Random(3)  # noqa: S311
    outlines: dict[str, BaseGeometry] = {}
    for number in range(EXACT_UP_TO + 40):
        west, south = chance.uniform(9.5, 12.8), chance.uniform(44.5, 46.8)
        outlines[f"g{number:03d}"] = box(west, south, west + 0.9, south + 0.9)
    cover = fewest_granules(REGION, outlines)
    coverable = union_all(list(outlines.values())).intersection(REGION)
    assert not cover.exact
    assert _holds(coverable, [outlines[name] for name in cover.granules])
    assert len(cover.granules) < len(outlines) / 2


def test_a_region_that_nothing_covers() -> None:
    cover = fewest_granules(REGION, {"far": box(50, 50, 51, 51)})
    assert cover.granules == ()
    assert cover.uncovered == pytest.approx(1.0)
    assert granules_for(REGION, {}) == ()


def test_across_the_antimeridian() -> None:
    region = MultiPolygon([box(179, -17, 180, -16), box(-180, -17, -179, -16)])
    outlines = {"east": box(-180, -18, -178, -15), "west": box(178, -18, 180, -15), "both": region.buffer(0.1)}
    assert fewest_granules(region, outlines).granules == ("both",)
    assert [round(row.share, 6) for row in granules_for(region, outlines)] == [1.0, 0.5, 0.5]
