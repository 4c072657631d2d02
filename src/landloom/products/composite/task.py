"""The composite product: per-pixel medians of a tile's scenes, cut into chips and cubes."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.engine.blocks import Block, blocks, strips
from landloom.engine.reading import SceneFaultError, SceneReader
from landloom.engine.units import Outcome
from landloom.engine.writing import ProductWriter, product_writer
from landloom.errors import LandloomError
from landloom.imagery.composite import Composite, Observation, blank_reason, composite
from landloom.model.time import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from landloom.corpus.layout import Layout
    from landloom.model.product import Product
    from landloom.model.recipe import CompositeProduct
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene
    from landloom.model.time import Timestep

SAME_PASS: Final = timedelta(minutes=2)
"""Scenes of one satellite and orbit that start within it are one observation on neighbouring granules."""


MOST_OPEN: Final = 48
"""Overpasses whose files stay open from block to block: each has a dozen, and processes may open a thousand."""


def overpasses(scenes: Sequence[Scene], epsg: int) -> list[list[Scene]]:
    """Gather the scenes that one overpass left on several granules: together they are one observation.

    Args:
        scenes: of one timestep.
        epsg: CRS of the samples; scenes in it come first, so that they win over warped ones.

    Returns:
        Overpasses in time order; within one, same CRS first, then by id.
    """
    passes: list[list[Scene]] = []
    for scene in sorted(scenes, key=lambda s: (s.platform or "", s.orbit or 0, s.time, s.id)):
        last = passes[-1][0] if passes else None
        same = last is not None and (last.platform, last.orbit) == (scene.platform, scene.orbit)
        if last is not None and same and scene.time - last.time <= SAME_PASS:
            passes[-1].append(scene)
        else:
            passes.append([scene])
    ordered = [sorted(group, key=lambda s: (s.epsg != epsg, s.id)) for group in passes]
    return sorted(ordered, key=lambda group: (min(scene.time for scene in group), group[0].id))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeTask:
    """Composite all timesteps of a product over one tile, and write them."""

    store: str
    """Where the corpus lies."""
    layout: Layout
    """Its keys."""
    layouts: tuple[str, ...]
    """`chips`, `cubes` or both."""
    product: Product
    count_product: Product | None
    """The count-of-observations product, if it is published."""
    settings: CompositeProduct
    samples: tuple[Sample, ...]
    """Of one tile, in id order."""
    timesteps: tuple[Timestep, ...]
    scenes: tuple[Scene, ...]
    """All scenes of the tile in the period."""

    def run(self) -> Outcome:
        """Composite, cut, write; the facts are the tile's lineage and its observations per timestep."""
        with ExitStack() as stack:
            writers = [stack.enter_context(writer) for writer in self._writers()]
            steps = [self._timestep(index, step, writers) for index, step in enumerate(self.timesteps)]
            files = [file for writer in writers for file in writer.finish()]
        return Outcome(files=tuple(files), facts={"timesteps": steps})

    def _writers(self) -> Iterator[ProductWriter]:
        products = [self.product] if self.count_product is None else [self.product, self.count_product]
        for product in products:
            yield product_writer(
                store=self.store, layout=self.layout, layouts=self.layouts, product=product,
                samples=self.samples, timesteps=self.timesteps,
            )  # fmt: skip

    def _timestep(self, index: int, step: Timestep, writers: Sequence[ProductWriter]) -> dict[str, Any]:
        """Composite one timestep; a scene that turns out to be broken is left out and the step starts again."""
        wanted = [scene for scene in self.scenes if scene.time in step.period]
        left_out: dict[str, str] = {}
        while True:
            usable = [scene for scene in wanted if scene.id not in left_out]
            attempt = _Attempt(settings=self.settings, passes=overpasses(usable, self.samples[0].epsg))
            try:
                parts = list(attempt.blocks(blocks(self.samples, self.settings.resolution)))
            except SceneFaultError as fault:
                left_out[fault.scene.id] = str(fault)
                continue
            counts = [self._cut(index, block, part, writers) for block, part in parts]
            return _lineage(step, wanted, left_out, attempt) | {"observations": float(np.mean(np.concatenate(counts)))}

    def _cut(self, index: int, block: Block, part: Composite, writers: Sequence[ProductWriter]) -> list[float]:
        """Cut a block's samples out and write them; the mean observations of each."""
        means = []
        for position in block.samples:
            grid = self.samples[position].grid(self.settings.resolution)
            row, column = grid.offset_in(block.grid)
            window = np.s_[..., row : row + grid.height, column : column + grid.width]
            chip, count = part.bands[window], part.count[window]
            reason = blank_reason(chip, count)
            if reason is not None:
                raise LandloomError(f"{self.samples[position].id} {self.timesteps[index].name}: {reason}")
            for writer, array in zip(writers, (chip, np.minimum(count, 255).astype(np.uint8)[None]), strict=False):
                writer.write(position, index, array)
            means.append(float(count.mean()))
        return means


@dataclass(slots=True, kw_only=True)
class _Attempt:
    """One try at a timestep with the scenes that are still thought usable."""

    settings: CompositeProduct
    passes: list[list[Scene]]
    clamped: dict[str, int] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def blocks(self, wanted: Sequence[Block]) -> Iterator[tuple[Block, Composite]]:
        with ExitStack() as stack:
            readers = [[stack.enter_context(self._reader(scene)) for scene in group] for group in self.passes]
            for block in wanted:
                yield block, self._block(block, readers)
            self.clamped = {r.scene.id: r.clamped for group in readers for r in group if r.clamped}

    def _reader(self, scene: Scene) -> SceneReader:
        settings = self.settings
        return SceneReader(scene, bands=settings.bands, clear=frozenset(settings.clear), dilate=settings.dilate)

    def _block(self, block: Block, readers: Sequence[Sequence[SceneReader]]) -> Composite:
        bands = len(self.settings.bands)
        whole = np.zeros((bands, *block.grid.shape), np.uint16)
        counts = np.zeros(block.grid.shape, np.uint16)
        for row, strip in strips(block.grid, len(readers), bands):
            seen = [self._pass(group, strip) for group in readers]
            part = composite([observation for observation in seen if observation is not None], strip.shape, bands)
            whole[:, row : row + strip.height] = part.bands
            counts[row : row + strip.height] = part.count
        return Composite(bands=whole, count=counts)

    def _pass(self, group: Sequence[SceneReader], strip: Any) -> Observation | None:
        """What one overpass shows: where several granules do, the first of them."""
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


def _lineage(step: Timestep, wanted: Sequence[Scene], left_out: Mapping[str, str], attempt: _Attempt) -> dict[str, Any]:
    """What is published of the scenes behind a timestep."""

    def row(scene: Scene) -> dict[str, Any]:
        offsets = {asset.offset for name, asset in scene.assets.items() if name != "SCL"}
        return {
            "id": scene.id,
            "datetime": format_instant(scene.time),
            "granule": scene.granule,
            "baseline": scene.baseline,
            "offset": min(offsets, default=0),
            "clamped": attempt.clamped.get(scene.id, 0),
            "cloud_cover": scene.cloud_cover,
        }

    used = [scene for scene in wanted if scene.id in attempt.used]
    unused = [scene.id for scene in wanted if scene.id not in attempt.used and scene.id not in left_out]
    return {
        "timestep": step.name,
        "scenes": [row(scene) for scene in sorted(used, key=lambda s: (s.time, s.id))],
        "without_valid_pixels": sorted(unused),
        "left_out": [{"id": scene, "reason": reason} for scene, reason in sorted(left_out.items())],
    }
