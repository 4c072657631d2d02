"""Guess labels of a granule: train on pixels of the whole granule, predict its chips, score the guess.

The chips are those written by the series of the granule, and the scenes are those chosen for it.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import orjson

from landloom.corpus.lineage import SceneRecord
from landloom.corpus.manifest import FileEntry
from landloom.engine.pixels.reading import SceneFaultError
from landloom.engine.pixels.reread import ChipSeries
from landloom.engine.scenes.dates import as_one, daily_step
from landloom.engine.scenes.granules import DecidedScenes, GranuleReader, SeriesWindow
from landloom.engine.units import Note, NoteKind, Observed, Outcome
from landloom.errors import InvalidInputError
from landloom.formats.geotiff import encode_geotiff
from landloom.imagery.valid import data_valid
from landloom.labels.guess.model_files import encode_model
from landloom.labels.guess.scores import Scores
from landloom.labels.guess.training_pixels import consistent, cover_votes
from landloom.model.rendering.palettes import class_rendering
from landloom.model.taxonomy import taxonomy
from landloom.products.guess.learning import Trained, learn
from landloom.products.guess.section import guess_settings
from landloom.products.guess.strips import drawn_by_strip, native
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.engine.pixels.masks import PixelMask
    from landloom.engine.scenes.granules import GranuleScenes
    from landloom.engine.sources.class_map import ClassMap
    from landloom.labels.guess.model import GuessModel, Prediction
    from landloom.model.grid import Grid
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene
    from landloom.products.guess.section import GuessProduct
    from landloom.store.protocol import Store

Result = TypeVar("Result")

SHOWN: Final = class_rendering(taxonomy("landcovernet"), nothing="nothing was seen")
"""How guesses are shown."""
FOLDER: Final = ".landloom/guess"
"""Folder of the models and their scores."""
VERSION: Final = "1"
"""Version in the names of guess labels."""
RESOLUTION: Final = 10
"""Pixel size in metres."""
CACHE: Final = 192 * 2**20
"""GDAL's block cache in bytes; GDAL's default is 5 % of the machine's memory."""
MEMORY: Final = 2**31
"""Memory limit of a unit in bytes."""
SCALE: Final = 10_000
"""Stored value of a probability of 1."""


@dataclass(slots=True)
class GranuleImagery:
    """The scenes of a granule as training input; unreadable parts of a file count as not observed."""

    reader: GranuleReader
    faults: dict[str, str] = field(default_factory=dict)
    """Scene → parts that could not be read."""

    @property
    def times(self) -> Sequence[datetime]:
        """Bands of the scenes, in order."""
        return self.reader.times

    @property
    def bands(self) -> Sequence[str]:
        """Date of each scene."""
        return self.reader.bands

    def classes(self, strip: Grid) -> NDArray[np.uint8]:
        """(time, y, x) scene classes."""
        found = np.zeros((len(self.times), *strip.shape), dtype=np.uint8)
        for at, scene in enumerate(self.reader.readers):
            part = self._read(partial(scene.classes, strip))
            if part is not None:
                found[at] = part
        return found

    def pixels(self, area: Grid, picked: NDArray[np.int64]) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
        """(time, band, 1, pixel) values of drawn pixels, and (time, 1, pixel) where they are valid."""
        times, bands = len(self.times), len(self.bands)
        stack = np.zeros((times, bands, 1, len(picked)), dtype=np.uint16)
        valid = np.zeros((times, 1, len(picked)), dtype=np.bool_)
        for at, scene in enumerate(self.reader.readers):
            usable = valid[at, 0]
            for own, strip, rows, columns in drawn_by_strip(area, picked):
                clear = self._read(partial(scene.clear, strip))
                if clear is not None:
                    usable[own] = clear[rows, columns]
            for band in range(bands):
                self._band(at, band, area, picked, stack[at, band, 0])
                usable &= data_valid(stack[at, band, 0])
            scene.release()
        return stack, valid

    def _band(self, at: int, band: int, area: Grid, picked: NDArray[np.int64], numbers: NDArray[np.uint16]) -> None:
        """Read a file from top to bottom: each of its tiles is decoded once, with a cache of one row of tiles."""
        scene, name = self.reader.readers[at], self.bands[band]
        for own, strip, rows, columns in drawn_by_strip(area, picked):
            source = self._read(partial(scene.grid, name))
            grid = strip if source is None else native(strip, source)
            part = self._read(partial(scene.band, name, grid))
            if part is not None:
                step = strip.height // grid.height
                numbers[own] = part[rows // step, columns // step]

    def _read(self, read: Callable[[], Result | None]) -> Result | None:
        """Read part of a file; nodata if it is broken, which is recorded."""
        try:
            return read()
        except SceneFaultError as fault:
            self.faults[fault.scene.id] = str(fault)
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessTask:
    """Train, predict and score one granule."""

    store: str
    """Location of the corpus."""
    layout: Layout
    layouts: tuple[str, ...]
    products: tuple[Product, ...]
    section: GuessProduct
    bands: tuple[str, ...]
    mask: PixelMask
    """Bands of the series."""
    series: Product
    """Product of the scenes' chips."""
    classes: Product
    """Product of their scene classifications."""
    samples: tuple[Sample, ...]
    """Chips of the granule, in id order."""
    scenes: GranuleScenes
    target: ClassMap
    seed: int

    def run(self) -> Outcome:
        """Train on the scenes of the series, predict its chips."""
        import rasterio

        store = open_store(self.store)
        decided = DecidedScenes.decode(store.get(DecidedScenes.key(self.samples[0].tile)))
        known = {scene.id: scene for scene in self.scenes.candidates}
        chosen = [known[name] for name in decided.scenes]
        opened = GranuleReader(chosen, self.bands, self.mask, decided.displaced)
        with rasterio.Env(GDAL_CACHEMAX=CACHE), opened as reader:
            imagery, granule = GranuleImagery(reader), self.scenes.granule
            held = [sample.grid(RESOLUTION) for sample in self.held]
            area = reader.area(granule, RESOLUTION)
            try:
                trained = learn(imagery, self.target.on, area, self.section, self.seed, held)
            except InvalidInputError as error:
                raise InvalidInputError(f"{granule}: {error}") from error
        return self._predicted(store, trained, reader.dates, decided, imagery.faults)

    @property
    def held(self) -> tuple[Sample, ...]:
        """Held-out chips."""
        return self.samples[len(self.samples) - self.section.held_out :] if self.section.held_out else ()

    def _windows(
        self, store: Store, dates: Sequence[tuple[Scene, ...]], decided: DecidedScenes
    ) -> Iterator[tuple[Sample, SeriesWindow]]:
        """Each chip as written by the series."""
        names = [daily_step(first.time).name for first, *_ in dates]
        tile = self.samples
        bands = ChipSeries(store, self.layout, self.layouts, self.series, tile)
        classes = ChipSeries(store, self.layout, self.layouts, self.classes, tile)
        for row, sample in enumerate(tile):
            there = decided.exists[row].tolist()
            yield (
                sample,
                SeriesWindow(
                    bands=bands.read(sample, names, there),
                    scl=classes.read(sample, names, there)[:, 0],
                    valid=decided.valid[row],
                ),
            )

    def _predicted(
        self,
        store: Store,
        trained: Trained,
        dates: Sequence[tuple[Scene, ...]],
        decided: DecidedScenes,
        faults: dict[str, str],
    ) -> Outcome:
        files: list[FileEntry] = []
        agreed: list[Scores] = []
        whole: list[Scores] = []
        listed, times = _dates_csv(dates), [first.time for first, *_ in dates]
        least = guess_settings(self.section).agreement
        for sample, window in self._windows(store, dates, decided):
            grid = sample.grid(RESOLUTION)
            found = trained.model.predict(window.filled(times), np.asarray(window.valid.any(axis=0)))
            for product, data in zip(self.products, (*chip_rasters(found, trained.model, grid), listed), strict=True):
                key = self.layout.raster_label(sample.id, product.prefix, VERSION, product.suffix)
                files.append(_put(store, key, data))
            if sample in self.held:
                target = self.target.on(grid)
                both = np.where(consistent(target, cover_votes(window.scl), least), target, 0).astype(np.uint8)
                agreed.append(Scores.of(both, found.labels))
                whole.append(Scores.of(target, found.labels))
        granule = self.scenes.granule
        files.append(_put(store, f"{FOLDER}/{granule}.skops", encode_model(trained.model)))
        facts = self._facts(trained, agreed, whole)
        files.append(_put(store, facts_key(str(granule)), orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)))
        there = np.ones((len(self.samples), 1), np.bool_)
        notes = (Note(kind=NoteKind.LEFT_OUT, what=f"{scene}: {why}") for scene, why in sorted(faults.items()))
        return Outcome(
            files=tuple(files),
            observed=tuple(Observed(product=one.key, timesteps=(), table=there) for one in self.products),
            notes=tuple(notes),
        )

    def _facts(self, trained: Trained, agreed: Sequence[Scores], whole: Sequence[Scores]) -> dict[str, Any]:
        importances = trained.importances
        return {
            "classes": list(trained.model.classes),
            "counts": {str(code): count for code, count in trained.counts.items()},
            "dropped": list(trained.dropped),
            "agreeing": round(trained.agreeing, 6),
            "test": trained.test.document(),
            "held_out": [str(sample.id) for sample in self.held],
            "chips": Scores.total(agreed).document() if agreed else None,
            "chips_all": Scores.total(whole).document() if whole else None,
            "importances": None if importances is None else importances.document(),
        }


def facts_key(granule: str) -> str:
    """Key of the scores of a granule's guess.

    Example:
        >>> facts_key("37TDK")
        '.landloom/guess/37TDK.json'
    """
    return f"{FOLDER}/{granule}.json"


def _put(store: Store, key: str, data: bytes) -> FileEntry:
    store.put(key, data)
    return FileEntry.of(key, data)


def chip_rasters(found: Prediction, model: GuessModel, grid: Grid) -> tuple[bytes, bytes]:
    """Class with confidence, and the probabilities of all seven classes; 0 for classes not in the model."""
    both = np.stack([found.labels, found.confidence])
    labels = encode_geotiff(both, grid, nodata=0, bands=["class", "confidence"], classes=(SHOWN, None))
    stored = np.zeros((7, *grid.shape), dtype=np.uint16)
    for code, shares in zip(model.classes, found.probabilities, strict=True):
        stored[code - 1] = np.floor(shares * SCALE + 0.5)
    names = [f"class_{code}" for code in range(1, 8)]
    return labels, encode_geotiff(stored, grid, bands=names)


def _dates_csv(dates: Sequence[tuple[Scene, ...]]) -> bytes:
    """A row per date; the ids of several datastrips are separated by spaces."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("date", "datetime", "scene", "cloud_cover"))
    for scenes in dates:
        row, one = SceneRecord.of(scenes[0]), as_one(scenes)
        cloud = "" if one.cloud_cover is None else f"{one.cloud_cover:g}"
        writer.writerow((row.datetime[:10], row.datetime, " ".join(scene.id for scene in scenes), cloud))
    return text.getvalue().encode()
