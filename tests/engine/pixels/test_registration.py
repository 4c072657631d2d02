"""Scenes beside their place: measured, told of, corrected as they are read, or left out; broken ones hinder nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.ndimage import fourier_shift, gaussian_filter
from tests.engine.small_scenes import AREA, Small, write_scene
from tests.engine.test_timesteps import LAYOUT, SEEN, Brightest, chip, window

from landloom.corpus.lineage import ShiftRecord
from landloom.engine.pixels.masks import PixelMask
from landloom.engine.pixels.reading import SceneReader
from landloom.engine.pixels.registration import Register, Registration, survey, survey_band, survey_windows
from landloom.engine.timesteps import TimestepTask
from landloom.imagery.registration.shifts import Shift
from landloom.model.product import product
from landloom.model.sensor import SENTINEL2
from landloom.model.time import Cadence, Period

if TYPE_CHECKING:
    from landloom.engine.units import Outcome

PLACES = {"a": (0.0, 0.0), "b": (0.4, -0.3), "c": (0.0, 0.0), "far": (5.0, 2.0), "d": (-0.4, 0.3), "lost": (0.0, 14.0)}
"""Scene → pixels to the east and south by which its image is displaced."""
SAMPLES = tuple(window(row, column) for row in (2, 4, 6) for column in (2, 4, 6))
BANDS = ("B05", "B08")
SHOWN = replace(product("s2"), bands=tuple(SENTINEL2[name] for name in BANDS))


def ground() -> np.ndarray:
    rng = np.random.default_rng(3)
    fine, coarse = (gaussian_filter(rng.standard_normal(AREA.shape), width, mode="wrap") for width in (2.0, 9.0))
    return np.asarray(3_000 + 400 * (fine / fine.std() + coarse / coarse.std()))


def shown(right: float, down: float) -> dict[str, np.ndarray]:
    """A scene's files: the ground, moved exactly."""
    there = np.fft.ifft2(fourier_shift(np.fft.fft2(ground()), (down, right))).real
    there += 20 * np.random.default_rng(int(10 * abs(right))).standard_normal(there.shape)
    numbers = np.clip(np.rint(there), 1, 9_999).astype(np.uint16)
    half = numbers.reshape(120, 2, 120, 2).mean(axis=(1, 3)).astype(np.uint16)
    return {"B05": half, "B08": numbers, "SCL": np.full((120, 120), 4, np.uint8)}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Small]:
    folder, first = tmp_path_factory.mktemp("displaced"), datetime(2018, 6, 1, 10, tzinfo=UTC)
    return {
        name: write_scene(folder, shown(*place), name=name, time=first + timedelta(days=4 * number))
        for number, (name, place) in enumerate(PLACES.items())
    }


def built(folder: Path, scenes: dict[str, Small], register: Register) -> Outcome:
    (step,) = Cadence.parse("month").timesteps(Period.parse("2018-06-01", "2018-07-01"))
    return TimestepTask(
        store=str(folder),
        layout=LAYOUT,
        layouts=("chips",),
        products=(SHOWN, SEEN),
        reducer=Brightest(),
        bands=BANDS,
        mask=PixelMask(),
        resolution=10.0,
        samples=SAMPLES,
        timesteps=(step,),
        scenes=tuple(one.scene for one in scenes.values()),
        register=register,
    ).run()


def surveyed(scenes: dict[str, Small], rule: Register = Register.CORRECT) -> Registration:
    groups = [(one.scene,) for one in scenes.values()]
    return survey(rule, groups, bands=BANDS, mask=PixelMask(), samples=SAMPLES, resolution=10.0)


def test_displacements_are_measured_in_metres(scenes: dict[str, Small]) -> None:
    found = surveyed(scenes)
    for name, (right, down) in PLACES.items():
        shift = found.shifts[name]
        assert shift is not None
        assert shift.is_sure
        assert np.hypot(shift.east - 10 * right, shift.north + 10 * down) < 1.5
    assert found.displaced("a") is None, "not worth it"
    assert found.displaced("b") == pytest.approx((4.0, 3.0), abs=0.7)
    assert found.displaced("nobody") is None
    assert list(found.left_out) == ["lost"]
    assert found.left_out["lost"] == "displaced by 13.9 pixels, expected at most 10"
    assert surveyed(scenes, Register.OFF).record("b") is None


def test_a_corrected_scene_shows_what_lies_there(scenes: dict[str, Small]) -> None:
    inner = AREA.window(40, 40, 120, 120)
    truth = ground()[40:160, 40:160]
    for name in ("b", "far"):
        right, down = PLACES[name]
        scene, place = scenes[name].scene, (10 * right, -10 * down)
        with SceneReader(scene, bands=BANDS, mask=PixelMask(dilate=1), displaced=place) as reader:
            seen, classes = reader.observe(inner), reader.classes(inner)
            assert seen is not None
            assert seen.valid.all()
            assert classes is not None
            assert (classes == 4).all()
        with SceneReader(scene, bands=BANDS, mask=PixelMask(dilate=1)) as reader:
            before = reader.observe(inner)
        assert before is not None
        after = np.abs(seen.bands[1] - truth).mean()
        assert after < 0.6 * np.abs(before.bands[1] - truth).mean()
        assert after < 60


@pytest.mark.parametrize("register", list(Register))
def test_a_scene_five_pixels_off_is_told_of_or_corrected(
    scenes: dict[str, Small], tmp_path: Path, register: Register
) -> None:
    made = built(tmp_path, scenes, register)
    assert made.lineage is not None
    (step,) = made.lineage.timesteps
    records = {one.id: one.shift for one in step.scenes}
    told = [note.what for note in made.notes]
    if register is Register.OFF:
        assert set(records) == set(PLACES)
        assert not any(records.values())
        assert not told
        return
    far, near = records["far"], records["a"]
    assert far is not None
    assert near is not None
    assert far.east == pytest.approx(50, abs=1)
    assert far.north == pytest.approx(-20, abs=1)
    assert not near.corrected
    if register is Register.MEASURE:
        assert not far.corrected
        assert "far: displaced by 5.3 pixels, used as it is: see `register`" in told
        assert not step.left_out
    else:
        assert far.corrected
        assert told == ["far: displaced by 5.3 pixels, corrected"]
        assert [(one.id, one.reason) for one in step.left_out] == [
            ("lost", "displaced by 13.9 pixels, expected at most 10")
        ]


def test_measuring_changes_no_pixel(scenes: dict[str, Small], tmp_path: Path) -> None:
    for register in (Register.OFF, Register.MEASURE):
        built(tmp_path / register, scenes, register)
    for sample in SAMPLES:
        plain, measured = (chip(tmp_path / one, sample, "2018-06", SHOWN) for one in (Register.OFF, Register.MEASURE))
        np.testing.assert_array_equal(plain, measured)


def test_a_broken_scene_is_not_measured_and_hinders_no_other(scenes: dict[str, Small], tmp_path: Path) -> None:
    broken = write_scene(tmp_path, shown(0, 0), name="broken", time=datetime(2018, 6, 30, 10, tzinfo=UTC))
    Path(broken.scene.bands["B08"].href).write_bytes(b"II*\0nothing")
    found = surveyed(scenes | {"broken": broken})
    assert found.shifts["broken"] is None
    assert found.record("broken") == ShiftRecord(windows=0, corrected=False)
    assert found.displaced("b") is not None
    made = built(tmp_path, scenes | {"broken": broken}, Register.CORRECT)
    assert made.lineage is not None
    assert [one.id for one in made.lineage.timesteps[0].left_out] == ["broken", "lost"]


@pytest.mark.parametrize(
    ("bands", "wanted"), [(BANDS, "B08"), (("B02", "B04"), "B04"), (("B05", "B11"), "B05"), (("B01",), "B01")]
)
def test_the_sharpest_band_with_most_contrast_is_taken(
    scenes: dict[str, Small], bands: tuple[str, ...], wanted: str
) -> None:
    assert survey_band(bands, scenes["a"].scene) == wanted


def test_windows_lie_about_samples_and_are_few() -> None:
    grids: list[Any] = survey_windows(SAMPLES, 10.0)
    assert len(grids) <= 9
    assert {grid.shape for grid in grids} == {(128, 128)}
    (alone,) = survey_windows(SAMPLES[:1], 10.0)
    west, south, east, north = SAMPLES[0].bounds
    assert alone.west <= west < east <= alone.east
    assert alone.south <= south < north <= alone.north


def test_what_is_not_sure_is_recorded_and_left_alone() -> None:
    vague = Shift(right=3.0, down=0.0, pixel=10.0, error=0.4, height=0.1, ratio=1.2, windows=1)
    found = Registration(rule=Register.CORRECT, shifts={"a": vague})
    record = found.record("a")
    assert record is not None
    assert (record.east, record.corrected) == (30.0, False)
    assert found.displaced("a") is None
    assert not found.notes()
