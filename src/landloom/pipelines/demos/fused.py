"""The demo of all three products: two simulated sensors, a small RapidAI4EO, and the errors of its fused series."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from landloom.corpus.audit.validate import audit
from landloom.engine.executors import inline
from landloom.engine.project import RECIPE_FILE
from landloom.pipelines.build import BuildReport, build
from landloom.pipelines.demos.cells import write_world
from landloom.pipelines.registry import REGISTRY
from landloom.pipelines.starters import write_starter
from landloom.pipelines.withheld import WithheldReport, evaluate_withheld
from landloom.query.corpus import Corpus
from landloom.query.pixel_figure import pixel_figure, write_picture
from landloom.query.pixel_series import SampleSeries
from landloom.simulate.second import simulate_second
from landloom.simulate.spec import Place, View, world_spec
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.executors import Factory
    from landloom.engine.run import Listener
    from landloom.simulate.spec import WorldSpec

YEARS: Final = 2
PIXEL: Final = (30, 30)
"""Row and column of the pixel in the picture."""
_JUDGED: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedDemo:
    """Result of the demo."""

    build: BuildReport
    checked: int
    """Number of files and documents validated."""
    evaluation: WithheldReport
    picture: Path
    """The series of a pixel."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        own = {"checked": self.checked, "evaluation": self.evaluation.document(), "picture": str(self.picture)}
        return self.build.document() | own


def demo_spec(cells: int = 3, step: int = 10, years: int = YEARS) -> WorldSpec:
    """The world: a square in the tile 33N_16E-243N near Berlin, its north-west cell 33N_16E-243N_29_01.

    Args:
        cells: samples along a side.
        step: days between the scenes of each of two orbits.
        years: of scenes, from 2018.

    Example:
        >>> demo_spec().places[0].bounds
        (384000.0, 5837400.0, 385800.0, 5839200.0)
    """
    west, north = 384_000.0, 5_839_200.0
    place = Place(name="berlin", epsg=32633, bounds=(west, north - 600 * cells, west + 600 * cells, north))
    view = View(
        place="berlin",
        granule="33UUU",
        corner=(300_000, 5_900_040),
        orbit=122,
        first=3,
        step=step,
        last=365 * years,
    )
    other = replace(view, orbit=22, first=3 + step // 2, swath=0.6, partial=4)
    return replace(world_spec("demo"), places=(place,), views=(view, other))


def run_demo_fused(
    folder: Path,
    *,
    spec: WorldSpec | None = None,
    factory: Factory = inline,
    listener: Listener | None = None,
    workers: int = 1,
) -> FusedDemo:
    """Simulate, build, validate, withhold and compare, draw a pixel; a second run repeats no finished step.

    Args:
        folder: for `archive/`, `landsat/`, `landloom.yaml`, `corpus/` and `series.png`.
        spec: of the world; by default `demo_spec()`.
        factory: makes executors for build and evaluation.
        listener: receives progress.
        workers: number of processes for the simulation.

    Raises:
        CorpusInvalidError: the corpus is invalid.
    """
    spec = spec or demo_spec()
    write_world(spec, folder / "archive", listener, workers)
    simulate_second(spec, folder / "landsat", pool=None if workers <= 1 else partial(ThreadPoolExecutor, workers))
    recipe = folder / RECIPE_FILE
    if not recipe.exists():
        write_starter("demo-fused", recipe)
    built = build(recipe, factory=factory, listener=listener)
    checked = audit(open_store(str(built.corpus)))
    checked.demand()
    evaluation = evaluate_withheld(REGISTRY.open(recipe), samples=_JUDGED, factory=factory, listener=listener)
    corpus = Corpus.open(built.corpus)
    series = SampleSeries.read(corpus, corpus.query().ids[0]).pixel(*PIXEL)
    write_picture(pixel_figure(series), folder / "series.png")
    return FusedDemo(
        build=built,
        checked=checked.files + checked.documents,
        evaluation=evaluation,
        picture=folder / "series.png",
    )
