"""Reading back the chips of a build, in either layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.formats.geotiff import decode_geotiff
from landloom.formats.zarr.cubes import CubeReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.store.protocol import Store


class ChipSeries:
    """The chips of one product and tile, sample by sample."""

    def __init__(
        self, store: Store, layout: Layout, layouts: Sequence[str], product: Product, samples: Sequence[Sample]
    ) -> None:
        """Set the product; cubes are preferred if there are any, because they are one file.

        Args:
            store: of the corpus.
            layout: its keys.
            layouts: layouts of the corpus.
            product: to read.
            samples: of one tile.
        """
        self._store = store
        self._layout = layout
        self._product = product
        self._cubes: CubeReader | None = None
        if "cubes" in layouts:
            folder = layout.cube(samples[0].id, product)
            self._cubes = CubeReader(store.get, store.get_range, f"{folder}/")

    def read(self, sample: Sample, timesteps: Sequence[str], exists: Sequence[bool]) -> NDArray[Any]:
        """(time, band, y, x) of a sample; 0 where a timestep has no chip.

        Args:
            sample: to read.
            timesteps: names.
            exists: whether the sample has each of them.
        """
        grid = sample.grid(float(self._product.resolution or 10))
        shape = (len(timesteps), max(len(self._product.bands), 1), *grid.shape)
        series = np.zeros(shape, self._product.dtype)
        positions = [position for position, there in enumerate(exists) if there]
        if self._cubes is not None:
            known = {name: position for position, name in enumerate(self._cubes.spec.timesteps)}
            cube = self._cubes.read(str(sample.id))
            for position in positions:
                series[position] = cube[known[timesteps[position]]]
            return series
        for position in positions:
            series[position] = self._chip(sample, timesteps[position])
        return series

    def _chip(self, sample: Sample, timestep: str) -> NDArray[Any]:
        bands = [band.name for band in self._product.bands] if self._layout.patterns.band_asset else [None]
        keys = [self._layout.chip(sample.id, self._product, timestep, band) for band in bands]
        return np.concatenate([decode_geotiff(self._store.get(key))[0] for key in keys])
