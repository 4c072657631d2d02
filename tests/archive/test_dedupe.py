from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from shapely import box

from landloom.archive.dedupe import resolve_duplicates
from landloom.model.scene import Scene
from landloom.model.time import parse_instant

TIME = parse_instant("2018-05-01T10:00:31.024Z")
SCENE = Scene(
    id="m",
    time=TIME,
    granule="33TWL",
    epsg=32633,
    footprint=box(15, 45, 16, 46),
    bands={},
    baseline="02.07",
    created=parse_instant("2018-05-02"),
    platform="sentinel-2a",
    orbit=79,
)


def kept(*scenes: Scene) -> list[str]:
    answers = {tuple(scene.id for scene in resolve_duplicates(order)) for order in permutations(scenes)}
    assert len(answers) == 1, "the order of the input must not matter"
    return list(answers.pop())


@pytest.mark.parametrize(
    "newer",
    [
        replace(SCENE, id="a", baseline="05.00"),
        replace(SCENE, id="a", baseline="05.00", created=parse_instant("2017-01-01")),
        replace(SCENE, id="a", baseline="05.00", time=TIME - timedelta(seconds=3)),
        replace(SCENE, id="a", created=parse_instant("2020-01-01")),
        replace(SCENE, id="z"),
        replace(SCENE, id="a", baseline="10.00", platform=None, orbit=None, created=None),
    ],
)
def test_the_newest_product_of_an_acquisition_is_kept(newer: Scene) -> None:
    older = replace(SCENE, id="0", baseline="02.01")
    assert kept(SCENE, older, newer) == [newer.id]


@pytest.mark.parametrize(
    "other",
    [
        replace(SCENE, id="z", time=TIME + timedelta(minutes=7)),
        replace(SCENE, id="z", platform="sentinel-2b"),
        replace(SCENE, id="z", orbit=122),
        replace(SCENE, id="z", granule="33TWM"),
        replace(SCENE, id="z", level="L1C"),
    ],
)
def test_other_acquisitions_of_the_day_are_kept(other: Scene) -> None:
    assert kept(SCENE, other) == ["m", "z"]


def test_two_datastrips_of_one_datatake_complete_each_other() -> None:
    north = replace(SCENE, id="n", footprint=box(15, 45.4, 16, 46))
    south = replace(SCENE, id="s", footprint=box(15, 45, 16, 45.5), baseline="05.00")
    assert kept(north, south) == ["n", "s"]


def test_scenes_of_an_unknown_granule_are_kept() -> None:
    assert kept(replace(SCENE, id="a", granule=None), replace(SCENE, id="b", granule=None)) == ["a", "b"]


def test_reprocessed_scenes_of_an_unknown_granule_are_one() -> None:
    old, new = replace(SCENE, id="a", granule=None, baseline="02.06"), replace(SCENE, id="b", granule=None)
    assert kept(old, replace(new, baseline="05.00")) == ["b"]
    beside = replace(new, baseline="05.00", footprint=box(15.9, 45, 16.9, 46))
    assert kept(old, beside) == ["a", "b"]


STRIP = "S2A_OPER_MSI_L2A_DS_SGS__20180610T1{}0000_S20180610T1015{}0_N02.06"


def test_two_datastrips_with_one_outline_are_both_used() -> None:
    one, two = (replace(SCENE, id=part, datastrip=STRIP.format(part, part)) for part in "12")
    assert kept(one, two) == ["1", "2"]
    again = replace(one, id="3", datastrip=STRIP.format("3", "1"))
    assert kept(one, again) == ["3"], "one datastrip, sent twice"
    assert kept(one, two, replace(SCENE, id="new", baseline="05.00", datastrip=STRIP.format("4", "1"))) == ["new"]


def test_nothing_of_nothing() -> None:
    assert resolve_duplicates([]) == ()
