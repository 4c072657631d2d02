"""The series of a granule's chips: every chosen scene, and the masked, filled series with its validity."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.lineage import LeftOut, Lineage, LineageStep, SceneRecord
from landloom.corpus.manifest import FileEntry
from landloom.engine.pixels.attempts import without_broken
from landloom.engine.pixels.scratch import scratch_arrays
from landloom.engine.pixels.writing import product_writer
from landloom.engine.scenes.granules import DecidedScenes, GranuleReader, GranuleScenes, SeriesWindow, daily_step
from landloom.engine.units import Observed, Outcome
from landloom.model.time import format_instant
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.engine.pixels.reading import PixelMask
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene

RESOLUTION: Final = 10
"""Pixel size in metres."""
MEMORY: Final = 2**31
SCENES: Final = "s2_scenes"
CLASSES: Final = "scl"
FILLED: Final = "s2_filled"
OBSERVED: Final = "s2_observed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GranuleSeriesTask:
    """Cut all chips of a granule from its chosen scenes, and write them."""

    store: str
    """Location of the corpus."""
    layout: Layout
    layouts: tuple[str, ...]
    products: tuple[Product, ...]
    """Scenes, classification and, if published, filled series and validity."""
    bands: tuple[str, ...]
    mask: PixelMask
    samples: tuple[Sample, ...]
    """Samples of one granule, in id order."""
    scenes: GranuleScenes

    def run(self) -> Outcome:
        """Read, fill, write. A broken scene is replaced by the next best; this decides the scenes of the granule."""
        with ExitStack() as stack:
            (chosen, chips, stored), left_out = without_broken(partial(self._gather, stack), self.scenes.broken)
            return self._written(chosen, chips, left_out, stored)

    def _gather(
        self, stack: ExitStack, left_out: Mapping[str, str]
    ) -> tuple[tuple[Scene, ...], dict[str, NDArray[Any]], list[dict[str, str]]]:
        """The scenes taken, arrays over all chips, and how the numbers of each scene were converted."""
        chosen = self.scenes.without(left_out).chosen()
        chips = self._arrays(len(chosen), stack)
        with GranuleReader(chosen, self.bands, self.mask) as reader:
            for row, sample in enumerate(self.samples):
                window = reader.window(sample.grid(RESOLUTION))
                for name, array in chips.items():
                    array[row] = getattr(window, name)
            return chosen, chips, [one.stored for one in reader.readers]

    def _arrays(self, times: int, stack: ExitStack) -> dict[str, NDArray[Any]]:
        """Empty arrays, in memory or in temporary files."""
        grid, front = self.samples[0].grid(RESOLUTION), (len(self.samples), times)
        shapes: dict[str, tuple[tuple[int, ...], Any]] = {
            "bands": ((*front, len(self.bands), *grid.shape), np.uint16),
            "scl": ((*front, *grid.shape), np.uint8),
            "valid": ((*front, *grid.shape), np.bool_),
        }
        return scratch_arrays(shapes, stack)

    def _written(
        self,
        chosen: Sequence[Scene],
        chips: Mapping[str, NDArray[Any]],
        left_out: Mapping[str, str],
        stored: Sequence[Mapping[str, str]],
    ) -> Outcome:
        steps = tuple(daily_step(scene.time) for scene in chosen)
        times = [scene.time for scene in chosen]
        table: NDArray[np.bool_] = np.asarray(chips["bands"].any(axis=(2, 3, 4)))
        files: list[FileEntry] = []
        for product in self.products:
            with product_writer(
                store=self.store,
                layout=self.layout,
                layouts=self.layouts,
                product=product,
                samples=self.samples,
                timesteps=steps,
                observed=table,
            ) as writer:
                for row in range(len(self.samples)):
                    window = SeriesWindow(**{name: array[row] for name, array in chips.items()})
                    arrays = _arrays(product.key, window, times)
                    for step in np.flatnonzero(table[row]).tolist():
                        writer.write(row, step, arrays[step])
                files += writer.finish()
        files.append(self._decided(chosen, chips["valid"], table))
        return Outcome(
            files=tuple(files),
            observed=tuple(Observed(product=one.key, timesteps=steps, table=table) for one in self.products),
            lineage=self._lineage(chosen, chips["valid"], table, left_out, stored),
        )

    def _decided(self, chosen: Sequence[Scene], valid: NDArray[np.bool_], table: NDArray[np.bool_]) -> FileEntry:
        key = DecidedScenes.key(self.samples[0].tile)
        data = DecidedScenes(scenes=tuple(scene.id for scene in chosen), valid=valid, exists=table).encode()
        open_store(self.store).put(key, data)
        return FileEntry.of(key, data)

    def _lineage(
        self,
        chosen: Sequence[Scene],
        valid: NDArray[np.bool_],
        table: NDArray[np.bool_],
        left_out: Mapping[str, str],
        stored: Sequence[Mapping[str, str]],
    ) -> Lineage:
        broken = tuple(LeftOut(id=scene, reason=reason) for scene, reason in sorted(left_out.items()))
        rows = []
        for at, scene in enumerate(chosen):
            step = daily_step(scene.time)
            rows.append(
                LineageStep(
                    timestep=step.name,
                    datetime=format_instant(step.stamp),
                    day_of_year=step.stamp.timetuple().tm_yday,
                    scenes=(SceneRecord.of(scene, stored=stored[at]),),
                    without_data=(),
                    left_out=broken if at == 0 else (),
                    samples=int(table[:, at].sum()),
                    valid=round(float(valid[:, at].mean()), 6),
                )
            )
        choice = self.scenes.without(left_out).choice()
        return Lineage(
            timesteps=tuple(rows),
            months_without=tuple(month for _, month in choice.gaps),
            wanted=sum(wanted for _, wanted, _ in choice.short) or len(rows),
        )


def _arrays(key: str, window: SeriesWindow, times: Sequence[Any]) -> NDArray[Any]:
    """(time, band, y, x) array of a product."""
    if key == CLASSES:
        return window.scl[:, None]
    if key == OBSERVED:
        return window.valid[:, None].astype(np.uint8)
    return window.filled(times) if key == FILLED else window.bands
