"""Images of simulated products against GDAL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio

from landloom.model.grid import Grid
from landloom.model.sensor import Scl
from landloom.simulate.safe.images import cloud_classes, encode_jp2

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_cloud_classes_are_those_of_the_scene_classification() -> None:
    scl = np.full((6, 6), Scl.VEGETATION, dtype=np.uint8)
    scl[0, 0], scl[2, 5], scl[5, 0] = Scl.CLOUD_HIGH, Scl.CIRRUS, Scl.SNOW
    assert cloud_classes(scl).tolist() == [[[1, 0], [0, 0]], [[0, 1], [0, 0]], [[0, 0], [1, 0]]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_jpeg_2000_loses_nothing_and_has_the_tiles_of_its_block(dtype: type) -> None:
    numbers: NDArray[Any] = np.arange(2 * 80 * 100).reshape(2, 80, 100) * 7919 % (np.iinfo(dtype).max + 1)
    numbers = numbers.astype(dtype)
    grid = Grid.of_bounds(32632, (300_000, 5_556_000, 301_000, 5_556_800), 10)
    data = encode_jp2(numbers, grid, block=64)
    assert data == encode_jp2(numbers, grid, block=64)
    with rasterio.MemoryFile(data) as memory, memory.open() as image:
        assert np.array_equal(image.read(), numbers)
        assert set(image.block_shapes) == {(64, 64)}
