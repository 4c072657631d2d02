"""Products on a regular time axis: observations of each timestep over one tile are reduced to one chip per sample.

A kind provides a `Reducer`; this module reads, leaves out broken scenes, cuts, writes and records the lineage.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.lineage import Lineage, LineageStep
from landloom.engine.pixels.attempts import without_broken
from landloom.engine.pixels.blocks import BUDGET, blocks
from landloom.engine.pixels.cubes import held_chunks
from landloom.engine.pixels.joining import JoinTask, TimestepParts, part_layouts
from landloom.engine.pixels.parallel import in_threads
from landloom.engine.pixels.registration import Register, Registration, survey
from landloom.engine.pixels.steps import StepAttempt
from landloom.engine.pixels.writing import ProductWriter, product_writer
from landloom.engine.scenes.overpasses import overpasses
from landloom.engine.units import Note, NoteKind, Observed, Outcome, RefusedChip, Unit, unit_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.engine.kinds import PlanInputs, ProductRequest
    from landloom.engine.pixels.blocks import Block
    from landloom.engine.pixels.masks import PixelMask
    from landloom.engine.pixels.steps import Made
    from landloom.engine.reducers import Objection, Reducer
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene
    from landloom.model.time import Timestep


_FEW: Final = 10
"""Samples that a thread cuts and writes at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chip:
    """What was cut of a sample at a timestep."""

    position: int
    """Index of the sample."""
    observations: float
    """Mean number of valid ones per pixel."""
    objection: Objection | None


@dataclass(slots=True, kw_only=True)
class _Made:
    """What has been made of the chips of a task so far."""

    there: NDArray[np.bool_]
    """(sample, timestep) chips that were written."""
    blank: NDArray[np.bool_]
    """(sample, timestep) chips without a single observation."""
    refused: list[RefusedChip] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def take(self, chip: _Chip, sample: str, index: int, step: str) -> None:
        """Note a chip of a timestep that is complete."""
        objection = chip.objection
        self.blank[chip.position, index] = chip.observations == 0
        if objection is not None and objection.certain:
            self.refused.append(RefusedChip(sample=sample, timestep=step, reason=objection.reason))
            return
        if objection is not None:
            self.notes.append(Note(kind=NoteKind.ODD, what=f"{sample} {step}: {objection.reason}"))
        self.there[chip.position, index] = True


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

    def parts(self) -> list[TimestepTask]:
        """A task for each timestep; none if displacements have to be found over all of them."""
        if self.register is not Register.OFF:
            return []
        return [
            replace(
                self,
                layouts=part_layouts(self.layouts),
                timesteps=(step,),
                scenes=tuple(scene for scene in self.scenes if scene.time in step.period),
            )
            for step in self.timesteps
        ]

    def joined(self, outcomes: Sequence[Outcome]) -> JoinTask:
        """See `landloom.engine.division.Divisible`."""
        return JoinTask(parts=self._apart, outcomes=tuple(outcomes))

    def discard(self) -> None:
        """See `landloom.engine.division.Divisible`."""
        self._apart.discard()

    @property
    def _apart(self) -> TimestepParts:
        return TimestepParts(
            store=self.store,
            layout=self.layout,
            layouts=self.layouts,
            products=self.products,
            samples=self.samples,
            timesteps=self.timesteps,
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
        """Make one timestep; nothing of it is stored before all of its blocks are read."""
        step = self.timesteps[index]
        wanted = [scene for scene in self.scenes if scene.time in step.period]
        known = aligned.left_out_of(wanted)
        (attempt, chips), left_out = without_broken(partial(self._attempt, index, wanted, aligned, writers), known)
        for writer in writers:
            writer.complete()
        for chip in chips:
            made.take(chip, str(self.samples[chip.position].id), index, step.name)
        return attempt.lineage(step, wanted, left_out, float(np.mean([chip.observations for chip in chips])))

    def _attempt(
        self,
        index: int,
        wanted: Sequence[Scene],
        aligned: Registration,
        writers: Sequence[ProductWriter],
        left_out: Mapping[str, str],
    ) -> tuple[StepAttempt, list[_Chip]]:
        usable = [scene for scene in wanted if scene.id not in left_out]
        attempt = StepAttempt(
            products=self.products,
            reducer=self.reducer,
            bands=self.bands,
            mask=self.mask,
            aligned=aligned,
            passes=overpasses(usable, self.samples[0].epsg),
        )
        for writer in writers:
            writer.begin(index)
        chips: list[_Chip] = []

        def take(block: Block, made: Made) -> None:
            few = [block.samples[start : start + _FEW] for start in range(0, len(block.samples), _FEW)]
            for cut in in_threads(partial(self._cut, index, block, made, writers), few):
                chips.extend(cut)

        attempt.blocks(blocks(self.samples, self.resolution), take)
        return attempt, chips

    def _cut(
        self, index: int, block: Block, made: Made, writers: Sequence[ProductWriter], positions: Sequence[int]
    ) -> list[_Chip]:
        """Cut some samples out of a block, and write those to whose chips nothing certain is objected."""
        found = []
        for position in positions:
            grid = self.samples[position].grid(self.resolution)
            row, column = grid.offset_in(block.grid)
            window = np.s_[..., row : row + grid.height, column : column + grid.width]
            chips, count = [array[window] for array in made.arrays], made.counts[window]
            objection = self.reducer.objection(chips, count)
            found.append(_Chip(position=position, observations=float(count.mean()), objection=objection))
            if objection is None or not objection.certain:
                for writer, chip in zip(writers, chips, strict=True):
                    writer.write(position, index, chip)
        return found


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
            project.stored,
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
            reads=scenes,
        )
        units.append(unit)
    return units
