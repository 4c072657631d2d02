"""Overpasses: what neighbouring granules show of one pass of a satellite is one observation."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from tests.engine.scenes.some import listed

from landloom.engine.scenes.overpasses import SAME_PASS, overpasses
from landloom.model.time import format_instant, parse_instant

if TYPE_CHECKING:
    from landloom.model.scene import Scene

START = parse_instant("2018-06-01T10:00:00")


@st.composite
def scenes(draw: st.DrawFn) -> list[Scene]:
    """Of two satellites and orbits, some seconds to hours apart, in two zones."""
    said = st.tuples(
        st.integers(0, 600), st.sampled_from(["33UUR", "32UQA"]), st.sampled_from(["a", "b"]), st.integers(1, 2)
    )
    return [
        listed(
            f"s{number}", format_instant(START + timedelta(seconds=seconds)), granule, platform=platform, orbit=orbit
        )
        for number, (seconds, granule, platform, orbit) in enumerate(draw(st.lists(said, max_size=12)))
    ]


@given(scenes(), st.randoms(use_true_random=False))
def test_every_scene_is_in_one_overpass_whatever_their_order(found: list[Scene], rng: object) -> None:
    passes = overpasses(found, 32633)
    assert sorted(one.id for group in passes for one in group) == sorted(one.id for one in found)
    turned = list(found)
    rng.shuffle(turned)  # type: ignore[attr-defined]
    assert overpasses(turned, 32633) == passes
    assert [min(one.time for one in group) for group in passes] == sorted(
        min(one.time for one in group) for group in passes
    )


@given(scenes())
def test_an_overpass_is_of_one_satellite_and_orbit_within_two_minutes(found: list[Scene]) -> None:
    passes = overpasses(found, 32633)
    for group in passes:
        assert len({(one.platform, one.orbit) for one in group}) == 1
        times = sorted(one.time for one in group)
        assert times[-1] - times[0] <= SAME_PASS
        assert [one.epsg == 32633 for one in group] == sorted((one.epsg == 32633 for one in group), reverse=True)
    for own in {(one.platform, one.orbit) for one in found}:
        starts = sorted(
            min(one.time for one in group) for group in passes if (group[0].platform, group[0].orbit) == own
        )
        assert all(later - earlier > SAME_PASS for earlier, later in pairwise(starts))
