"""Displaced scenes of a fused series: measured in what was read, corrected before it is, or left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.engine.pixels.test_registration import PLACES, SAMPLES, ground, shown
from tests.engine.small_scenes import write_scene
from tests.engine.test_timesteps import LAYOUT

from landloom.engine.pixels.masks import PixelMask
from landloom.engine.pixels.registration import Register
from landloom.formats.geotiff import decode_geotiff
from landloom.imagery.fusion.quality import QUALITY_NODATA
from landloom.model.product import PRODUCTS
from landloom.model.time import Cadence, Period
from landloom.products.fused.sightings import Source
from landloom.products.fused.task import FusedTask

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.units import Outcome

BANDS = ("B02", "B03", "B04", "B08")
SERIES = replace(PRODUCTS["pfsr"], resolution=10)
QUALITY = replace(PRODUCTS["pfqa"], resolution=10, dtype="uint16", nodata=QUALITY_NODATA)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder, first = tmp_path_factory.mktemp("displaced"), datetime(2018, 6, 1, 10, tzinfo=UTC)
    passes = []
    for number, (name, place) in enumerate(PLACES.items()):
        files = shown(*place)
        numbers = dict.fromkeys(BANDS, files["B08"]) | {"SCL": files["SCL"]}
        scene = write_scene(folder, numbers, name=name, time=first + timedelta(days=4 * number)).scene
        passes.append((scene,))
    return Source(bands=BANDS, mask=PixelMask(), passes=tuple(passes), footprint=1)


def fused(folder: Path, source: Source, register: Register) -> Outcome:
    return FusedTask(
        store=str(folder),
        layout=LAYOUT,
        layouts=("chips",),
        products=(SERIES, QUALITY),
        first=source,
        second=None,
        resolution=10.0,
        samples=SAMPLES,
        timesteps=Cadence.parse("10 days").timesteps(Period.parse("2018-06-01", "2018-07-01")),
        register=register,
    ).run()


def error(folder: Path) -> float:
    """Mean error of all chips: the ground does not change."""
    errors = []
    for sample in SAMPLES:
        column, row = round(sample.bounds[0] - 500_040) // 10, round(5_002_440 - sample.bounds[3]) // 10
        truth = ground()[row : row + 24, column : column + 24]
        chips = (decode_geotiff(path.read_bytes())[0] for path in folder.rglob(f"{sample.id}/PF-SR/*.tif"))
        errors += [np.abs(chip - truth).mean() for chip in chips]
    assert errors
    return float(np.mean(errors))


def test_displacements_are_measured_in_what_was_read_and_corrected_before_it_is(source: Source, tmp_path: Path) -> None:
    found = {rule: fused(tmp_path / rule, source, rule) for rule in Register}
    records = {}
    for rule, outcome in found.items():
        assert outcome.lineage is not None
        records[rule] = {scene.id: scene.shift for step in outcome.lineage.timesteps for scene in step.scenes}
    assert not any(records[Register.OFF].values())
    for rule in (Register.MEASURE, Register.CORRECT):
        far = records[rule]["far"]
        assert far is not None
        assert far.east == pytest.approx(50, abs=2)
        assert far.north == pytest.approx(-20, abs=2)
        assert far.corrected == (rule is Register.CORRECT)
    lineage = found[Register.CORRECT].lineage
    assert lineage is not None
    assert list(lineage.left_out) == ["lost"]
    told = [note.what for note in found[Register.MEASURE].notes]
    assert any(one.startswith("far: displaced by 5.") for one in told)
    assert error(tmp_path / Register.CORRECT) < 0.8 * error(tmp_path / Register.MEASURE)
    assert error(tmp_path / Register.OFF) == error(tmp_path / Register.MEASURE)
