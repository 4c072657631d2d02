"""The demo of granules: a simulated archive, chips, 24 scenes, guess labels and a report page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from landloom.corpus.audit.validate import audit
from landloom.engine.executors import inline
from landloom.engine.project import RECIPE_FILE
from landloom.pipelines.build import BuildReport, build
from landloom.pipelines.demos.cells import write_world
from landloom.pipelines.starters import write_starter
from landloom.products.guess.report import write_guess_report
from landloom.simulate.spec import Place, View, world_spec
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.executors import Factory
    from landloom.engine.run import Listener
    from landloom.simulate.spec import WorldSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class GranulesDemo:
    """Result of the demo."""

    build: BuildReport
    checked: int
    """Number of files and documents validated."""
    page: Path


def demo_spec(pixels: int = 780, step: int = 12) -> WorldSpec:
    """The world: a window in each of two granules, wide enough for two chips side by side wherever the lattice is.

    Args:
        pixels: side of the windows in pixels of 10 m; a multiple of 6.
        step: days between scenes.

    Example:
        >>> [place.bounds[2] - place.bounds[0] for place in demo_spec().places]
        [7800.0, 7800.0]
    """
    side = 10.0 * pixels
    north = 5_562_000.0
    corners = {"west": (32632, 700_020.0), "east": (32633, 300_000.0)}
    places = tuple(
        Place(name=name, epsg=epsg, bounds=(west, north - side, west + side, north))
        for name, (epsg, west) in corners.items()
    )
    views = (
        View(place="west", granule="32UPA", corner=(600_000, 5_600_040), orbit=22, first=3, step=step),
        View(
            place="east",
            granule="33UUR",
            corner=(300_000, 5_600_040),
            orbit=122,
            first=6,
            step=step,
            swath=0.6,
            partial=9,
        ),
    )
    return replace(world_spec("demo"), places=places, views=views)


def run_demo_landcovernet(
    folder: Path, *, factory: Factory = inline, listener: Listener | None = None, workers: int = 1
) -> GranulesDemo:
    """Simulate, build, validate, report; a second run repeats no finished step.

    Args:
        folder: for `archive/`, `landloom.yaml`, `corpus/` and `guess.html`.
        factory: makes executors for the build.
        listener: receives progress.
        workers: number of processes for the simulation.

    Raises:
        CorpusInvalidError: the corpus is invalid.
    """
    write_world(demo_spec(), folder / "archive", listener, workers)
    recipe = folder / RECIPE_FILE
    if not recipe.exists():
        write_starter("demo-landcovernet", recipe)
    built = build(recipe, factory=factory, listener=listener)
    checked = audit(open_store(str(built.corpus)))
    checked.demand()
    page = write_guess_report(built.corpus, truth=folder / "archive")
    return GranulesDemo(build=built, checked=checked.files + checked.documents, page=page)
