"""Datastrips read as one scene: a pixel shows the first one that has data there."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.engine.small_scenes import AREA, numbers_of, write_scene

from landloom.engine.pixels.datastrips import OverpassReader
from landloom.engine.pixels.masks import PixelMask
from landloom.engine.pixels.reading import SceneFaultError, SceneReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.small_scenes import Small

BANDS = ("B04", "B05")
MASK = PixelMask(clear=frozenset({4, 5, 6}))


@pytest.fixture(scope="module")
def strips(tmp_path_factory: pytest.TempPathFactory) -> list[Small]:
    """Three scenes: the first two have nothing in random patches, the third has everything."""
    folder, made = tmp_path_factory.mktemp("strips"), []
    for seed, share in ((1, 0.5), (2, 0.7), (3, 1.0)):
        numbers = numbers_of(seed, (*BANDS, "SCL"))
        shown = np.random.default_rng(seed).random((30, 30)) < share
        for array in numbers.values():
            times = array.shape[0] // 30
            array[~shown.repeat(times, 0).repeat(times, 1)] = 0
        made.append(write_scene(folder, numbers, name=f"S2A_{seed}"))
    return made


@pytest.fixture
def reader(strips: list[Small]) -> Iterator[OverpassReader]:
    with ExitStack() as stack:
        opened = [stack.enter_context(SceneReader(one.scene, bands=BANDS, mask=MASK)) for one in strips]
        yield OverpassReader(opened)


def first(strips: list[Small], name: str) -> np.ndarray:
    found = np.zeros_like(strips[0].numbers[name])
    for one in strips:
        found = np.where(found == 0, one.numbers[name], found)
    return found


def test_bands_and_classes_are_those_of_the_first_with_data(strips: list[Small], reader: OverpassReader) -> None:
    for name, metres in (("B04", 10), ("B05", 20)):
        assert reader.grid(name) == AREA.at(metres)
        np.testing.assert_array_equal(reader.band(name, AREA.at(metres)), first(strips, name))
    np.testing.assert_array_equal(reader.classes(AREA.at(20)), first(strips, "SCL"))
    np.testing.assert_array_equal(reader.clear(AREA.at(20)), np.isin(first(strips, "SCL"), (4, 5, 6)))


def test_outside_all_there_is_nothing(reader: OverpassReader) -> None:
    away = AREA.at(20).window(1000, 1000, 6, 6)
    assert (reader.band("B05", away), reader.classes(away), reader.clear(away)) == (None, None, None)


def test_a_fault_names_the_scene(strips: list[Small], reader: OverpassReader, tmp_path: Path) -> None:
    gone = write_scene(tmp_path, numbers_of(4, ("B04", "SCL")), name="S2A_4")
    (tmp_path / "S2A_4/B04.tif").unlink()
    with (
        SceneReader(strips[0].scene, bands=BANDS, mask=MASK) as one,
        SceneReader(gone.scene, bands=BANDS, mask=MASK) as other,
        pytest.raises(SceneFaultError, match="S2A_4/B04") as fault,
    ):
        OverpassReader([one, other]).band("B04", AREA)
    assert fault.value.scene.id == "S2A_4"
    reader.release()
