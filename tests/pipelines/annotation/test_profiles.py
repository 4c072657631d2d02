"""Class profiles are means over clear observations, by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.errors import InvalidValueError
from landloom.pipelines.annotation.profiles import FEWEST, STEPS, class_profiles

if TYPE_CHECKING:
    from tests.chips import World

    from landloom.pipelines.annotation.series import SeriesSource

BANDS = ("B02", "B04", "B08")


def test_chips_of_one_granule_keep_their_dates(world: World, source: SeriesSource) -> None:
    chips = ["32UPA_00", "32UPA_01"]
    found = class_profiles(chips, source.read, world.truth.get, BANDS)
    assert list(found.times) == world.dates[chips[0]]
    assert set(found.classes) == {1, 5, 6}
    for code, means in found.classes.items():
        total, count = np.zeros((4, 3)), np.zeros(4)
        for chip in chips:
            series = source.read(chip)
            for step in range(4):
                clear = series.valid[step] & (world.truth[chip] == code)
                total[step] += series.reflectance[step][:, clear].sum(axis=1)
                count[step] += clear.sum()
        np.testing.assert_allclose(means, np.where(count[:, None] >= FEWEST, total / count[:, None], np.nan))


def test_chips_of_two_granules_share_an_axis(world: World, source: SeriesSource) -> None:
    found = class_profiles(sorted(world.truth), source.read, world.truth.get, BANDS)
    assert len(found.times) == STEPS
    water = found.classes[1]
    seen = np.isfinite(water[:, 0])
    assert seen.sum() == 6  # four dates of each granule; some of both lie in one part of the period
    assert np.abs(water[seen] - (630, 430, 230)).max() < 10
    text = json.loads(json.dumps(found.document()))
    assert text["classes"]["1"][int(np.flatnonzero(~seen)[0])] == [None] * 3
    assert datetime.fromisoformat(text["times"][0]).tzinfo == UTC


def test_rare_classes_and_unlabelled_chips_have_no_profile(world: World, source: SeriesSource) -> None:
    labels = np.zeros((60, 60), np.uint8)
    labels.flat[: FEWEST - 1] = 7
    assert class_profiles(["32UPA_00"], source.read, lambda _: labels, BANDS).classes == {}
    empty = class_profiles(["32UPA_00"], source.read, lambda _: None, BANDS)
    assert (empty.times, dict(empty.classes)) == ((), {})
    with pytest.raises(InvalidValueError, match="got labels of"):
        class_profiles(["32UPA_00"], source.read, lambda _: np.ones((3, 3), np.uint8), BANDS)
    assert world.folder.is_dir()
