"""Chips that were written, read back: either layout holds the same, in the order of the timesteps asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.engine.pixels.test_writing import CELLS, CHIPS, GRANULES, NATIVE, PLAIN, SCENES, STEPS, cubes, written

from landloom.engine.pixels.reread import ChipSeries
from landloom.errors import MissingKeyError
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [step.name for step in STEPS]
SETTINGS: dict[str, dict[str, Any]] = {
    "a file a chip": {"item": NATIVE, "samples": CELLS, "layout": PLAIN},
    "a file a band": {"item": SCENES, "samples": CHIPS, "layout": GRANULES},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=list(SETTINGS))
@pytest.mark.parametrize("layouts", [("chips",), ("cubes",), ("chips", "cubes")], ids="-".join)
def test_every_layout_reads_back(settings: dict[str, Any], layouts: tuple[str, ...], tmp_path: Path) -> None:
    item, samples, layout = settings.values()
    array = cubes(samples, item)
    written(str(tmp_path), array, layouts, **settings)
    series = ChipSeries(open_store(str(tmp_path)), layout, layouts, item, samples)
    for row in (0, len(samples) - 1):
        np.testing.assert_array_equal(series.read(samples[row], NAMES, [True] * 3), array[row])
        turned = series.read(samples[row], NAMES[::-1], [True, False, True])
        np.testing.assert_array_equal(turned[[0, 2]], array[row][[2, 0]])
        assert not turned[1].any()


@pytest.mark.parametrize("layouts", [("chips",), ("cubes",)], ids="-".join)
def test_chips_that_should_be_there_and_are_not_are_an_error(layouts: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(MissingKeyError):
        ChipSeries(open_store(str(tmp_path)), PLAIN, layouts, NATIVE, CELLS).read(CELLS[0], NAMES, [True] * 3)
