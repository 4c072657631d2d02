"""What is written where: the destination and subject of a writer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landloom.corpus.manifest import FileEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.model.time import Timestep
    from landloom.store.protocol import Store


@dataclass(slots=True, kw_only=True)
class Target:
    """The destination and subject of a writer."""

    store: Store
    layout: Layout
    product: Product
    samples: Sequence[Sample]
    timesteps: Sequence[Timestep]
    observed: NDArray[np.bool_] | None = None

    @property
    def resolution(self) -> float:
        """Metres of a pixel."""
        return float(self.product.resolution or 10)

    def put(self, key: str, data: bytes) -> FileEntry:
        """Store a file."""
        self.store.put(key, data)
        return FileEntry.of(key, data)


def parts(layout: Layout, product: Product, chip: NDArray[Any]) -> Iterator[tuple[str | None, NDArray[Any], list[str]]]:
    """The files of a chip: one with all bands, or one per band, according to the layout.

    Yields:
        Band in the file's name, or None; its part of the chip (band, y, x); names of its bands.
    """
    names = [band.name for band in product.bands]
    if layout.patterns.band_asset is None:
        yield None, chip, names
        return
    for position, name in enumerate(names):
        yield name, chip[position : position + 1], [name]
