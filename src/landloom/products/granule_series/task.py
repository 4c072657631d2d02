"""The series of a granule's chips: every chosen scene as it is, and the masked, filled series with its validity."""

from __future__ import annotations

import io
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.manifest import FileEntry
from landloom.engine.granules import GranuleReader, GranuleScenes, SeriesWindow, daily_step, scene_rows
from landloom.engine.reading import SceneFaultError
from landloom.engine.units import Outcome, Unit, digest
from landloom.engine.writing import IN_MEMORY, product_writer
from landloom.model.time import format_instant
from landloom.products.series.task import FOLDER
from landloom.samplers.granules.sampler import scenes_identity
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.engine.project import Project
    from landloom.model.product import Product
    from landloom.model.recipe import GranuleSeries
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene

RESOLUTION: Final = 10
"""Metres of a pixel."""
MEMORY: Final = 2 * IN_MEMORY + 2**29


@dataclass(frozen=True, slots=True, kw_only=True)
class GranuleSeriesTask:
    """Cut all chips of a granule out of its chosen scenes, and write them."""

    store: str
    """Where the corpus lies."""
    key: str
    """Where (chip, date) whether there is a chip is kept."""
    layout: Layout
    layouts: tuple[str, ...]
    products: tuple[Product, ...]
    """Scenes, classification and, where they are published, filled series and validity."""
    settings: GranuleSeries
    samples: tuple[Sample, ...]
    """Of one granule, in id order."""
    scenes: GranuleScenes

    def run(self) -> Outcome:
        """Read, fill, write; the facts are the granule's lineage. A broken scene gives its place to the next best."""
        left_out: dict[str, str] = {}
        while True:
            chosen = self.scenes.chosen(left_out)
            with self._gathered(len(chosen)) as chips:
                try:
                    with GranuleReader(chosen, self.settings) as reader:
                        for row, sample in enumerate(self.samples):
                            window = reader.window(sample.grid(RESOLUTION))
                            for name, array in chips.items():
                                array[row] = getattr(window, name)
                except SceneFaultError as fault:
                    left_out[fault.scene.id] = str(fault)
                    continue
                return self._written(chosen, chips, left_out)

    @contextmanager
    def _gathered(self, times: int) -> Iterator[dict[str, NDArray[Any]]]:
        """Arrays over all chips, in memory or in temporary files."""
        grid, bands = self.samples[0].grid(RESOLUTION), len(self.settings.bands)
        front = len(self.samples), times
        shapes: dict[str, tuple[tuple[int, ...], Any]] = {
            "bands": ((*front, bands, *grid.shape), np.uint16), "scl": ((*front, *grid.shape), np.uint8),
            "valid": ((*front, *grid.shape), np.bool_),
        }  # fmt: skip
        small = int(np.prod(shapes["bands"][0])) * 2 <= IN_MEMORY
        with ExitStack() as stack:
            yield {
                name: np.zeros(shape, dtype)
                if small
                else np.memmap(stack.enter_context(tempfile.TemporaryFile()), dtype, "w+", shape=shape)
                for name, (shape, dtype) in shapes.items()
            }

    def _written(
        self, chosen: Sequence[Scene], chips: Mapping[str, NDArray[Any]], left_out: Mapping[str, str]
    ) -> Outcome:
        steps = tuple(daily_step(scene.time) for scene in chosen)
        times = [scene.time for scene in chosen]
        observed: NDArray[np.bool_] = np.asarray(chips["bands"].any(axis=(2, 3, 4)))
        files: list[FileEntry] = []
        for product in self.products:
            with product_writer(
                store=self.store, layout=self.layout, layouts=self.layouts, product=product, samples=self.samples,
                timesteps=steps, observed=observed,
            ) as writer:  # fmt: skip
                for row in range(len(self.samples)):
                    window = SeriesWindow(**{name: array[row] for name, array in chips.items()})
                    arrays = _arrays(product.key, window, times)
                    for step in np.flatnonzero(observed[row]).tolist():
                        writer.write(row, step, arrays[step])
                files += writer.finish()
        buffer = io.BytesIO()
        np.save(buffer, observed)
        open_store(self.store).put(self.key, buffer.getvalue())
        files.append(FileEntry.of(self.key, buffer.getvalue()))
        return Outcome(files=tuple(files), facts=self._facts(chosen, chips, observed, left_out))

    def _facts(
        self, chosen: Sequence[Scene], chips: Mapping[str, NDArray[Any]], observed: NDArray[np.bool_],
        left_out: Mapping[str, str],
    ) -> dict[str, Any]:  # fmt: skip
        out = [{"id": scene, "reason": reason} for scene, reason in sorted(left_out.items())]
        rows = []
        for at, (scene, row) in enumerate(zip(chosen, scene_rows(chosen), strict=True)):
            step = daily_step(scene.time)
            rows.append({
                "timestep": step.name, "datetime": format_instant(step.stamp),
                "day_of_year": step.stamp.timetuple().tm_yday, "scenes": [row], "without_data": [],
                "left_out": out if at == 0 else [], "samples": int(observed[:, at].sum()),
                "valid": round(float(chips["valid"][:, at].mean()), 6),
            })  # fmt: skip
        choice = self.scenes.choice(left_out)
        months = [month for _, month in choice.gaps]
        return {"timesteps": rows, "months_without": months, "wanted": sum(w for _, w, _ in choice.short) or len(rows)}


def _arrays(key: str, window: SeriesWindow, times: Sequence[Any]) -> NDArray[Any]:
    """(time, band, y, x) of a product."""
    if key == "scl":
        return window.scl[:, None]
    if key == "s2_observed":
        return window.valid[:, None].astype(np.uint8)
    return window.filled(times) if key == "s2_filled" else window.bands


def granule_unit(
    project: Project, key: str, tile: str, samples: tuple[Sample, ...], scenes: GranuleScenes, place: tuple[str, Layout]
) -> Unit:
    """The unit that makes the series of one granule's chips.

    Args:
        project: the recipe in its folder.
        key: of the series in the recipe.
        tile: zone and granule.
        samples: its chips, in id order.
        scenes: its scenes.
        place: where the corpus is built, and its keys.
    """
    settings: Any = project.recipe.products[key]
    store, layout = place
    task = GranuleSeriesTask(
        store=store, key=f"{FOLDER}/{key}/{tile}.npy", layout=layout, layouts=project.recipe.layouts,
        products=tuple(project.series_products(key)), settings=settings, samples=samples, scenes=scenes,
    )  # fmt: skip
    decides = digest(
        settings.model_dump(mode="json", exclude={"terms"}), project.recipe.layouts,
        [[asdict(product) for product in task.products], layout.name],
        [(str(sample.id), sample.bounds) for sample in samples], scenes_identity(project, scenes, settings.bands),
    )  # fmt: skip
    return Unit(id=f"{key}/{tile}", key=decides, memory=MEMORY, task=task)
