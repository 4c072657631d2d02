"""Dates of a granule: one overpass each, whose datastrips are chosen together."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st
from shapely import box
from tests.engine.scenes.some import listed

from landloom.archive.choice import Candidate, SceneChoice
from landloom.engine.scenes.dates import as_one, daily_step, dates_of, taken_reason, with_rest

NORTH = replace(listed("n", "2018-06-01T10:00:00", nodata_share=60.0, cloud_cover=10.0), footprint=box(0, 1, 1, 2))
SOUTH = replace(listed("s", "2018-06-01T10:00:20", nodata_share=40.0, cloud_cover=40.0), footprint=box(0, 0, 1, 1))
LATER = listed("z", "2018-06-01T11:40:00", nodata_share=10.0, orbit=65)


def test_datastrips_are_one_and_shown_by_share_of_data() -> None:
    for order in permutations((NORTH, SOUTH, LATER)):
        (date,) = dates_of(order)
        assert [scene.id for scene in date.scenes] == ["s", "n"], "together they show all"
        assert [scene.id for scene in date.others] == ["z"]
    one = as_one((SOUTH, NORTH))
    assert (one.id, one.nodata_share, one.cloud_cover) == ("s", 0.0, 25.0)
    assert one.footprint.equals(box(0, 0, 1, 2))
    assert as_one((SOUTH,)) is SOUTH


def test_another_satellite_orbit_or_level_is_another_overpass() -> None:
    for other in (
        replace(NORTH, platform="sentinel-2b"),
        replace(NORTH, orbit=65),
        replace(NORTH, level="L1C"),
        replace(NORTH, time=LATER.time),
    ):
        (date,) = dates_of([SOUTH, other])
        assert (date.leading.id, [scene.id for scene in date.others]) == ("s", ["n"])


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3), st.integers(0, 100)), unique_by=lambda one: one[:2]))
def test_every_scene_has_a_date_and_stands_once(rows: list[tuple[int, int, int]]) -> None:
    scenes = [
        listed(f"{day}-{minute}", f"2018-06-{day:02}T10:{minute * 3:02}", nodata_share=float(share))
        for day, minute, share in rows
    ]
    dates = dates_of(scenes)
    assert [date.name for date in dates] == sorted({daily_step(scene.time).name for scene in scenes})
    told = [scene.id for date in dates for scene in (*date.scenes, *date.others)]
    assert sorted(told) == sorted(scene.id for scene in scenes)


def test_a_choice_tells_what_becomes_of_every_scene() -> None:
    dates = dates_of([NORTH, SOUTH, LATER])
    for use, reason, wanted in ((True, "all", "with s"), (False, "cloud 25 % above 20 %", "cloud 25 % above 20 %")):
        choice = SceneChoice(candidates=(Candidate.of(SOUTH, use=use, reason=reason),))
        told = {one.id: (one.use, one.reason) for one in with_rest(choice, dates).candidates}
        assert told == {"s": (use, reason), "n": (use, wanted), "z": (False, taken_reason(dates[0]))}
    assert with_rest(SceneChoice(candidates=()), dates).candidates == (), "outside the period"
