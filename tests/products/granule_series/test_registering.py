"""Displaced scenes of a granule's series: recorded, removed, or replaced; other products read them so, too."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.engine.pixels.test_registration import BANDS, PLACES, SAMPLES, ground, shown
from tests.engine.small_scenes import AREA, write_scene
from tests.engine.test_timesteps import LAYOUT

from landloom.archive.selection import Policy, SceneFilter
from landloom.engine.pixels.masks import PixelMask
from landloom.engine.pixels.registration import Register
from landloom.engine.scenes.granules import DecidedScenes, GranuleReader, GranuleScenes
from landloom.formats.geotiff import decode_geotiff
from landloom.model.ids import GranuleId
from landloom.model.product import product
from landloom.model.sensor import SENTINEL2
from landloom.model.time import Period
from landloom.products.granule_series.task import CLASSES, SCENES, GranuleSeriesTask

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.corpus.lineage import ShiftRecord
    from landloom.engine.units import Outcome

SHOWN = replace(product("s2"), bands=tuple(SENTINEL2[name] for name in BANDS))
SCL = replace(SHOWN, key="scl", folder="SCL", prefix="scl", dtype="uint8", bands=(SENTINEL2["B01"],))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> GranuleScenes:
    """`lost` is among the six with least cloud, `spare` is not."""
    folder, first = tmp_path_factory.mktemp("displaced"), datetime(2018, 6, 1, 10, tzinfo=UTC)
    places = PLACES | {"spare": (0.0, 0.0)}
    found = [
        write_scene(
            folder,
            shown(*place),
            name=name,
            time=first + timedelta(days=4 * number),
            cloud_cover=float(number),
            nodata_share=0.0,
        ).scene
        for number, (name, place) in enumerate(places.items())
    ]
    return GranuleScenes(
        granule=GranuleId.parse("33TWL"),
        candidates=tuple(found),
        policy=Policy.parse(f"least-cloudy {len(PLACES)}"),
        rule=SceneFilter(),
        period=Period.year(2018),
    )


def cut(folder: Path, scenes: GranuleScenes, register: Register) -> Outcome:
    return GranuleSeriesTask(
        store=str(folder),
        layout=LAYOUT,
        layouts=("chips",),
        products=((SCENES, SHOWN), (CLASSES, SCL)),
        bands=BANDS,
        mask=PixelMask(),
        samples=SAMPLES,
        scenes=scenes,
        register=register,
    ).run()


def records(outcome: Outcome) -> dict[str, ShiftRecord | None]:
    assert outcome.lineage is not None
    return {scene.id: scene.shift for step in outcome.lineage.timesteps for scene in step.scenes}


def chip(folder: Path, place: int, day: str) -> Any:
    return decode_geotiff((folder / LAYOUT.chip(SAMPLES[place].id, SHOWN, f"2018-06-{day}")).read_bytes())[0]


def published(outcome: Outcome) -> list[Any]:
    return [file for file in outcome.files if not file.path.startswith(".landloom")]


def test_displacements_are_recorded_and_change_no_byte_unless_they_are_removed(
    scenes: GranuleScenes, tmp_path: Path
) -> None:
    plain, measured = (cut(tmp_path / rule, scenes, rule) for rule in (Register.OFF, Register.MEASURE))
    assert not any(records(plain).values())
    assert set(records(measured)) == set(PLACES)
    for name, (right, down) in PLACES.items():
        found = records(measured)[name]
        assert found is not None
        assert not found.corrected
        assert (found.east, found.north) == pytest.approx((10 * right, -10 * down), abs=1.5)
    assert published(measured) == published(plain)
    assert "far: displaced by 5.3 pixels, used as it is: see `register`" in [note.what for note in measured.notes]


def test_scenes_are_moved_or_replaced_and_read_so_by_other_products(scenes: GranuleScenes, tmp_path: Path) -> None:
    corrected = cut(tmp_path, scenes, Register.CORRECT)
    done = {name for name, found in records(corrected).items() if found is not None and found.corrected}
    assert done == {"b", "far", "d"}
    assert set(records(corrected)) == set(PLACES) - {"lost"} | {"spare"}
    assert corrected.lineage is not None
    assert list(corrected.lineage.left_out) == ["lost"]
    assert "displaced by 13.9 pixels, expected at most 10" in corrected.lineage.left_out["lost"]
    (kept,) = (file.path for file in corrected.files if file.path.startswith(".landloom"))
    decided = DecidedScenes.decode((tmp_path / kept).read_bytes())
    assert set(decided.displaced) == done
    known = {scene.id: scene for scene in scenes.candidates}
    chosen = [known[name] for name in decided.scenes]
    with GranuleReader(chosen, BANDS, PixelMask(), decided.displaced) as reader:
        again = reader.window(SAMPLES[4].grid(10))
    row, column = SAMPLES[4].grid(10).offset_in(AREA)
    truth = ground()[row : row + 24, column : column + 24]
    for at, day in ((1, "05"), (3, "13"), (4, "17")):
        np.testing.assert_array_equal(again.bands[at], chip(tmp_path, 4, day))
        assert np.abs(again.bands[at, 1] - truth).mean() < 60
