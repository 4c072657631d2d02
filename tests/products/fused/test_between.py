"""Two sensors of a fused series: the second is aligned with the first, whatever the size of its pixels."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.engine.pixels.test_registration import SAMPLES, shown
from tests.engine.small_scenes import AREA, write_scene

from landloom.engine.pixels.blocks import blocks
from landloom.engine.pixels.masks import PixelMask
from landloom.engine.pixels.registration import Register
from landloom.products.fused.aligning import measured, places_of, surveyed
from landloom.products.fused.sightings import Source
from landloom.products.fused.staging import Staged
from landloom.products.fused.windows import Window

if TYPE_CHECKING:
    from pathlib import Path

NEAR = ((0.0, 0.0), (0.4, -0.3), (-0.4, 0.3), (0.1, 0.2))
"""Pixels of 10 m to the east and south by which a sensor's scenes lie beside each other."""
APART = 1.2, -0.8
"""What the scenes of the second sensor are displaced by beside that."""


def sensor(folder: Path, band: str, apart: tuple[float, float], first: datetime, count: int = len(NEAR)) -> Source:
    passes = []
    for number, (right, down) in enumerate(NEAR[:count]):
        files = shown(right + apart[0], down + apart[1])
        numbers, name = {band: files[band], "SCL": files["SCL"]}, f"{band}-{number}"
        passes.append((write_scene(folder, numbers, name=name, time=first + timedelta(days=5 * number)).scene,))
    return Source(bands=(band,), mask=PixelMask(), passes=tuple(passes), footprint=1 if band == "B08" else 2)


@pytest.fixture(scope="module")
def sensors(tmp_path_factory: pytest.TempPathFactory) -> tuple[Source, Source]:
    """One of 10 m, and one of 20 m, which sees the same days a little later."""
    folder, first = tmp_path_factory.mktemp("sensors"), datetime(2018, 6, 1, 10, tzinfo=UTC)
    return sensor(folder, "B08", (0.0, 0.0), first), sensor(folder, "B05", APART, first + timedelta(days=2))


def test_the_second_sensor_is_measured_against_the_first(sensors: tuple[Source, Source]) -> None:
    alone = surveyed(Register.CORRECT, (None, sensors[1]), SAMPLES, 10.0)
    found = surveyed(Register.CORRECT, sensors, SAMPLES, 10.0)
    middle = np.mean(NEAR, axis=0)
    for number, place in enumerate(NEAR):
        right, down = np.array(place) - middle
        first, own, both = (
            one.shifts[name]
            for one, name in ((found, f"B08-{number}"), (alone, f"B05-{number}"), (found, f"B05-{number}"))
        )
        assert first is not None
        assert own is not None
        assert both is not None
        assert (first.east, first.north) == pytest.approx((10 * right, -10 * down), abs=1)
        assert (own.east, own.north) == pytest.approx((10 * right, -10 * down), abs=2)
        right, down = right + APART[0], down + APART[1]
        assert (both.east, both.north) == pytest.approx((10 * right, -10 * down), abs=2)
        assert found.displaced(f"B05-{number}") is not None
    (said,) = (note.what for note in found.notes() if note.what.startswith("the second sensor"))
    east, north = (float(word) for word in said.split() if word.replace(".", "").isdigit())
    assert (east, north) == pytest.approx((12, 8), abs=1.5)
    assert not alone.notes()


@pytest.mark.parametrize("rule", [Register.OFF, Register.MEASURE])
def test_nothing_is_read_unless_displacements_are_to_be_removed(sensors: tuple[Source, Source], rule: Register) -> None:
    assert not surveyed(rule, sensors, SAMPLES, 10.0).shifts


def test_measuring_tells_of_the_same_displacements_as_correcting(sensors: tuple[Source, Source]) -> None:
    own = blocks(SAMPLES, 10.0, 600)
    grids = [block.grid.window(-8, -8, block.grid.height + 16, block.grid.width + 16) for block in own]
    places = places_of(own, grids, SAMPLES, 10.0)
    windows = [
        Window(grid=grid, near=np.ones(grid.shape, bool), places=some) for grid, some in zip(grids, places, strict=True)
    ]
    with ExitStack() as stack:
        staged = [Staged.read_own(source, windows, stack) for source in sensors]
        found = measured(staged, SAMPLES, 10.0)
        first = measured([staged[0], None], SAMPLES, 10.0)
    wanted = surveyed(Register.CORRECT, sensors, SAMPLES, 10.0)
    for name, shift in found.shifts.items():
        other = wanted.shifts[name]
        assert shift is not None
        assert other is not None
        assert (shift.east, shift.north) == pytest.approx((other.east, other.north), abs=1)
        assert found.displaced(name) is None
    assert any(note.what.startswith("the second sensor lies") for note in found.notes())
    assert first.shifts.items() <= found.shifts.items()


@pytest.mark.parametrize("beside", [0, 1])
def test_a_coarser_sensor_stays_in_its_own_pixels_if_all_scenes_share_them(
    sensors: tuple[Source, Source], tmp_path: Path, beside: int
) -> None:
    files, source = shown(0.0, 0.0), sensors[1]
    numbers = {"B05": files["B05"], "SCL": files["SCL"].copy()}
    numbers["SCL"][50:60, 50:70] = 9
    area = AREA.window(beside, beside, *AREA.shape)
    time = datetime(2018, 7, 1, tzinfo=UTC)
    source = replace(source, passes=(*source.passes, (write_scene(tmp_path, numbers, area=area, time=time).scene,)))
    grid = AREA.window(31, 33, 120, 120)
    inside = np.zeros(grid.shape, bool)
    part = np.s_[20:80, 30:90]
    inside[part] = True
    window = Window(grid=grid, near=np.ones(grid.shape, bool), inside=inside)
    with ExitStack() as stack:
        (own, clouds), (fine, others) = (
            read(source, [window], stack).sightings(0) for read in (Staged.read_own, Staged.read)
        )
    assert (own.rows is None) == bool(beside)
    assert own.stack.shape[-1] == (120 if beside else 61)
    assert own.shape == grid.shape
    assert np.array_equal(own.clear(np.s_[:, :]), fine.valid)
    assert np.array_equal(clouds.part(part), others.part(part))
    assert (clouds.part(part)[-1] == 2).any()
    cut = own.cut(part)
    assert np.array_equal(cut.clear(np.s_[:, :]), fine.valid[..., *part])
    rows, columns = (np.arange(60) if one is None else one for one in (cut.rows, cut.columns))
    assert np.array_equal(cut.stack[:, :, rows][..., columns], fine.stack[..., *part])


def test_sensors_that_cannot_be_compared_are_told_of(sensors: tuple[Source, Source]) -> None:
    few = replace(sensors[1], passes=sensors[1].passes[:2])
    found = surveyed(Register.CORRECT, (sensors[0], few), SAMPLES, 10.0)
    assert any("compared with each other only" in note.what for note in found.notes())
    assert found.shifts.keys() == {f"B08-{n}" for n in range(4)} | {"B05-0", "B05-1"}
