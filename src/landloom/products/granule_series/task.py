"""The series of a granule's chips: every chosen scene, and the masked, filled series with its validity."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.archive.protocol import in_order
from landloom.corpus.lineage import LeftOut, Lineage, LineageStep, SceneRecord
from landloom.corpus.manifest import FileEntry
from landloom.engine.pixels.attempts import without_broken
from landloom.engine.pixels.reading import SceneFaultError
from landloom.engine.pixels.registration import Register, Registration, survey
from landloom.engine.pixels.scratch import scratch_arrays
from landloom.engine.pixels.writing import product_writer
from landloom.engine.scenes.dates import daily_step, dates_of
from landloom.engine.scenes.granules import DecidedScenes, GranuleReader, GranuleScenes, SeriesWindow
from landloom.engine.units import Observed, Outcome
from landloom.model.time import format_instant
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.engine.pixels.masks import PixelMask
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene

RESOLUTION: Final = 10
"""Pixel size in metres."""
MEMORY: Final = 2**31
_TRIAL: Final = 4
"""Scenes of a unit that is measured."""
SCENES, CLASSES, FILLED, OBSERVED = "scenes", "classes", "filled", "observed"
"""Roles of the products."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """How scenes were read, for the lineage."""

    stored: Mapping[str, Mapping[str, str]]
    """Scene → band → conversion of its numbers."""
    masked: Mapping[str, Mapping[str, str]]
    """Scene → mask → how it was used."""
    aligned: Registration
    """Their displacements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GranuleSeriesTask:
    """Cut all chips of a granule from its chosen scenes, and write them."""

    store: str
    """Location of the corpus."""
    layout: Layout
    layouts: tuple[str, ...]
    products: tuple[tuple[str, Product], ...]
    """Role and product: scenes, classification and, if published, filled series and validity."""
    bands: tuple[str, ...]
    mask: PixelMask
    samples: tuple[Sample, ...]
    """Samples of one granule, in id order."""
    scenes: GranuleScenes
    register: Register = Register.OFF
    """What is done about displaced scenes."""

    def run(self) -> Outcome:
        """Read, fill, write. A broken scene is replaced by the next best; this decides the scenes of the granule."""
        with ExitStack() as stack:
            (chosen, chips, told), left_out = without_broken(partial(self._gather, stack), self.scenes.broken)
            return self._written(chosen, chips, left_out, told)

    def trial(self) -> GranuleSeriesTask:
        """See `landloom.engine.division.Measurable`: the first of the chosen scenes."""
        few = self.scenes.chosen()[:_TRIAL]
        return replace(self, scenes=replace(self.scenes, candidates=few, fixed=frozenset(scene.id for scene in few)))

    def _gather(
        self, stack: ExitStack, left_out: Mapping[str, str]
    ) -> tuple[tuple[tuple[Scene, ...], ...], dict[str, NDArray[Any]], _Told]:
        """The scenes of every date, arrays over all chips, and how each scene was read."""
        chosen = self.scenes.without(left_out).chosen()
        aligned = self._aligned(chosen)
        with GranuleReader(chosen, self.bands, self.mask, aligned.to_remove(chosen)) as reader:
            chips = self._arrays(len(reader.dates), stack)
            for row, sample in enumerate(self.samples):
                window = reader.window(sample.grid(RESOLUTION))
                for name, array in chips.items():
                    array[row] = getattr(window, name)
            return reader.dates, chips, _Told(stored=reader.stored, masked=reader.masked, aligned=aligned)

    def _aligned(self, chosen: Sequence[Scene]) -> Registration:
        """Displacements of the chosen scenes; one that is too far off is as good as broken, and gives its place up."""
        aligned = survey(
            self.register,
            [date.scenes for date in dates_of(chosen)],
            bands=self.bands,
            mask=self.mask,
            samples=self.samples,
            resolution=RESOLUTION,
        )
        known = {scene.id: scene for scene in chosen}
        for name, reason in aligned.left_out.items():
            raise SceneFaultError(known[name], reason)
        return aligned

    def _arrays(self, times: int, stack: ExitStack) -> dict[str, NDArray[Any]]:
        """Empty arrays, in memory or in temporary files."""
        grid, front = self.samples[0].grid(RESOLUTION), (len(self.samples), times)
        shapes: dict[str, tuple[tuple[int, ...], Any]] = {
            "bands": ((*front, len(self.bands), *grid.shape), np.uint16),
            "scl": ((*front, *grid.shape), dict(self.products)[CLASSES].dtype),
            "valid": ((*front, *grid.shape), np.bool_),
        }
        return scratch_arrays(shapes, stack)

    def _written(
        self,
        dates: Sequence[tuple[Scene, ...]],
        chips: Mapping[str, NDArray[Any]],
        left_out: Mapping[str, str],
        told: _Told,
    ) -> Outcome:
        times = [first.time for first, *_ in dates]
        steps = tuple(daily_step(instant) for instant in times)
        table: NDArray[np.bool_] = np.asarray(chips["bands"].any(axis=(2, 3, 4)))
        files: list[FileEntry] = []
        for role, product in self.products:
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
                    arrays = _arrays(role, window, times)
                    for step in np.flatnonzero(table[row]).tolist():
                        writer.write(row, step, arrays[step])
                files += writer.finish()
        files.append(self._decided(dates, chips["valid"], table, told.aligned))
        return Outcome(
            files=tuple(files),
            observed=tuple(Observed(product=one.key, timesteps=steps, table=table) for _, one in self.products),
            lineage=self._lineage(dates, chips["valid"], table, left_out, told),
            notes=told.aligned.notes(),
        )

    def _decided(
        self,
        dates: Sequence[tuple[Scene, ...]],
        valid: NDArray[np.bool_],
        table: NDArray[np.bool_],
        aligned: Registration,
    ) -> FileEntry:
        scenes = [one for own in dates for one in own]
        key, names = DecidedScenes.key(self.samples[0].tile), tuple(one.id for one in scenes)
        data = DecidedScenes(scenes=names, valid=valid, exists=table, displaced=aligned.to_remove(scenes)).encode()
        open_store(self.store).put(key, data)
        return FileEntry.of(key, data)

    def _lineage(
        self,
        dates: Sequence[tuple[Scene, ...]],
        valid: NDArray[np.bool_],
        table: NDArray[np.bool_],
        left_out: Mapping[str, str],
        told: _Told,
    ) -> Lineage:
        scenes, rows = self.scenes.without(left_out), []
        passed_over = scenes.passed_over()
        for at, own in enumerate(dates):
            step = daily_step(own[0].time)
            others = [(scene, f"{scene}: {reason}") for scene, reason in passed_over.get(step.name, ())]
            missing = [*(left_out.items() if at == 0 else ()), *others]
            rows.append(
                LineageStep(
                    timestep=step.name,
                    datetime=format_instant(step.stamp),
                    day_of_year=step.stamp.timetuple().tm_yday,
                    scenes=tuple(
                        SceneRecord.of(scene, stored=told.stored[scene.id], shift=told.aligned.record(scene.id))
                        for scene in in_order(own)
                    ),
                    without_data=(),
                    left_out=tuple(LeftOut(id=scene, reason=reason) for scene, reason in sorted(missing)),
                    masks={one.id: told.masked[one.id] for one in in_order(own) if one.id in told.masked} or None,
                    samples=int(table[:, at].sum()),
                    valid=round(float(valid[:, at].mean()), 6),
                )
            )
        choice = scenes.choice()
        return Lineage(
            timesteps=tuple(rows),
            months_without=tuple(month for _, month in choice.gaps),
            wanted=sum(wanted for _, wanted, _ in choice.short) or len(rows),
        )


def _arrays(role: str, window: SeriesWindow, times: Sequence[Any]) -> NDArray[Any]:
    """(time, band, y, x) array of a product."""
    if role == CLASSES:
        return window.scl[:, None]
    if role == OBSERVED:
        return window.valid[:, None].astype(np.uint8)
    return window.filled(times) if role == FILLED else window.bands
