"""Displaced scenes of an acquired series: measured and recorded, removed in all bands, or left out by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.engine.pixels.test_registration import BANDS, PLACES, SAMPLES, ground, shown
from tests.engine.small_scenes import AREA, write_scene
from tests.engine.test_timesteps import LAYOUT

from landloom.engine.pixels.masks import PixelMask
from landloom.engine.pixels.registration import Register
from landloom.formats.geotiff import decode_geotiff
from landloom.model.product import product
from landloom.model.sensor import SENTINEL2
from landloom.products.series.task import SeriesTask, acquisitions

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.corpus.lineage import ShiftRecord
    from landloom.engine.units import Outcome
    from landloom.model.product import Product
    from landloom.model.scene import Scene

FINE, COARSE = (
    replace(product("s2"), key=f"s2_{size}m", folder=f"S2-{size}M", resolution=size, bands=(SENTINEL2[band],))
    for size, band in ((10, "B08"), (20, "B05"))
)
VALID = replace(FINE, key="valid", folder="VALID", dtype="uint8", nodata=None, bands=(SENTINEL2["B01"],))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scene, ...]:
    folder, first = tmp_path_factory.mktemp("displaced"), datetime(2018, 6, 1, 10, tzinfo=UTC)
    return tuple(
        write_scene(folder, shown(*place), name=name, time=first + timedelta(days=4 * number)).scene
        for number, (name, place) in enumerate(PLACES.items())
    )


def cut(folder: Path, scenes: tuple[Scene, ...], register: Register) -> Outcome:
    return SeriesTask(
        store=str(folder),
        layout=LAYOUT,
        layouts=("chips",),
        products=(FINE, COARSE),
        valid_product=VALID,
        bands=BANDS,
        mask=PixelMask(),
        least_data=0.0,
        least_valid=0.0,
        samples=SAMPLES,
        dates=acquisitions(scenes, AREA.epsg),
        register=register,
    ).run()


@pytest.fixture(scope="module")
def made(scenes: tuple[Scene, ...], tmp_path_factory: pytest.TempPathFactory) -> dict[Register, tuple[Path, Outcome]]:
    folders = {rule: tmp_path_factory.mktemp(rule) for rule in Register}
    return {rule: (folder, cut(folder, scenes, rule)) for rule, folder in folders.items()}


def records(outcome: Outcome) -> dict[str, ShiftRecord | None]:
    assert outcome.lineage is not None
    return {scene.id: scene.shift for step in outcome.lineage.timesteps for scene in step.scenes}


def error(folder: Path, item: Product, step: str) -> float:
    """Mean error of a date's chips: the ground does not change."""
    size, errors = round(item.resolution or 10) // 10, []
    truth = ground().reshape(240 // size, size, 240 // size, size).mean(axis=(1, 3))
    for sample in SAMPLES:
        chip = decode_geotiff((folder / LAYOUT.chip(sample.id, item, step)).read_bytes())[0]
        grid = sample.grid(10.0 * size)
        row, column = grid.offset_in(AREA.at(10 * size))
        errors.append(np.abs(chip[0] - truth[row : row + grid.height, column : column + grid.width]).mean())
    return float(np.mean(errors))


def test_displacements_are_recorded_and_change_no_byte_unless_they_are_removed(
    made: dict[Register, tuple[Path, Outcome]],
) -> None:
    plain, measured = made[Register.OFF][1], made[Register.MEASURE][1]
    assert not any(records(plain).values())
    assert not plain.notes
    for name, (right, down) in PLACES.items():
        found = records(measured)[name]
        assert found is not None
        assert not found.corrected
        assert (found.east, found.north) == pytest.approx((10 * right, -10 * down), abs=1.5)
    assert measured.files == plain.files
    assert "far: displaced by 5.3 pixels, used as it is: see `register`" in [note.what for note in measured.notes]


def test_displacements_are_removed_in_bands_of_every_resolution(made: dict[Register, tuple[Path, Outcome]]) -> None:
    folder, corrected = made[Register.CORRECT]
    done = {name for name, found in records(corrected).items() if found is not None and found.corrected}
    assert done == {"b", "far", "d"}
    assert [note.what for note in corrected.notes] == ["far: displaced by 5.3 pixels, corrected"]
    for day in ("05", "13", "17"):
        for item, share in ((FINE, 0.7), (COARSE, 0.9)):
            step = f"2018-06-{day}T100000"
            assert error(folder, item, step) < share * error(made[Register.OFF][0], item, step)


def test_a_scene_that_is_too_far_off_is_left_out_by_name(made: dict[Register, tuple[Path, Outcome]]) -> None:
    folder, corrected = made[Register.CORRECT]
    assert corrected.lineage is not None
    assert corrected.lineage.left_out == {"lost": "displaced by 13.9 pixels, expected at most 10"}
    for item in (FINE, COARSE, VALID):
        assert not (folder / LAYOUT.chip(SAMPLES[0].id, item, "2018-06-21T100000")).exists()
