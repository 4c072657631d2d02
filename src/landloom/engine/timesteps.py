"""Products on a regular time axis: observations of each timestep over one tile are reduced to one chip per sample.

A kind provides a `Reducer`; this module reads, leaves out broken scenes, cuts, writes and records the lineage.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from landloom.corpus.lineage import LeftOut, Lineage, LineageStep, SceneRecord
from landloom.engine.pixels.ahead import read_ahead
from landloom.engine.pixels.attempts import without_broken
from landloom.engine.pixels.blocks import BUDGET, Block, blocks, strips
from landloom.engine.pixels.cubes import held_chunks
from landloom.engine.pixels.parallel import in_threads
from landloom.engine.pixels.reading import SceneReader
from landloom.engine.pixels.registration import Register, Registration, survey
from landloom.engine.pixels.writing import ProductWriter, product_writer
from landloom.engine.scenes.overpasses import overpasses
from landloom.engine.units import Note, NoteKind, Observed, Outcome, RefusedChip, Unit, unit_digest
from landloom.imagery.composite import Observation

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.engine.kinds import PlanInputs, ProductRequest
    from landloom.engine.pixels.masks import PixelMask
    from landloom.model.grid import Grid
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene
    from landloom.model.time import Timestep

MOST_OPEN: Final = 48
"""Overpasses whose files stay open across blocks: each has a dozen, and processes may open a thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """Something wrong or odd about the chips of a sample and timestep."""

    reason: str
    certain: bool = True
    """Whether they must not be published; otherwise they are, and it is noted."""


class Reducer(Protocol):
    """Reduces the observations of a timestep; a value that is sent to workers."""

    def reduce(self, observations: Sequence[Observation], shape: tuple[int, int], bands: int) -> Sequence[NDArray[Any]]:
        """One array (band, y, x) for each product, in their order.

        Args:
            observations: one per overpass, on one grid; may be empty.
            shape: rows and columns.
            bands: number of bands of an observation.
        """
        ...

    def objection(self, chips: Sequence[NDArray[Any]], count: NDArray[np.uint16]) -> Objection | None:
        """What is wrong or odd about the chips of a sample; None if nothing is.

        Args:
            chips: (band, y, x) of each product.
            count: (y, x) valid observations.
        """
        ...


@dataclass(slots=True, kw_only=True)
class _Made:
    """What has been made of the chips of a task so far."""

    there: NDArray[np.bool_]
    """(sample, timestep) chips that were written."""
    blank: NDArray[np.bool_]
    """(sample, timestep) chips without a single observation."""
    refused: list[RefusedChip] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestepTask:
    """Reduce all timesteps of a tile, and write them."""

    store: str
    """Address of the corpus."""
    layout: Layout
    """Its keys."""
    layouts: tuple[str, ...]
    """`chips`, `cubes` or both."""
    products: tuple[Product, ...]
    """Products of one resolution."""
    reducer: Reducer
    bands: tuple[str, ...]
    """Bands read from each scene, in this order."""
    mask: PixelMask
    resolution: float
    """Metres of a pixel."""
    samples: tuple[Sample, ...]
    """Of one tile, in id order."""
    timesteps: tuple[Timestep, ...]
    scenes: tuple[Scene, ...]
    """All scenes of the tile in the period."""
    register: Register = Register.OFF
    """What is done about displaced scenes."""

    def run(self) -> Outcome:
        """Reduce, cut, write; the lineage records the scenes of every timestep."""
        shape = len(self.samples), len(self.timesteps)
        made, aligned = _Made(there=np.zeros(shape, np.bool_), blank=np.zeros(shape, np.bool_)), self._aligned()
        with ExitStack() as stack:
            writers = [stack.enter_context(self._writer(product)) for product in self.products]
            steps = [self._timestep(index, aligned, writers, made) for index in range(len(self.timesteps))]
            files = [file for writer in writers for file in writer.finish()]
        gaps = made.blank if made.blank.any() else None
        observed = (
            Observed(product=one.key, timesteps=self.timesteps, table=made.there, blank=gaps) for one in self.products
        )
        return Outcome(
            files=tuple(files),
            observed=tuple(observed),
            lineage=Lineage(timesteps=tuple(steps)),
            notes=(*aligned.notes(), *made.notes),
            refused=tuple(made.refused),
        )

    def _aligned(self) -> Registration:
        return survey(
            self.register,
            overpasses(self.scenes, self.samples[0].epsg),
            bands=self.bands,
            mask=self.mask,
            samples=self.samples,
            resolution=self.resolution,
        )

    def _writer(self, product: Product) -> ProductWriter:
        return product_writer(
            store=self.store,
            layout=self.layout,
            layouts=self.layouts,
            product=product,
            samples=self.samples,
            timesteps=self.timesteps,
        )

    def _timestep(
        self, index: int, aligned: Registration, writers: Sequence[ProductWriter], made: _Made
    ) -> LineageStep:
        """Reduce one timestep; nothing is written before all of its blocks are read."""
        step = self.timesteps[index]
        wanted = [scene for scene in self.scenes if scene.time in step.period]
        known = aligned.left_out_of(wanted)
        (attempt, parts), left_out = without_broken(partial(self._parts, wanted, aligned), known)
        means: list[float] = []
        for block, arrays, count in parts:
            means += self._cut(index, block, (arrays, count), writers, made)
        return _lineage(step, wanted, left_out, attempt, float(np.mean(means)))

    def _parts(
        self, wanted: Sequence[Scene], aligned: Registration, left_out: Mapping[str, str]
    ) -> tuple[_StepAttempt, list[tuple[Block, list[NDArray[Any]], NDArray[np.uint16]]]]:
        usable = [scene for scene in wanted if scene.id not in left_out]
        attempt = _StepAttempt(task=self, aligned=aligned, passes=overpasses(usable, self.samples[0].epsg))
        return attempt, list(attempt.blocks(blocks(self.samples, self.resolution)))

    def _cut(
        self,
        index: int,
        block: Block,
        part: tuple[list[NDArray[Any]], NDArray[np.uint16]],
        writers: Sequence[ProductWriter],
        made: _Made,
    ) -> list[float]:
        """Cut a block's samples and write those without objection; returns the mean observations of each."""
        arrays, counts = part
        means = []
        for position in block.samples:
            grid = self.samples[position].grid(self.resolution)
            row, column = grid.offset_in(block.grid)
            window = np.s_[..., row : row + grid.height, column : column + grid.width]
            chips, count = [array[window] for array in arrays], counts[window]
            means.append(float(count.mean()))
            made.blank[position, index] = not count.any()
            sample, step = str(self.samples[position].id), self.timesteps[index].name
            objection = self.reducer.objection(chips, count)
            if objection is not None and objection.certain:
                made.refused.append(RefusedChip(sample=sample, timestep=step, reason=objection.reason))
                continue
            if objection is not None:
                made.notes.append(Note(kind=NoteKind.ODD, what=f"{sample} {step}: {objection.reason}"))
            for writer, chip in zip(writers, chips, strict=True):
                writer.write(position, index, chip)
            made.there[position, index] = True
        return means


@dataclass(slots=True, kw_only=True)
class _StepAttempt:
    """An attempt at a timestep with the scenes that are still considered usable."""

    task: TimestepTask
    aligned: Registration
    passes: list[list[Scene]]
    clamped: dict[str, int] = field(default_factory=dict)
    stored: dict[str, dict[str, str]] = field(default_factory=dict)
    validity: dict[str, str] = field(default_factory=dict)
    """Of scenes whose usable pixels no classification tells."""
    masked: dict[str, dict[str, str]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def blocks(self, wanted: Sequence[Block]) -> Iterator[tuple[Block, list[NDArray[Any]], NDArray[np.uint16]]]:
        with ExitStack() as stack:
            readers = [[stack.enter_context(self._reader(scene)) for scene in group] for group in self.passes]
            every = [reader for group in readers for reader in group]
            parts = [list(strips(block.grid, len(readers), len(self.task.bands))) for block in wanted]
            for number in stack.enter_context(closing(self._ordered(every, parts))):
                yield wanted[number], *self._block(wanted[number], parts[number], readers)
            self.clamped = {reader.scene.id: reader.clamped for reader in every if reader.clamped}
            self.stored = {reader.scene.id: reader.stored for reader in every}
            self.masked = {reader.scene.id: reader.masked for reader in every if reader.masked}
            self.validity = {r.scene.id: r.validity for r in every if r.sensor.classification is None}

    def _ordered(
        self, readers: Sequence[SceneReader], parts: Sequence[Sequence[tuple[int, Grid]]]
    ) -> Generator[int, None, None]:
        """Numbers of the blocks; what they need is fetched ahead, unless too many files would be open."""
        if len(self.passes) > MOST_OPEN:
            yield from range(len(parts))
        else:
            yield from read_ahead(readers, [[grid for _, grid in part] for part in parts])

    def _reader(self, scene: Scene) -> SceneReader:
        displaced = self.aligned.displaced(scene.id)
        return SceneReader(scene, bands=self.task.bands, mask=self.task.mask, displaced=displaced)

    def _block(
        self, block: Block, parts: Sequence[tuple[int, Grid]], readers: Sequence[Sequence[SceneReader]]
    ) -> tuple[list[NDArray[Any]], NDArray[np.uint16]]:
        task, bands = self.task, len(self.task.bands)
        whole = [np.zeros((max(len(p.bands), 1), *block.grid.shape), p.dtype) for p in task.products]
        counts = np.zeros(block.grid.shape, np.uint16)
        for row, strip in parts:
            passes = in_threads(partial(self._pass, strip=strip), readers)
            seen = [observation for observation in passes if observation is not None]
            rows = slice(row, row + strip.height)
            for array, part in zip(whole, task.reducer.reduce(seen, strip.shape, bands), strict=True):
                array[:, rows] = part
            for observation in seen:
                counts[rows] += observation.valid
        return whole, counts

    def _pass(self, group: Sequence[SceneReader], strip: Grid) -> Observation | None:
        """The observation of one overpass; if several granules show a pixel, the first one counts."""
        merged: Observation | None = None
        for reader in group:
            seen = reader.observe(strip)
            if len(self.passes) > MOST_OPEN:
                reader.release()
            if seen is None:
                continue
            self.used.add(reader.scene.id)
            if merged is None:
                merged = seen
            else:
                bands = np.where(merged.valid, merged.bands, seen.bands)
                merged = Observation(bands=bands, valid=merged.valid | seen.valid)
        return merged


def _lineage(
    step: Timestep, wanted: Sequence[Scene], left_out: Mapping[str, str], attempt: _StepAttempt, observations: float
) -> LineageStep:
    used = [scene for scene in wanted if scene.id in attempt.used]
    unused = [scene.id for scene in wanted if scene.id not in attempt.used and scene.id not in left_out]
    return LineageStep(
        timestep=step.name,
        scenes=tuple(
            SceneRecord.of(
                scene,
                clamped=attempt.clamped.get(scene.id, 0),
                level=False,
                validity=attempt.validity.get(scene.id),
                stored=attempt.stored.get(scene.id),
                shift=attempt.aligned.record(scene.id),
            )
            for scene in sorted(used, key=lambda one: (one.time, one.id))
        ),
        without_valid_pixels=tuple(sorted(unused)),
        left_out=tuple(LeftOut(id=scene, reason=reason) for scene, reason in sorted(left_out.items())),
        masks=dict(sorted(attempt.masked.items())) or None,
        observations=observations,
    )


def timestep_units(
    request: ProductRequest[Any],
    inputs: PlanInputs,
    *,
    reducer: Reducer,
    products: Sequence[Product],
    timesteps: tuple[Timestep, ...],
    bands: tuple[str, ...],
    mask: PixelMask,
    register: Register = Register.OFF,
) -> list[Unit]:
    """The units of a product on a regular time axis, one per tile.

    Args:
        request: of the recipe.
        inputs: of planning.
        reducer: makes the products.
        products: products of one resolution.
        timesteps: of all products.
        bands: bands read from each scene.
        mask: rule for the usable pixels.
        register: what is done about displaced scenes.
    """
    project, archive, units = request.project, request.scenes.archive, []
    settings = request.section.model_dump(mode="json", exclude={"terms"})
    for tile, samples in inputs.tiles.items():
        scenes = inputs.scenes[request.path][tile]
        task = TimestepTask(
            store=inputs.store,
            layout=inputs.layout,
            layouts=project.recipe.layouts,
            products=tuple(products),
            reducer=reducer,
            bands=bands,
            mask=mask,
            resolution=float(products[0].resolution or 10),
            samples=samples,
            timesteps=timesteps,
            scenes=scenes,
            register=register,
        )
        decides = unit_digest(
            settings,
            project.recipe.layouts,
            [[asdict(product) for product in products], inputs.layout.name],
            [[step.name, str(step.period)] for step in timesteps],
            [(str(sample.id), sample.bounds) for sample in samples],
            [project.scene_identity(scene, mask.with_bands(bands), archive) for scene in scenes],
        )
        unit = Unit(
            kind=request.kind.name,
            product=request.unit,
            tile=tile,
            makes=tuple(product.key for product in products),
            samples=samples,
            key=decides,
            memory=2 * BUDGET + held_chunks(scenes),
            task=task,
        )
        units.append(unit)
    return units
