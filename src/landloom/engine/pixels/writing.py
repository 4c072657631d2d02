"""Writing the chips of a product as they are made, in the layouts of the recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from landloom.engine.pixels.writers.chips import ChipWriter
from landloom.engine.pixels.writers.cubes import CubeWriter, PartWriter
from landloom.engine.pixels.writers.target import Target
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.corpus.manifest import FileEntry
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.model.time import Timestep


class ProductWriter(Protocol):
    """Takes the chips of one product and tile, in any order."""

    def write(self, sample: int, timestep: int, chip: NDArray[Any]) -> None:
        """Accept a chip (band, y, x) with the indices of its sample and timestep; any number of threads may do so."""
        ...

    def write_cube(self, sample: int, cube: NDArray[Any]) -> None:
        """Accept all chips of a sample (time, band, y, x) at once; any number of threads may do so."""
        ...

    def begin(self, timestep: int) -> None:
        """The chips of a timestep will come; none is stored before it is complete, those of an earlier try never."""
        ...

    def complete(self) -> None:
        """The chips of the timestep that was begun have come."""
        ...

    def finish(self) -> list[FileEntry]:
        """Write the remaining chips; returns every file written."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


@dataclass(slots=True, kw_only=True)
class AllWriters:
    """Passes each chip to the writer of every layout."""

    writers: Sequence[ProductWriter]

    def __enter__(self) -> Self:
        for writer in self.writers:
            writer.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for writer in self.writers:
            writer.__exit__(kind, error, at)

    def begin(self, timestep: int) -> None:
        """Pass it on."""
        for writer in self.writers:
            writer.begin(timestep)

    def complete(self) -> None:
        """Pass it on."""
        for writer in self.writers:
            writer.complete()

    def write(self, sample: int, timestep: int, chip: NDArray[Any]) -> None:
        """Pass it on."""
        for writer in self.writers:
            writer.write(sample, timestep, chip)

    def write_cube(self, sample: int, cube: NDArray[Any]) -> None:
        """Pass it on."""
        for writer in self.writers:
            writer.write_cube(sample, cube)

    def finish(self) -> list[FileEntry]:
        """The files of all of them."""
        return [file for writer in self.writers for file in writer.finish()]


def product_writer(
    *,
    store: str,
    layout: Layout,
    layouts: Sequence[str],
    product: Product,
    samples: Sequence[Sample],
    timesteps: Sequence[Timestep],
    observed: NDArray[np.bool_] | None = None,
) -> ProductWriter:
    """A writer for all the layouts of a recipe.

    Args:
        store: of the corpus.
        layout: its keys.
        layouts: `chips`, `cubes` or both; `parts` instead of `cubes` for one timestep of several.
        product: to write.
        samples: of one tile, in id order.
        timesteps: the product's time axis.
        observed: (sample, timestep) True where there is a chip, for an acquired axis; None for a regular one.
    """
    target = Target(
        store=open_store(store), layout=layout, product=product, samples=samples, timesteps=timesteps, observed=observed
    )
    kinds: dict[str, type[ChipWriter | CubeWriter | PartWriter]] = {
        "chips": ChipWriter,
        "cubes": CubeWriter,
        "parts": PartWriter,
    }
    return AllWriters(writers=[kinds[name](target=target) for name in layouts])
