"""Windows that are read in boxes: they show what each of them shows alone."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.engine.pixels.test_registration import shown
from tests.engine.small_scenes import AREA, write_scene

from landloom.engine.pixels.masks import PixelMask
from landloom.products.fused.sightings import Source
from landloom.products.fused.staging import Staged
from landloom.products.fused.windows import OwnWindow, Window, boxes

if TYPE_CHECKING:
    from pathlib import Path


def window(row: int, column: int, size: int, wanted: float = 1.0) -> Window:
    near = np.random.default_rng(row + column).random((size, size)) <= wanted
    return Window(grid=AREA.window(row, column, size, size), near=near, inside=near)


def test_windows_share_a_box_only_where_that_reads_no_more() -> None:
    places = [(0, 0), (0, 56), (56, 0), (56, 56), (0, 300)]
    found = boxes([OwnWindow.of(window(row, column, 64), None, 1) for row, column in places])
    assert [[number for number, _ in one.windows] for one in found] == [[0, 1, 2, 3], [4]]
    assert found[0].grid == AREA.window(0, 0, 120, 120)
    assert found[0].windows[3][1] == (slice(56, 120), slice(56, 120))
    assert found[0].near.all()


@pytest.mark.parametrize("footprint", [1, 2])
def test_windows_in_a_box_show_what_each_shows_alone(tmp_path: Path, footprint: int) -> None:
    band, passes = ("B08", "B05")[footprint - 1], []
    for number in range(3):
        files = shown(0.0, 0.0)
        scl = np.random.default_rng(number).choice([4, 8, 9, 0], files["SCL"].shape).astype(np.uint8)
        time = datetime(2018, 6, 1 + 5 * number, 10, tzinfo=UTC) + timedelta(hours=number)
        scene = write_scene(tmp_path, {band: files[band], "SCL": scl}, name=f"{band}-{number}", time=time).scene
        passes.append((scene,))
    source = Source(bands=(band,), mask=PixelMask(), passes=tuple(passes), footprint=footprint)
    windows = [window(20, 20, 64, 0.7), window(20, 76, 64, 0.3), window(76, 20, 64), window(76, 76, 64)]
    with ExitStack() as stack:
        together = Staged.read_own(source, windows, stack)
        assert len(together.boxes) == 1
        for number, one in enumerate(windows):
            alone = Staged.read_own(source, [one], stack)
            (seen, clouds), (own, others) = together.sightings(number), alone.sightings(0)
            assert np.array_equal(seen.valid, own.valid)
            assert np.array_equal(seen.stack, own.stack)
            assert np.array_equal(clouds.codes, others.codes)
            assert seen.valid.any()
        assert together.used.keys() == {f"{band}-{number}" for number in range(3)}
