"""The demo of parcels: products chosen, ordered and downloaded, claims, samples, a corpus, pickles, a report page."""

from __future__ import annotations

import csv
import io
import pickle
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.archive.figure import calendar_figure
from landloom.archive.orders.odata import ODataProducts, ODataService
from landloom.archive.orders.tokens import PasswordToken
from landloom.corpus.audit.validate import audit
from landloom.engine.executors import inline
from landloom.engine.journal import Journal
from landloom.engine.place import JOURNAL
from landloom.engine.project import CORPUS_FOLDER, RECIPE_FILE
from landloom.engine.recipe_region import region_of
from landloom.engine.run import Silent
from landloom.engine.scenes.archives import recipe_archive
from landloom.engine.scenes.choose import choose, granule_rows, span
from landloom.engine.scenes.fetching import JournalOrders
from landloom.engine.sources.parcels import read_parcels
from landloom.model.recipe import ParcelSource, find_sources
from landloom.model.recipe.recipe import MAIN
from landloom.model.rendering.values import Categorical, Continuous
from landloom.pipelines.build import BuildReport, build
from landloom.pipelines.registry import REGISTRY
from landloom.pipelines.starters import write_starter
from landloom.products.parcels.extents import describe_parcels, extents_figure
from landloom.products.parcels.kind import layer_rendering
from landloom.products.parcels.rasterise import RasteriseReport, rasterise_files
from landloom.publication.sample_files import INDEX, SamplesReport, export_samples
from landloom.reports import rasters
from landloom.reports.figures import true_colour
from landloom.reports.page import figure, head, page, table
from landloom.samplers.windows.frame import WindowFrame
from landloom.samplers.windows.section import WindowGrid
from landloom.simulate.safe.products import SafeForm, simulate_safe_archive
from landloom.simulate.server import ArchiveServer, Habits
from landloom.simulate.spec import world_spec
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landloom.engine.executors import Factory
    from landloom.engine.project import Project
    from landloom.engine.run import Listener
    from landloom.engine.scenes.choose import ScenesChosen
    from landloom.labels.parcels import Parcels
    from landloom.model.grid import Grid
    from landloom.simulate.spec import WorldSpec

PAGE: Final = "parcels.html"
"""Name of the report page."""
LAYERS: Final = ("classes", "ids", "ratios", "distances", "masks", "ambiguity")
"""Layers of labels."""
SHOWN: Final = 4
"""Number of samples whose layers are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelsDemo:
    """Result of the demo."""

    build: BuildReport
    scenes: int
    """Number of products used."""
    ordered: int
    """Number of them that were offline and had to be ordered."""
    rasters: RasteriseReport
    samples: SamplesReport
    checked: int
    """Number of files and documents validated."""
    page: Path


def demo_spec() -> WorldSpec:
    """The world: the western place of the demo, observed in two granules.

    Example:
        >>> [place.name for place in demo_spec().places], sorted({view.granule for view in demo_spec().views})
        (['west'], ['32UPA', '32UQA'])
    """
    whole = world_spec("demo")
    place = whole.place("west")
    views = tuple(
        replace(view, first=max(view.first, 63), last=305) for view in whole.views if view.place == place.name
    )
    return replace(whole, places=(place,), views=views)


def run_demo_parcels(
    folder: Path, *, factory: Factory = inline, listener: Listener | None = None, workers: int = 1
) -> ParcelsDemo:
    """Simulate, choose scenes, rasterise parcels, build, validate, export; a second run repeats no finished step.

    Args:
        folder: for `archive/` (of the simulated provider), `scenes.csv`, `products/` (downloads),
            `labels/`, `corpus/`, `samples/` and `parcels.html`.
        factory: makes executors for the build.
        listener: receives progress.
        workers: number of processes for the simulation.

    Raises:
        CorpusInvalidError: the corpus is invalid.
    """
    _write_products(folder / "archive", listener, workers)
    recipe = folder / RECIPE_FILE
    if not recipe.exists():
        write_starter("demo-parcels", recipe)
    project = REGISTRY.open(recipe)
    parcels, grid = _parcels(project)
    rasters = rasterise_files(parcels, grid, folder / "labels")
    with _provider(folder / "archive") as provider:
        chosen = _chosen(project, folder, provider)
        built = build(recipe, factory=factory, listener=listener, provider=provider)
    with Journal(folder / CORPUS_FOLDER / JOURNAL) as journal:
        ordered = sum(order.ordered_at is not None for order in JournalOrders(journal).load().values())
    checked = audit(open_store(str(built.corpus)))
    checked.demand()
    samples = export_samples(str(built.corpus), folder / "samples", listener=listener)
    page = folder / PAGE
    page.write_text(_page(folder, chosen, ordered, parcels, built, samples), encoding="utf-8")
    return ParcelsDemo(
        build=built,
        scenes=len(chosen.choice.ids),
        ordered=ordered,
        rasters=rasters,
        samples=samples,
        checked=checked.files + checked.documents,
        page=page,
    )


def _write_products(folder: Path, listener: Listener | None, workers: int) -> None:
    """Zipped SAFE products, with progress."""
    shown, started = listener or Silent(), False

    def progress(done: int, total: int) -> None:
        nonlocal started
        if not started:
            shown.started("simulating products", total)
            started = True
        shown.advanced(str(done), None)

    simulate_safe_archive(demo_spec(), folder, SafeForm(zipped=True), workers=workers, progress=progress)


@contextmanager
def _provider(folder: Path) -> Iterator[ODataProducts]:
    """A local server of products: a third of them are offline, and one of the downloads is cut half-way."""
    habits = Habits(offline=1 / 3, restore=1.0, failures=1)
    with ArchiveServer(folder, habits) as server:
        service = ODataService(catalogue=server.catalogue, download=server.catalogue)
        yield ODataProducts(service, token=PasswordToken(habits.user, habits.password, server.tokens))


def _chosen(project: Project, folder: Path, provider: ODataProducts) -> ScenesChosen:
    """The `scenes.csv` edited by a user, or the choice of the recipe's policy, which is written there."""
    file = folder / "scenes.csv"
    section = project.recipe.scenes
    policy = None if file.exists() or section is None else section.policy
    chosen = choose(project, recipe_archive(project, MAIN, provider), policy)
    if policy is not None:
        file.write_text(chosen.choice.to_csv(), encoding="utf-8", newline="")
    return chosen


def _parcels(project: Project) -> tuple[Parcels, Grid]:
    section, windows = next(iter(find_sources(dict(project.recipe), ParcelSource).values())), project.recipe.samples
    if not isinstance(windows, WindowGrid):
        raise TypeError("the demo's recipe has windows")
    grid = WindowFrame.of(windows, region_of(project)).grid(section.resolution)
    parcels = read_parcels(
        project.path(section.file),
        grid,
        columns=section.columns,
        invalid=section.invalid,
        classes=section.classes,
        unmapped=section.unmapped,
    )
    return parcels, grid


def _page(
    folder: Path, chosen: ScenesChosen, ordered: int, parcels: Parcels, built: BuildReport, samples: SamplesReport
) -> str:
    mapping = parcels.mapping
    shown = {name: layer_rendering(name, mapping) or Continuous() for name in LAYERS}
    classes = shown["classes"]
    if not isinstance(classes, Categorical):
        raise TypeError("the parcels of the demo have classes")
    loaded = _samples(folder / "samples", samples)
    body = [
        _head(chosen, ordered, parcels, built, samples),
        "<h2>Scenes</h2>",
        figure(_calendar(chosen, folder), "Scenes of the season: those with an outline are used."),
        _granules(chosen),
        "<h2>Parcels</h2>",
        figure(extents_figure(describe_parcels(parcels)), "Largest extents, and the share that fits a window."),
        figure(
            rasters.class_picture(_raster(folder, "classes"), classes),
            "Classes of the parcels, as pixels.",
        ),
        "<h2>Samples</h2>",
        figure(rasters.layer_rows(_layers(loaded), shown), "Label layers of some samples."),
        "<h2>One series</h2>",
        figure(_series(loaded), "Every acquisition of one sample in true colour."),
        _counts(loaded),
    ]
    return page("landloom demo of parcels", body)


def _head(chosen: ScenesChosen, ordered: int, parcels: Parcels, built: BuildReport, samples: SamplesReport) -> str:
    numbers = (
        (f"{built.samples:,}", "samples of 240 m"),
        (f"{len(parcels):,}", "parcels"),
        (f"{len(parcels.rejected) + len(parcels.repaired):,}", "rejected or repaired"),
        (f"{len(chosen.choice.ids)} of {len(chosen.choice.candidates)}", "products taken"),
        (f"{ordered:,}", "of them offline, ordered"),
        (f"{samples.files:,}", "pickles"),
        (f"{samples.size / 1e6:,.1f} MB", "in them"),
    )
    lead = "From a simulated archive and parcels to labelled image time series: native bands, every acquisition."
    return head(f"{built.name} {built.version}", lead, numbers)


def _calendar(chosen: ScenesChosen, folder: Path) -> bytes:
    buffer = io.BytesIO()
    picture = calendar_figure(chosen.choice, span(REGISTRY.open(folder)))
    picture.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()


def _granules(chosen: ScenesChosen) -> str:
    rows = [
        (
            row["granule"],
            f"{row['share']:.0%}",
            f"{row['taken']} of {row['candidates']}",
            f"{row['first']} to {row['last']}",
        )
        for row in granule_rows(chosen)
    ]
    return table(("granule", "of the region", "taken", "from, to"), rows, (1, 2))


def _raster(folder: Path, name: str) -> Any:
    import rasterio

    with rasterio.open(folder / "labels" / f"{name}.tif", driver="GTiff") as file:
        return file.read(1)


def _samples(folder: Path, samples: SamplesReport) -> list[dict[str, Any]]:
    """Some of the pickles just written, those with most parcels first."""
    with (folder / INDEX).open(newline="") as file:
        paths = [row["sample_path"] for row in csv.DictReader(file)]
    step = max(samples.files // 40, 1)
    loaded = [pickle.loads((folder / path).read_bytes()) for path in paths[::step]]  # noqa: S301 - our own files
    return sorted(loaded, key=lambda one: (-len(np.unique(one["ids"])), one["sample"]))


def _layers(loaded: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    names = {name: "labels" if name == "classes" else name for name in LAYERS}
    return {one["sample"]: {name: one[key] for name, key in names.items()} for one in loaded[:SHOWN]}


def _series(loaded: list[dict[str, Any]]) -> bytes:
    one = loaded[0]
    pictures = []
    for step, instant in enumerate(one["datetime"].tolist()):
        chip = np.stack([one[band][step] for band in ("B04", "B03", "B02")])
        pictures.append((instant[:10], true_colour(chip, 0, 1, 2), float(one["valid"][step].mean())))
    return rasters.small_multiples(pictures)


def _counts(loaded: list[dict[str, Any]]) -> str:
    one = loaded[0]
    keys = [key for key, value in one.items() if getattr(value, "ndim", 0) >= 1]
    rows = [(key, " × ".join(map(str, one[key].shape)), one[key].dtype) for key in keys]
    return "<h2>Contents of a pickle</h2>" + table(("key", "shape", "type"), rows)
