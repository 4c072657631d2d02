"""What `valid` means where a corpus says which pixels are usable: the layers, pixel by pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.model.sensor import LANDCOVERNET_CLEAR
from landloom.query.corpus import Corpus
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.datasets.tables import series_table

if TYPE_CHECKING:
    from pathlib import Path


def test_scenes_are_valid_where_their_classes_are_clear(tmp_path: Path) -> None:
    from tests.chips import write_world

    world = write_world(tmp_path / "corpus", side=30, scenes=3, chips=2)
    chosen = Corpus.open(world.folder, cache=tmp_path / "cache").query()
    dataset = CorpusDataset(chosen, "s2_scenes", cache=tmp_path / "decoded")
    masked = 0
    table = series_table(chosen, "s2_scenes")
    for number, name in enumerate(dataset.ids):
        data = (world.series[name] != 0).all(axis=1)
        valid = data & np.isin(world.scl[name], LANDCOVERNET_CLEAR)
        masked += int((data & ~valid).sum())
        sample = dataset[number]
        np.testing.assert_array_equal(sample["valid"].numpy(), valid)
        expected = np.where(valid[:, None], world.series[name] / np.float32(10_000), 0)
        np.testing.assert_allclose(sample["image"].numpy(), expected, rtol=1e-6)
        window = CorpusDataset(chosen, "s2_scenes", crop=10, crop_at="centre")[number]
        np.testing.assert_array_equal(window["valid"].numpy(), valid[:, 10:20, 10:20])
        for step, own in enumerate(valid):
            means = world.series[name][step][:, own].mean(axis=1) / 10_000 if own.any() else np.zeros(3)
            np.testing.assert_allclose(table.series[number, step], means, rtol=1e-5)
    assert masked > 0


@pytest.mark.parametrize("key", ["s2_10m", "s2_60m"])
def test_native_bands_are_valid_where_their_mask_says_so(series: Path, key: str) -> None:
    chosen = Corpus.open(series / "corpus").query()
    dataset = CorpusDataset(chosen, key, missing="drop")
    masked = 0
    for number, name in enumerate(dataset.ids[:3]):
        numbers = chosen.cube(name, key, observed_only=True).to_numpy()
        clear = chosen.cube(name, "s2_valid", observed_only=True).to_numpy()[:, 0] > 0
        times, size, (rows, columns) = len(numbers), clear.shape[1] // numbers.shape[2], numbers.shape[2:]
        blocks = clear.reshape(times, rows, size, columns, size).all(axis=(2, 4))
        data = ((numbers != 0) & (numbers != 65_535)).all(axis=1)
        masked += int((data & ~blocks).sum())
        np.testing.assert_array_equal(dataset[number]["valid"].numpy(), data & blocks)
    assert masked > 0
