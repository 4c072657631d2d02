"""Extrapolation: the whole of a part is the part, twice the tiles take twice the worker time, and nothing is faster
than its longest unit or its bytes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from landloom.pipelines.rehearsal.extrapolate import Extrapolated, Small, extrapolated
from landloom.pipelines.rehearsal.measured import Made, Measured
from landloom.pipelines.rehearsal.places import Extent
from landloom.pipelines.rehearsal.ran import STARTING, Ran
from landloom.simulate.remote.tally import Tally

PART = Extent(samples=600, tiles=6, steps={"s2": 2.0, "labels.clc": 1.0})
MADE = {
    "s2": Made(units=6, seconds=300, longest=70, files=1200, size=12_000_000, requests=900, read=9 * 10**9, retries=3),
    "labels.clc": Made(units=6, seconds=6, longest=2, files=600, size=600_000, requests=0, read=0, retries=0),
}


def ran(seconds: float, coordinator: int = 0, **stages: float) -> Ran:
    named = {name.replace("_", " "): value for name, value in stages.items()}
    return Ran(seconds=seconds, cpu=None, stages=named, coordinator=coordinator, worker=None, document=None)


def measured(extent: Extent = PART) -> Measured:
    tally = Tally()
    tally.requests.update({"catalogue": 6, "header": 100, "pixels": 800})
    return Measured(
        extent=extent,
        workers=2,
        build=ran(170, 500, starting=2.0, searching_the_archive=6.0, building=150.0, finishing=12.0),
        again=ran(8, starting=2.0, finishing=6.0),
        validate=ran(5, starting=5.0),
        products=MADE,
        others={"index": (1, 6_000), "stac-v1.0": (1_200, 600_000)},
        tally=tally,
        checks=700,
        retries=4,
        journal=60_000,
    )


def whole(extent: Extent, small: Small | None = None, bandwidth: float = 1e12, **prices: float) -> Extrapolated:
    return extrapolated(measured(), extent, small=small, bandwidth=bandwidth, prices=prices)


def test_the_whole_of_a_part_is_the_part() -> None:
    found, part = whole(PART), measured()
    assert (found.files, found.size, found.read) == (part.files, part.size, 9 * 10**9)
    assert found.requests == dict(part.tally.requests)
    assert found.worker == pytest.approx(part.unit_seconds)
    assert found.serial == pytest.approx(2 + 6 + 12)
    assert [found.again, found.validate] == pytest.approx([8, 5])
    assert found.journal == 60_000


def test_twice_as_many_tiles_take_twice_as_much() -> None:
    once, twice = whole(PART), whole(replace(PART, samples=1200, tiles=12))
    assert twice.worker == pytest.approx(2 * once.worker)
    assert twice.longest == pytest.approx(once.longest)
    assert twice.files == 2 * once.files - 1  # the index is one file
    assert twice.requests == {kind: 2 * count for kind, count in once.requests.items()}
    assert twice.serial == pytest.approx(2 + 2 * (6 + 12))


def test_few_tiles_do_not_tell_what_a_build_with_nothing_to_do_takes() -> None:
    twice = whole(replace(PART, samples=1200, tiles=12))
    assert (twice.again, twice.journal) == (None, None)
    part = replace(PART, samples=2_000, tiles=20)
    many = extrapolated(measured(part), replace(part, samples=4_000, tiles=40), small=None, bandwidth=1e9, prices={})
    assert (many.again, many.journal) == (2 + 2 * 6, 120_000)


def test_timesteps_count_for_products_that_have_them() -> None:
    longer = whole(replace(PART, steps={"s2": 24.0, "labels.clc": 1.0}))
    assert longer.products == {"s2": (14_400, 144_000_000), "labels.clc": (600, 600_000)}
    assert longer.read == 12 * 9 * 10**9
    assert longer.worker == pytest.approx(12 * 300 + 6)
    assert longer.longest == pytest.approx(12 * 70)


def test_no_number_of_workers_beats_bytes_or_the_longest_unit() -> None:
    fast, slow = whole(PART), whole(PART, bandwidth=1e8)
    assert fast.seconds(1) == pytest.approx(fast.serial + 306)
    assert fast.seconds(10_000) == pytest.approx(fast.serial + 70)
    assert slow.seconds(10_000) == pytest.approx(slow.serial + 90)
    times = [fast.seconds(count) for count in (1, 2, 4, 8, 16)]
    assert times == sorted(times, reverse=True)


def test_memory_lies_on_the_line_through_two_builds_if_they_tell() -> None:
    twice = replace(PART, samples=1200, tiles=12)
    assert whole(twice).coordinator is None
    assert whole(twice, Small(coordinator=400)).coordinator is None  # of six tiles
    part = replace(PART, samples=2_000, tiles=20)
    many, all_ = measured(part), replace(part, samples=4_000, tiles=40)

    def peak(small: int, extent: Extent = all_) -> int | None:
        return extrapolated(many, extent, small=Small(coordinator=small), bandwidth=1e9, prices={}).coordinator

    assert peak(400) == 600
    assert peak(600) == 500  # never less than was measured
    assert peak(400, replace(all_, steps={"s2": 4.0, "labels.clc": 1.0})) is None


def test_only_stated_prices_cost() -> None:
    assert whole(PART).cost == {}
    found = whole(PART, read=2.0, traffic=0.5, worker=36.0)
    assert found.cost == pytest.approx({"read": 2 * 0.906, "traffic": 4.5, "worker": 3.06})


def test_starting_takes_the_same_whatever_is_validated() -> None:
    assert list(measured().validate.stages) == [STARTING]
    assert whole(replace(PART, samples=6000, tiles=60)).validate == pytest.approx(2 + 10 * 3)
