from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPolygon, box
from tests.archive.made import SCENE, YEAR, scene

from landloom.archive.selection import Policy, SceneFilter, choose_scenes, overlap_share, uniform
from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from landloom.model.scene import Scene


def random_scenes(seed: int) -> tuple[list[Scene], int, float]:
    chance = random.Random(seed)  # noqa: S311
    days = sorted(chance.sample(range(365), chance.randint(1, 40)))
    scenes = [scene(day, chance.choice([None, 0.0, 50.0, chance.uniform(0, 100)])) for day in days]
    return scenes, chance.randint(1, len(scenes)), chance.choice([0.0, 0.25, 1.0])


def cost(chosen: dict[int, Scene], count: int, weight: float) -> float:
    """The stated cost, written again with other means: slots off the ideal time plus weighted cloud."""
    return sum(place_cost(slot, one, count, weight) for slot, one in chosen.items())


def place_cost(slot: int, one: Scene, count: int, weight: float) -> float:
    place = (one.time - YEAR.start) / (YEAR.end - YEAR.start) * count
    return abs(place - slot - 0.5) + weight * (100.0 if one.cloud_cover is None else one.cloud_cover) / 100


def greedy(scenes: list[Scene], count: int, weight: float) -> dict[int, Scene]:
    """DeepSatData's way: every slot takes the nearest scene that remains."""
    remaining, chosen = list(scenes), {}
    for slot in range(count):
        if remaining:
            best = min(remaining, key=partial(place_cost, slot, count=count, weight=weight))
            chosen[slot] = best
            remaining.remove(best)
    return chosen


def test_uniform_is_no_worse_than_greedy_on_a_thousand_cases() -> None:
    better = 0
    for seed in range(1000):
        scenes, count, weight = random_scenes(seed)
        ours = cost(uniform(scenes, count, YEAR, weight), count, weight)
        theirs = cost(greedy(scenes, count, weight), count, weight)
        assert ours <= theirs + 1e-6
        better += ours < theirs - 1e-6
    assert better > 300, "a case that greedy always solves shows nothing"


@pytest.mark.parametrize("seed", range(40))
def test_uniform_is_the_optimum_of_every_subset(seed: int) -> None:
    scenes, _, weight = random_scenes(seed)
    scenes, count = scenes[:9], 4
    count = min(count, len(scenes))
    ours = uniform(scenes, count, YEAR, weight)
    assert [one.time for _, one in sorted(ours.items())] == sorted(one.time for one in ours.values())
    best = min(cost(dict(enumerate(subset)), count, weight) for subset in combinations(scenes, count))
    assert cost(ours, count, weight) == pytest.approx(best, abs=1e-6)


def test_uniform_with_fewer_scenes_than_slots_takes_all_where_they_serve_best() -> None:
    chosen = uniform([scene(15), scene(350)], 12, YEAR)
    assert {slot: one.time.month for slot, one in chosen.items()} == {0: 1, 11: 12}


def test_cloud_breaks_ties_even_without_weight() -> None:
    cloudy, clear = scene(182.5, 90.0, name="a"), scene(182.5, 1.0, name="b")
    assert uniform([cloudy, clear], 1, YEAR, 0.0) == {0: clear}
    nearer = scene(182.6, 100.0, name="c")
    farther = scene(200.0, 0.0, name="d")
    assert uniform([nearer, farther], 1, YEAR, 0.0) == {0: nearer}
    assert uniform([nearer, farther], 1, YEAR, 1.0) == {0: farther}


def test_twelve_and_twelve() -> None:
    chance = random.Random(7)  # noqa: S311
    scenes = [scene(5 * number, chance.uniform(0, 100)) for number in range(73)]
    choice = choose_scenes(scenes, Policy.parse("monthly + 12"), YEAR)
    chosen = choice.apply(scenes)
    assert len(chosen) == 24
    assert {one.time.month for one in chosen} == set(range(1, 13))
    for month in range(1, 13):
        mine = [one for one in scenes if one.time.month == month]
        assert min(mine, key=lambda one: one.cloud_cover or 0) in chosen
    monthly = {row.id for row in choice.candidates if row.reason.startswith("month ")}
    assert len(monthly) == 12
    extras = [one.cloud_cover or 0 for one in chosen if one.id not in monthly]
    rest = [one.cloud_cover or 0 for one in scenes if one not in chosen]
    assert max(extras) <= min(rest)
    assert choice.gaps == ()
    assert choice.short == ()


def test_months_without_a_scene_are_reported_and_the_number_is_still_reached() -> None:
    scenes = [scene(5 * number, float(number)) for number in range(73)]
    kept = [one for one in scenes if one.time.month not in (11, 12)]
    choice = choose_scenes(kept, Policy.parse("monthly+12"), YEAR)
    assert choice.gaps == (("33TWL", "2018-11"), ("33TWL", "2018-12"))
    assert len(choice.ids) == 24
    assert choice.short == ()
    few = choose_scenes(kept[:20], Policy.parse("monthly + 12"), YEAR)
    assert few.short == (("33TWL", 24, 20),)
    assert len(few.ids) == 20


def test_policies_work_granule_by_granule() -> None:
    scenes = [
        scene(day, cloud, granule) for granule in ("33TWL", "33TWM", None) for day, cloud in ((1, 9), (2, 3), (3, 6))
    ]
    choice = choose_scenes(scenes, Policy.parse("least-cloudy 2"), YEAR)
    assert [(row.granule, row.time.day) for row in choice.candidates if row.use] == [
        (granule, day) for granule in (None, "33TWL", "33TWM") for day in (3, 4)
    ]
    assert len(choose_scenes(scenes, Policy.parse("all"), YEAR).ids) == 9
    assert len(choose_scenes(scenes, Policy.parse("uniform 2"), YEAR).ids) == 6


def test_scenes_without_cloud_cover_come_last() -> None:
    scenes = [scene(1, None), scene(2, 100.0), scene(3, 99.0)]
    choice = choose_scenes(scenes, Policy.parse("least-cloudy 2"), YEAR)
    assert [row.time.day for row in choice.candidates if row.use] == [3, 4]


@given(st.permutations(range(20)), st.sampled_from(["uniform 7", "least-cloudy 7", "monthly + 3", "all"]))
def test_order_of_the_input_does_not_matter(order: list[int], policy: str) -> None:
    scenes = [scene(18 * number, float(number % 3)) for number in range(20)]
    assert choose_scenes([scenes[n] for n in order], Policy.parse(policy), YEAR) == choose_scenes(
        scenes, Policy.parse(policy), YEAR
    )


@pytest.mark.parametrize(
    ("rule", "changed", "reason"),
    [
        (SceneFilter(cloud=(0, 80)), {"cloud_cover": 93.0}, "cloud 93 % above 80"),
        (SceneFilter(cloud=(5, 100)), {"cloud_cover": 1.0}, "cloud 1 % below 5"),
        (SceneFilter(cloud=(0, 80)), {"cloud_cover": None}, "cloud not stated"),
        (SceneFilter(valid=0.9), {"nodata_share": 13.0}, "valid data 0.870 below 0.9"),
        (SceneFilter(valid=0.9), {"nodata_share": None}, "share of valid data not stated"),
        (SceneFilter(levels=("L2A",)), {"level": "L1C"}, "level L1C"),
        (SceneFilter(size=(400, None)), {"size": 399}, "size 399 bytes below 400"),
        (SceneFilter(size=(0, 1000)), {"size": None}, "size not stated"),
        (SceneFilter(overlap=0.6), {"footprint": box(15, 45, 15.5, 46)}, "overlap 0.500 below 0.6"),
    ],
)
def test_filters_say_why(rule: SceneFilter, changed: dict[str, Any], reason: str) -> None:
    passes, fails = replace(SCENE, id="ok"), replace(SCENE, id="no", **changed)
    choice = choose_scenes([passes, fails], Policy.parse("all"), YEAR, rule=rule, region=box(15, 45, 16, 46))
    assert {row.id: (row.use, row.reason) for row in choice.candidates} == {"ok": (True, "all"), "no": (False, reason)}


def test_the_default_filter_takes_everything() -> None:
    bare = replace(SCENE, cloud_cover=None, nodata_share=None, size=None, level="L1C")
    assert choose_scenes([bare], Policy.parse("all"), YEAR, rule=SceneFilter()).ids == ("s",)
    outside = replace(SCENE, id="later", time=YEAR.end)
    assert choose_scenes([outside], Policy.parse("all"), YEAR).candidates == ()


@pytest.mark.parametrize("text", ["some", "uniform", "uniform 0", "least-cloudy -1", "monthly - 1", ""])
def test_policies_that_are_none(text: str) -> None:
    with pytest.raises(InvalidValueError, match="least-cloudy n"):
        Policy.parse(text)


@pytest.mark.parametrize("text", ["all", "least-cloudy 5", "uniform 24", "monthly + 12", "monthly + 0"])
def test_policies_read_as_written(text: str) -> None:
    assert str(Policy.parse(text)) == text


def test_filters_that_are_none() -> None:
    bad_rules: tuple[dict[str, Any], ...] = ({"cloud": (50, 10)}, {"overlap": 2.0}, {"valid": -1.0}, {"size": (5, 1)})
    for bad in bad_rules:
        with pytest.raises(InvalidValueError, match="expected"):
            SceneFilter(**bad)
    with pytest.raises(InvalidValueError, match="region"):
        SceneFilter(overlap=0.5).objection(SCENE)


def test_overlap_is_by_true_area() -> None:
    # North of 60° a degree of longitude is half as long: the northern half of the box is the smaller one.
    share = overlap_share(box(0, 40, 1, 80), box(0, 60, 1, 80))
    assert share == pytest.approx(0.1188 / 0.3420, abs=0.001)  # (sin 80 - sin 60) / (sin 80 - sin 40)
    crossing = MultiPolygon([box(179, 0, 180, 1), box(-180, 0, -179, 1)])
    assert overlap_share(crossing, box(179, 0, 180, 1)) == pytest.approx(0.5)
