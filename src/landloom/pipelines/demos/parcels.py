"""The demo of parcels: products chosen, ordered and fetched, claims, samples, a corpus, pickles, a page about it."""

from __future__ import annotations

import html
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.audit.check import audit
from landloom.engine.archives import JournalOrders, provider_archive
from landloom.engine.context import JOURNAL
from landloom.engine.executors import inline
from landloom.engine.journal import Journal
from landloom.engine.project import CORPUS_FOLDER, RECIPE_FILE, Project
from landloom.engine.run import Silent
from landloom.engine.scenes import choose, granule_rows, span
from landloom.engine.sources.parcels import RasteriseReport, rasterise_files, read_parcels
from landloom.pipelines.build import BuildReport, build
from landloom.pipelines.starters import write_starter
from landloom.products.parcels.extents import describe_parcels, extents_figure
from landloom.publication.sample_files import INDEX, SamplesReport, export_samples
from landloom.reports import rasters as figures
from landloom.reports.figures import true_colour
from landloom.samplers.windows.sampler import WindowFrame
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landloom.archive.orders.odata import ODataProducts
    from landloom.engine.executors import Factory
    from landloom.engine.run import Listener
    from landloom.engine.scenes import Choice
    from landloom.labels.parcels import Parcels
    from landloom.model.grid import Grid
    from landloom.simulate.spec import WorldSpec

PAGE: Final = "parcels.html"
"""The page about all of it."""
SHOWN: Final = 4
"""Samples whose layers are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelsDemo:
    """What the demo came to."""

    build: BuildReport
    scenes: int
    """Taken of the archive."""
    ordered: int
    """Of them, those that were offline and had to be ordered."""
    rasters: RasteriseReport
    samples: SamplesReport
    checked: int
    """Files and documents that were validated."""
    page: Path


def demo_spec() -> WorldSpec:
    """The world: the western place of the demo's, seen by two granules.

    Example:
        >>> [place.name for place in demo_spec().places], sorted({view.granule for view in demo_spec().views})
        (['west'], ['32UPA', '32UQA'])
    """
    from landloom.simulate.spec import world_spec

    whole = world_spec("demo")
    place = whole.place("west")
    views = tuple(
        replace(view, first=max(view.first, 63), last=305) for view in whole.views if view.place == place.name
    )
    return replace(whole, places=(place,), views=views)


def run_demo_parcels(
    folder: Path, *, factory: Factory = inline, listener: Listener | None = None, workers: int = 1
) -> ParcelsDemo:
    """Simulate, choose scenes, rasterise parcels, build, validate, export; a second run does nothing twice.

    Args:
        folder: gets `archive/` (what the simulated provider holds), `scenes.csv`, `products/` (what was fetched),
            `labels/`, `corpus/`, `samples/` and `parcels.html`.
        factory: makes executors for the build.
        listener: told of progress.
        workers: processes that simulate.

    Raises:
        CorpusInvalidError: what was built does not validate.
    """
    _write_products(folder / "archive", listener, workers)
    recipe = folder / RECIPE_FILE
    if not recipe.exists():
        write_starter("demo-parcels", recipe)
    project = Project.open(recipe)
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
        build=built, scenes=len(chosen.choice.ids), ordered=ordered, rasters=rasters, samples=samples,
        checked=checked.files + checked.documents, page=page,
    )  # fmt: skip


def _write_products(folder: Path, listener: Listener | None, workers: int) -> None:
    """Zipped SAFE products, with progress."""
    from landloom.simulate.safe.archive import SafeForm, simulate_safe_archive

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
    """A server of products on the loopback, a third of them offline, one of whose downloads is cut half-way."""
    from landloom.archive.orders.odata import ODataProducts, ODataService
    from landloom.archive.orders.tokens import PasswordToken
    from landloom.simulate.server import ArchiveServer, Habits

    habits = Habits(offline=1 / 3, restore=1.0, failures=1)
    with ArchiveServer(folder, habits) as server:
        service = ODataService(catalogue=server.catalogue, download=server.catalogue)
        yield ODataProducts(service, token=PasswordToken(habits.user, habits.password, server.tokens))


def _chosen(project: Project, folder: Path, provider: ODataProducts) -> Choice:
    """What a person has left in `scenes.csv`, or the recipe's policy, which is written there."""
    file = folder / "scenes.csv"
    section = project.recipe.scenes
    policy = None if file.exists() or section is None else section.policy
    chosen = choose(project, policy, provider_archive(project, provider))
    if policy is not None:
        file.write_text(chosen.choice.to_csv(), encoding="utf-8", newline="")
    return chosen


def _parcels(project: Project) -> tuple[Parcels, Grid]:
    from landloom.model.recipe import WindowGrid
    from landloom.samplers.cells.sampler import region_of

    section, windows = project.recipe.parcels, project.recipe.samples
    if section is None or not isinstance(windows, WindowGrid):
        raise TypeError("the demo's recipe has parcels and windows")
    grid = WindowFrame.of(windows, region_of(project)).grid(section.resolution)
    parcels = read_parcels(
        project.path(section.file), grid, columns=section.columns, invalid=section.invalid,
        classes=section.classes, unmapped=section.unmapped,
    )  # fmt: skip
    return parcels, grid


def _page(
    folder: Path, chosen: Choice, ordered: int, parcels: Parcels, built: BuildReport, samples: SamplesReport
) -> str:
    style = (files("landloom.reports") / "report.css").read_text(encoding="utf-8")
    mapping = parcels.mapping
    names = {} if mapping is None else {code: value for value, code in mapping.codes.items()}
    loaded = _samples(folder / "samples", samples)
    body = [
        _head(chosen, ordered, parcels, built, samples),
        "<h2>Scenes</h2>", _figure(_calendar(chosen, folder), "Scenes of the season: outlined ones are taken."),
        _granules(chosen),
        "<h2>Parcels</h2>",
        _figure(extents_figure(describe_parcels(parcels)), "Largest extents, and the share that fits a window."),
        _figure(figures.class_map(_raster(folder, "classes"), names), "Classes, as `parcels rasterise` has them."),
        "<h2>Samples</h2>",
        _figure(figures.layer_rows(_layers(loaded), names), "Label layers of some samples."),
        "<h2>One series</h2>", _figure(_series(loaded), "Every acquisition of one sample in true colour."),
        _counts(loaded),
    ]  # fmt: skip
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>landloom demo of parcels</title><style>{style}</style><main>{''.join(body)}</main></html>\n"
    )


def _head(chosen: Choice, ordered: int, parcels: Parcels, built: BuildReport, samples: SamplesReport) -> str:
    numbers = (
        (f"{built.samples:,}", "samples of 240 m"), (f"{len(parcels):,}", "parcels"),
        (f"{len(parcels.rejected) + len(parcels.repaired):,}", "rejected or repaired"),
        (f"{len(chosen.choice.ids)} of {len(chosen.choice.candidates)}", "products taken"),
        (f"{ordered:,}", "of them offline, ordered"),
        (f"{samples.files:,}", "pickles"), (f"{samples.size / 1e6:,.1f} MB", "in them"),
    )  # fmt: skip
    tiles = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in numbers)
    lead = "From a simulated archive and parcels to labelled image time series: native bands, every acquisition."
    return f'<h1>{built.name} {built.version}</h1><p class="lead">{lead}</p><div class="tiles">{tiles}</div>'


def _figure(png: bytes, caption: str) -> str:
    text = html.escape(caption)
    data = b64encode(png).decode()
    return f'<figure><img alt="{text}" src="data:image/png;base64,{data}"><figcaption>{text}</figcaption></figure>'


def _calendar(chosen: Choice, folder: Path) -> bytes:
    import io

    from landloom.archive.figure import calendar_figure

    buffer = io.BytesIO()
    figure = calendar_figure(chosen.choice, span(Project.open(folder)))
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()


def _granules(chosen: Choice) -> str:
    rows = "".join(
        f'<tr><td>{row["granule"]}</td><td class="n">{row["share"]:.0%}</td><td class="n">{row["taken"]} of '
        f"{row['candidates']}</td><td>{row['first']} to {row['last']}</td></tr>"
        for row in granule_rows(chosen)
    )
    return f"<table><tr><th>granule</th><th>of the region</th><th>taken</th><th>from, to</th></tr>{rows}</table>"


def _raster(folder: Path, name: str) -> Any:
    import rasterio

    with rasterio.open(folder / "labels" / f"{name}.tif") as file:
        return file.read(1)


def _samples(folder: Path, samples: SamplesReport) -> list[dict[str, Any]]:
    """Some of the pickles that were just written, those with most parcels first."""
    import csv
    import pickle

    with (folder / INDEX).open(newline="") as file:
        paths = [row["sample_path"] for row in csv.DictReader(file)]
    step = max(samples.files // 40, 1)
    loaded = [pickle.loads((folder / path).read_bytes()) for path in paths[::step]]  # noqa: S301 - our own files
    return sorted(loaded, key=lambda one: (-len(np.unique(one["ids"])), one["sample"]))


def _layers(loaded: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    names = {"classes": "labels"} | {name: name for name in ("ids", "ratios", "distances", "masks", "ambiguity")}
    return {one["sample"]: {name: one[key] for name, key in names.items()} for one in loaded[:SHOWN]}


def _series(loaded: list[dict[str, Any]]) -> bytes:
    one = loaded[0]
    pictures = []
    for step, instant in enumerate(one["datetime"].tolist()):
        chip = np.stack([one[band][step] for band in ("B04", "B03", "B02")])
        pictures.append((instant[:10], true_colour(chip, 0, 1, 2), float(one["valid"][step].mean())))
    return figures.small_multiples(pictures)


def _counts(loaded: list[dict[str, Any]]) -> str:
    one = loaded[0]
    keys = [key for key, value in one.items() if getattr(value, "ndim", 0) >= 1]
    rows = "".join(
        f"<tr><td>{key}</td><td>{' × '.join(map(str, one[key].shape))}</td><td>{one[key].dtype}</td></tr>"
        for key in keys
    )
    return f"<h2>What a pickle holds</h2><table><tr><th>key</th><th>shape</th><th>type</th></tr>{rows}</table>"
