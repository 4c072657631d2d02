"""Guess labels of a granule: train on pixels of all of it, predict its chips, say how good the guess is.

Memory is bounded whatever the granule holds: scenes are read in strips of rows, and kept of them are votes and
classes (a byte or four a pixel) and the series of the pixels that were drawn.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import rasterio

from landloom.corpus.manifest import FileEntry
from landloom.engine.granules import GranuleReader, GranuleScenes, fill_times, scene_rows
from landloom.engine.project import GUESS
from landloom.engine.reading import SceneFaultError
from landloom.engine.sources.class_map import TargetMap, target_of
from landloom.engine.units import Outcome, Unit, digest
from landloom.errors import InvalidInputError, InvalidValueError
from landloom.formats.geotiff import encode_geotiff
from landloom.imagery.resample import repeat
from landloom.imagery.valid import data_valid
from landloom.labels.guess.files import encode_model
from landloom.labels.guess.model import GuessModel, GuessSettings, train
from landloom.labels.guess.scores import Importances, Scores
from landloom.labels.guess.training_pixels import class_counts, consistent, cover_votes, draw_pixels, split_pixels
from landloom.model.recipe import GranuleSeries
from landloom.products.granule_series.task import RESOLUTION
from landloom.samplers.granules.sampler import scenes_identity
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.engine.project import Project
    from landloom.labels.guess.model import Prediction
    from landloom.model.grid import Grid
    from landloom.model.product import Product
    from landloom.model.recipe import GuessSection
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene

FOLDER: Final = ".landloom/guess"
"""Where models are kept."""
VERSION: Final = "1"
"""Version in the names of guess labels."""
ROWS: Final = 768
"""Rows of 10 m that are read at a time; a multiple of 6."""
CACHE: Final = 192 * 2**20
"""Bytes that GDAL keeps of decoded tiles; it takes 5 % of the machine's memory unless told."""
MEMORY: Final = 2**31
"""Bytes that a unit takes at most."""
SCALE: Final = 10_000
"""Stored number of a probability of 1."""


def guess_settings(section: GuessSection) -> GuessSettings:
    """The settings of a recipe's section."""
    return GuessSettings(
        classifier=section.classifier, trees=section.trees, depth=section.depth, leaves=section.leaves,
        per_tree=section.per_tree, options=section.options, prior=section.prior,
        agreement=None if section.agreement == "majority" else section.agreement,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """A model, and what is known of it."""

    model: GuessModel
    test: Scores
    """On the pixels that were held out, against the map."""
    counts: Mapping[int, int]
    """Class → pixels where map and imagery agree."""
    dropped: tuple[int, ...]
    """Classes with too few of them."""
    agreeing: float
    """Share of the classified pixels of the map that the imagery agrees with."""
    importances: Importances | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessTask:
    """Train, predict and score one granule."""

    store: str
    """Where the corpus lies."""
    layout: Layout
    products: tuple[Product, ...]
    section: GuessSection
    settings: GranuleSeries
    """How the series is masked."""
    samples: tuple[Sample, ...]
    """Chips of the granule, in id order."""
    scenes: GranuleScenes
    target: TargetMap
    seed: int

    def run(self) -> Outcome:
        """Do it with the scenes that can be read; a broken one gives its place to the next best."""
        left_out: dict[str, str] = {}
        while True:
            chosen = self.scenes.chosen(left_out)
            try:
                with rasterio.Env(GDAL_CACHEMAX=CACHE), GranuleReader(chosen, self.settings) as reader:
                    trained = self.train(reader)
                    return self._predicted(reader, trained, chosen, left_out)
            except SceneFaultError as fault:
                left_out[fault.scene.id] = str(fault)

    @property
    def held(self) -> tuple[Sample, ...]:
        """Chips that are kept out of training."""
        return self.samples[len(self.samples) - self.section.held_out :] if self.section.held_out else ()

    def train(self, reader: GranuleReader) -> Trained:
        """Train on pixels of the whole granule.

        Raises:
            InvalidInputError: map and imagery agree nowhere, or on a single class.
            SceneFaultError: a scene is broken.
        """
        section, name = self.section, self.scenes.granule
        area = reader.area(name, RESOLUTION)
        target, usable = self._usable(reader, area)
        classified = int(np.count_nonzero(target))
        counts = class_counts(target, usable)
        picked = draw_pixels(target, usable, section.per_class, self.seed, least=section.least)
        if not len(picked):
            raise InvalidInputError(
                f"{name}: imagery and map agree on no class with at least {section.least} pixels, of {classified:,} "
                f"classified ones; got {counts}"
            )
        labels = target.reshape(-1)[picked]
        agreeing = int(np.count_nonzero(usable)) / classified
        del target, usable
        pixels, seen = self._pixels(reader, area, picked)
        pixels, labels = pixels[:, seen], labels[seen]
        held = split_pixels(labels, section.holdout, self.seed)
        try:
            model = train(pixels[:, ~held].T, labels[~held], guess_settings(section), self.seed, counts=counts)
        except InvalidInputError as error:
            raise InvalidInputError(f"{name}: {error}") from error
        codes = np.array(model.classes, dtype=np.uint8)
        guessed = codes[model.probabilities(np.ascontiguousarray(pixels[:, held])).argmax(axis=1)]
        values = model.importances
        return Trained(
            model=model, test=Scores.of(labels[held], guessed), counts=counts, agreeing=agreeing,
            dropped=tuple(code for code in counts if code not in model.classes),
            importances=None if values is None else Importances.of(values, self.settings.bands, reader.times),
        )  # fmt: skip

    def _usable(self, reader: GranuleReader, area: Grid) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """(y, x) the map, and where the year's imagery agrees with it, held-out chips and their surroundings apart."""
        target = np.zeros(area.shape, dtype=np.uint8)
        usable = np.zeros(area.shape, dtype=np.bool_)
        least = guess_settings(self.section).agreement
        for row, strip in strips(area):
            votes = repeat(cover_votes(reader.classes(strip.at(2 * RESOLUTION))), 2)
            part = self.target.on(strip)
            rows = slice(row, row + strip.height)
            target[rows], usable[rows] = part, consistent(part, votes, least)
        for sample in self.held:
            usable[around(sample.grid(RESOLUTION), area, self.section.buffer)] = False
        return target, usable

    def _pixels(
        self, reader: GranuleReader, area: Grid, picked: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
        """(feature, pixel) filled series of drawn pixels, and which were ever seen."""
        times, bands = len(reader.scenes), len(self.settings.bands)
        stack = np.zeros((times, bands, 1, len(picked)), dtype=np.uint16)
        valid = np.zeros((times, 1, len(picked)), dtype=np.bool_)
        for at, scene in enumerate(reader.readers):
            usable = valid[at, 0]
            for own, strip, rows, columns in drawn_by_strip(area, picked):
                clear = scene.clear(strip)
                if clear is not None:
                    usable[own] = clear[rows, columns]
            # A file at a time, top to bottom: each of its tiles is decoded once, with a cache of one row of tiles.
            for band, name in enumerate(self.settings.bands):
                numbers = stack[at, band, 0]
                for own, strip, rows, columns in drawn_by_strip(area, picked):
                    grid = native(strip, scene.grid(name))
                    part = scene.band(name, grid)
                    if part is not None:
                        step = strip.height // grid.height
                        numbers[own] = part[rows // step, columns // step]
                usable &= data_valid(numbers)
            scene.release()
        filled = fill_times(stack, valid, reader.times)
        return filled.reshape(times * bands, len(picked)), np.asarray(valid.any(axis=(0, 1)))

    def _predicted(
        self, reader: GranuleReader, trained: Trained, chosen: Sequence[Scene], left_out: Mapping[str, str]
    ) -> Outcome:
        store, files = open_store(self.store), []
        kept: list[Scores] = []
        whole: list[Scores] = []
        dates = _dates_csv(chosen)
        least = guess_settings(self.section).agreement
        for sample in self.samples:
            grid = sample.grid(RESOLUTION)
            window = reader.window(grid)
            found = trained.model.predict(window.filled(reader.times), np.asarray(window.valid.any(axis=0)))
            for product, data in zip(self.products, (*chip_rasters(found, trained.model, grid), dates), strict=True):
                key = self.layout.raster_label(sample.id, product.prefix, VERSION, product.suffix)
                store.put(key, data)
                files.append(FileEntry.of(key, data))
            if sample in self.held:
                target = self.target.on(grid)
                agreed = np.where(consistent(target, cover_votes(window.scl), least), target, 0).astype(np.uint8)
                kept.append(Scores.of(agreed, found.labels))
                whole.append(Scores.of(target, found.labels))
        data = encode_model(trained.model)
        key = f"{FOLDER}/{self.scenes.granule}.skops"
        store.put(key, data)
        files.append(FileEntry.of(key, data))
        return Outcome(files=tuple(files), facts=self._facts(trained, kept, whole, left_out))

    def _facts(
        self, trained: Trained, kept: Sequence[Scores], whole: Sequence[Scores], left_out: Mapping[str, str]
    ) -> dict[str, Any]:
        importances = trained.importances
        return {
            "classes": list(trained.model.classes), "counts": {str(code): n for code, n in trained.counts.items()},
            "dropped": list(trained.dropped), "agreeing": round(trained.agreeing, 6), "test": trained.test.document(),
            "held_out": [str(sample.id) for sample in self.held],
            "chips": Scores.total(kept).document() if kept else None,
            "chips_all": Scores.total(whole).document() if whole else None,
            "importances": None if importances is None else importances.document(),
            "left_out": [{"id": scene, "reason": reason} for scene, reason in sorted(left_out.items())],
        }  # fmt: skip


def strips(area: Grid, rows: int = ROWS) -> Iterator[tuple[int, Grid]]:
    """Cut an area into strips of whole rows: first row, and grid.

    Example:
        >>> from landloom.model.grid import Grid
        >>> [strip.height for _, strip in strips(Grid.of_bounds(32633, (0, 0, 600, 20_000), 10))]
        [768, 768, 464]
    """
    for row in range(0, area.height, rows):
        yield row, area.window(row, 0, min(rows, area.height - row), area.width)


def drawn_by_strip(
    area: Grid, picked: NDArray[np.int64]
) -> Iterator[tuple[slice, Grid, NDArray[np.int64], NDArray[np.int64]]]:
    """Cut an area into strips, without those in which nothing was drawn.

    Args:
        area: of pixels.
        picked: positions in the flattened area, ascending.

    Yields:
        Which of the positions lie in the strip, its grid, and their rows and columns in it.

    Example:
        >>> from landloom.model.grid import Grid
        >>> area = Grid.of_bounds(32633, (0, 0, 600, 20_000), 10)
        >>> [(own, rows.tolist()) for own, _, rows, _ in drawn_by_strip(area, np.array([61, 119_999]))]
        [(slice(0, 1, None), [1]), (slice(1, 2, None), [463])]
    """
    for row, strip in strips(area):
        first, last = np.searchsorted(picked, (row * area.width, (row + strip.height) * area.width)).tolist()
        if first < last:
            rows, columns = np.divmod(picked[first:last] - row * area.width, area.width)
            yield slice(first, last), strip, rows, columns


def native(strip: Grid, source: Grid) -> Grid:
    """A strip in the pixels of a file, where they nest in it; the strip itself elsewhere.

    Example:
        >>> from landloom.model.grid import Grid
        >>> strip = Grid.of_bounds(32633, (0, 0, 600, 600), 10)
        >>> native(strip, Grid.of_bounds(32633, (0, 0, 6_000, 6_000), 20)).shape
        (30, 30)
        >>> native(strip, Grid.of_bounds(32633, (5, 5, 6_005, 6_005), 20)).shape
        (60, 60)
    """
    if strip.width * strip.pixel_width % source.pixel_width or strip.height * strip.pixel_height % source.pixel_height:
        return strip
    coarse = strip.at(source.pixel_width)
    try:
        coarse.offset_in(source)
    except InvalidValueError:
        return strip
    return coarse if coarse.height <= strip.height else strip


def around(chip: Grid, area: Grid, buffer: int) -> tuple[slice, slice]:
    """Rows and columns of an area that a chip and its surroundings take.

    Example:
        >>> from landloom.model.grid import Grid
        >>> area = Grid.of_bounds(32633, (0, 0, 1_000, 1_000), 10)
        >>> around(area.window(10, 90, 10, 10), area, 5)
        (slice(5, 25, None), slice(85, 105, None))
    """
    row, column = chip.offset_in(area)
    return (
        slice(max(row - buffer, 0), max(row + chip.height + buffer, 0)),
        slice(max(column - buffer, 0), max(column + chip.width + buffer, 0)),
    )


def chip_rasters(found: Prediction, model: GuessModel, grid: Grid) -> tuple[bytes, bytes]:
    """Class with confidence, and the probabilities of all seven classes; 0 for those that the model does not know."""
    both = np.stack([found.labels, found.confidence])
    labels = encode_geotiff(both, grid, nodata=0, bands=["class", "confidence"])
    stored = np.zeros((7, *grid.shape), dtype=np.uint16)
    for code, shares in zip(model.classes, found.probabilities, strict=True):
        stored[code - 1] = np.floor(shares * SCALE + 0.5)
    names = [f"class_{code}" for code in range(1, 8)]
    return labels, encode_geotiff(stored, grid, bands=names)


def _dates_csv(scenes: Sequence[Scene]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("date", "datetime", "scene", "cloud_cover"))
    for row in scene_rows(scenes):
        cloud = "" if row["cloud_cover"] is None else f"{row['cloud_cover']:g}"
        writer.writerow((row["datetime"][:10], row["datetime"], row["id"], cloud))
    return text.getvalue().encode()


def guess_unit(
    project: Project, tile: str, samples: tuple[Sample, ...], scenes: GranuleScenes, place: tuple[str, Layout]
) -> Unit:
    """The unit that makes the guess labels of one granule.

    Args:
        project: the recipe in its folder.
        tile: zone and granule.
        samples: its chips, in id order.
        scenes: its scenes.
        place: where the corpus is built, and its keys.
    """
    section, settings = project.recipe.guess, project.recipe.products[str(project.granular())]
    if section is None or not isinstance(settings, GranuleSeries):
        raise TypeError("the recipe has no guess")
    store, layout = place
    task = GuessTask(
        store=store, layout=layout, products=tuple(project.guess_products()), section=section, settings=settings,
        samples=samples, scenes=scenes, target=target_of(project), seed=project.recipe.seed,
    )  # fmt: skip
    decides = digest(
        task.section.model_dump(mode="json", exclude={"terms", "file"}), task.target.identity(), project.recipe.seed,
        settings.model_dump(mode="json", exclude={"terms", "filled"}), layout.name,
        [(str(sample.id), sample.bounds) for sample in samples], scenes_identity(project, scenes, task.settings.bands),
    )  # fmt: skip
    return Unit(id=f"{GUESS}/{tile}", key=decides, memory=MEMORY, task=task)
