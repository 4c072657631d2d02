"""Scenes of one granule: which are taken, windows of all of them at once, and what was decided for all products."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.engine.scenes.some import listed
from tests.engine.small_scenes import AREA, Small, numbers_of, write_scene

from landloom.archive.selection import Policy, SceneFilter
from landloom.engine.pixels.masks import PixelMask
from landloom.engine.scenes.dates import daily_step
from landloom.engine.scenes.granules import DecidedScenes, GranuleReader, GranuleScenes, fill_times
from landloom.errors import InvalidInputError
from landloom.imagery.fill import fill_periodic
from landloom.model.granules import granule_grid
from landloom.model.ids import GranuleId
from landloom.model.time import Period, parse_instant

if TYPE_CHECKING:
    from landloom.model.scene import Scene

GRANULE = GranuleId.parse("33UUR")
BANDS = ("B04", "B05")


def group(*scenes: Scene, policy: str = "monthly + 12", fixed: frozenset[str] | None = None) -> GranuleScenes:
    return GranuleScenes(
        granule=GRANULE,
        candidates=scenes,
        policy=Policy.parse(policy),
        rule=SceneFilter(),
        period=Period.year(2018),
        fixed=fixed,
    )


def test_of_one_day_the_scene_with_most_data_is_taken() -> None:
    poor = listed("poor", "2018-06-01T10:00:00", nodata_share=60.0, cloud_cover=0.0)
    rich = listed("rich", "2018-06-01T11:40:00", nodata_share=0.0, cloud_cover=90.0)
    clear = listed("clear", "2018-06-01T13:20:00", nodata_share=0.0, cloud_cover=10.0)
    assert [scene.id for scene in group(poor, rich).chosen()] == ["rich"]
    assert [scene.id for scene in group(poor, rich, clear).chosen()] == ["clear"]
    assert [scene.id for scene in group(poor, rich).without({"rich": "truncated"}).chosen()] == ["poor"]
    with pytest.raises(InvalidInputError, match=r"33UUR: no usable scene in .* of 2 in the archive"):
        group(poor, rich).without({"rich": "truncated"}).without({"poor": "404"}).chosen()


@given(st.sets(st.integers(1, 28), min_size=1), st.sets(st.integers(1, 28)))
def test_a_broken_scene_gives_its_place_to_the_next_best(days: set[int], broken: set[int]) -> None:
    """As if it had never been in the archive."""
    scenes = {day: listed(f"s{day}", f"2018-06-{day:02}", cloud_cover=float(day)) for day in days}
    left = [scene for day, scene in scenes.items() if day not in broken]
    one = group(*scenes.values(), policy="least-cloudy 3").without({f"s{day}": "truncated" for day in broken})
    if left:
        assert one.chosen() == group(*left, policy="least-cloudy 3").chosen()
    else:
        with pytest.raises(InvalidInputError):
            one.chosen()


def test_a_file_decides_instead_of_the_policy_but_for_what_is_broken() -> None:
    scenes = [listed(f"s{day}", f"2018-06-{day:02}", cloud_cover=day) for day in (1, 2, 3)]
    told = group(*scenes, policy="least-cloudy 1", fixed=frozenset({"s2", "s3"}))
    assert [scene.id for scene in told.chosen()] == ["s2", "s3"]
    assert [scene.id for scene in told.without({"s2": "404"}).chosen()] == ["s3"]
    with pytest.raises(InvalidInputError, match="several overpasses of 2018-06-02"):
        group(*scenes, listed("again", "2018-06-02T10:00:00"), fixed=frozenset({"s2", "again"}))


def test_a_scene_is_stamped_as_its_day_is() -> None:
    step = daily_step(parse_instant("2018-01-03T23:24:09+00:00"))
    assert (step.name, step.stamp) == ("2018-01-03", parse_instant("2018-01-03T10:30:00"))
    assert step.period == Period.parse("2018-01-03", "2018-01-04")


@pytest.mark.parametrize(
    "change",
    [
        {"policy": Policy.parse("all")},
        {"policy": Policy.parse("monthly + 12", 0.7)},
        {"rule": SceneFilter(cloud=(0, 50))},
        {"period": Period.year(2019)},
        {"fixed": frozenset({"s1"})},
        {"broken": {"s1": "truncated"}},
        {"candidates": (listed("s1", "2018-06-01", cloud_cover=9.0),)},
        {"candidates": (listed("s1", "2018-06-01", cloud_cover=1.0, nodata_share=3.0),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_all_that_decides_is_part_of_the_identity(change: dict[str, Any]) -> None:
    own = group(listed("s1", "2018-06-01", cloud_cover=1.0))
    assert replace(own, **change).identity(["bytes"]) != own.identity(["bytes"]) != own.identity(["other bytes"])
    assert own.identity(["bytes"]) == group(listed("s1", "2018-06-01", cloud_cover=1.0)).identity(["bytes"])


def test_granules_whose_datastrips_are_joined_have_an_identity_of_their_own() -> None:
    """It changed when joining began; that of all others did not."""
    one, strip = (listed(name, f"2018-06-01T10:00:0{n}") for n, name in enumerate(("s1", "s2")))
    later = replace(strip, time=parse_instant("2018-06-02T10:00:00Z"))
    joined, apart = (group(one, other).identity(["a", "b"]) for other in (strip, later))
    assert len(joined) == len(apart) + 1
    assert sorted(joined[-1]) == ["s1", "s2"]  # type: ignore[call-overload]


# Windows ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def smalls(tmp_path_factory: pytest.TempPathFactory) -> list[Small]:
    folder = tmp_path_factory.mktemp("scenes")
    days = ("2018-03-01T10:00:00Z", "2018-06-01T10:00:00Z", "2018-09-01T10:00:00Z")
    return [
        write_scene(folder, numbers_of(n, (*BANDS, "SCL")), name=f"S2A_{n}", time=parse_instant(days[n]))
        for n in range(3)
    ]


def reader(smalls: list[Small]) -> GranuleReader:
    return GranuleReader([one.scene for one in smalls], BANDS, PixelMask(clear=frozenset({4, 5, 6})))


@given(st.integers(0, 180), st.integers(0, 180), st.integers(1, 60))
def test_a_window_holds_what_every_scene_shows_of_it(smalls: list[Small], row: int, column: int, side: int) -> None:
    row, column = 2 * (row // 2), 2 * (column // 2)
    grid, part = AREA.window(row, column, side, side), np.s_[row : row + side, column : column + side]
    with reader(smalls) as opened:
        window = opened.window(grid)
    for at, one in enumerate(smalls):
        scl = one.numbers["SCL"].repeat(2, 0).repeat(2, 1)[part]
        bands = np.stack([one.numbers["B04"][part], one.numbers["B05"].repeat(2, 0).repeat(2, 1)[part]])
        np.testing.assert_array_equal(window.scl[at], scl)
        np.testing.assert_array_equal(window.bands[at], bands)
        np.testing.assert_array_equal(window.valid[at], np.isin(scl, (4, 5, 6)) & (bands > 0).all(axis=0))


def test_a_series_is_filled_with_the_year_as_a_circle(smalls: list[Small]) -> None:
    with reader(smalls) as opened:
        window, times = opened.window(AREA.window(60, 60, 30, 30)), opened.times
    days = np.array([(one - parse_instant("2018-01-01")).total_seconds() / 86_400 for one in times])
    wanted = fill_periodic(window.bands, window.valid, days, 365.0)
    np.testing.assert_array_equal(window.filled(times), wanted)
    np.testing.assert_array_equal(fill_times(window.bands, window.valid, times), wanted)


def test_the_area_of_a_granule_is_what_any_scene_reaches(smalls: list[Small]) -> None:
    granule = GranuleId.parse("33TWL")
    whole = granule_grid(granule, 20)
    with reader(smalls) as opened:
        area = opened.area(granule, 20)
        assert area.bounds == AREA.bounds
        assert area == whole.window(*area.offset_in(whole), *area.shape)
        with pytest.raises(InvalidInputError, match="33TYN: its scenes reach none of it"):
            opened.area(GranuleId.parse("33TYN"), 20)
        with pytest.raises(InvalidInputError, match="32UQA: no scene lies in its zone"):
            opened.area(GranuleId.parse("32UQA"), 20)


@given(
    st.lists(st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=9), max_size=4),
    arrays(np.bool_, st.tuples(st.integers(1, 3), st.integers(0, 4), st.integers(1, 5), st.integers(1, 5))),
)
def test_what_was_decided_comes_back(names: list[str], valid: np.ndarray) -> None:
    decided = DecidedScenes(scenes=tuple(names), valid=valid, exists=np.asarray(valid.any(axis=(2, 3))))
    again = DecidedScenes.decode(decided.encode())
    assert again.scenes == decided.scenes
    np.testing.assert_array_equal(again.valid, decided.valid)
    np.testing.assert_array_equal(again.exists, decided.exists)
    assert decided.encode() == decided.encode(), "the same bytes: it is a file of a unit"
