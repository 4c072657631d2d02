"""Work without broken scenes: it starts again until nothing is broken, and says what was left out and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from landloom.engine.pixels.attempts import without_broken
from landloom.engine.pixels.reading import SceneFaultError
from landloom.errors import PermanentFaultError, TransientFaultError
from landloom.model.scene import Scene
from landloom.model.time import parse_instant

if TYPE_CHECKING:
    from collections.abc import Mapping

IDS = st.sets(st.sampled_from("abcdef"))


def scene(name: str) -> Scene:
    return Scene(
        id=name,
        time=parse_instant("2018-06-01"),
        granule=None,
        epsg=32633,
        footprint=shapely.box(0, 0, 1, 1),
        bands={},
    )


@given(IDS, IDS, IDS)
def test_what_is_left_is_everything_that_works(there: set[str], broken: set[str], known: set[str]) -> None:
    """Each broken scene costs one more try, those known before none."""
    tries = []

    def work(left_out: Mapping[str, str]) -> list[str]:
        tries.append(dict(left_out))
        used = sorted(there - left_out.keys())
        for name in used:
            if name in broken:
                raise SceneFaultError(scene(name), f"{name}/B04: truncated")
        return used

    told = dict.fromkeys(sorted(known), "known before")
    result, left_out = without_broken(work, told)
    assert result == sorted(there - broken - known)
    assert left_out == told | {name: f"{name}/B04: truncated" for name in there & broken - known}
    assert len(tries) == 1 + len(there & broken - known)
    assert told == dict.fromkeys(sorted(known), "known before"), "what was told is not changed"


@pytest.mark.parametrize("error", [PermanentFaultError("404"), TransientFaultError("503"), KeyError("a bug")])
def test_other_faults_end_the_work(error: Exception) -> None:
    """What cannot be read just now is tried again by the next build, not left out."""

    def work(left_out: Mapping[str, str]) -> None:
        assert not left_out
        raise error

    with pytest.raises(type(error)):
        without_broken(work)
