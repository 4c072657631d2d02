"""Label maps of whole granules: every pixel that the scenes of a granule show, predicted by the granule's model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.corpus.manifest import FileEntry
from landloom.engine.pixels.reading import SceneFaultError
from landloom.engine.scenes.granules import DecidedScenes, GranuleReader, fill_times
from landloom.engine.units import Note, NoteKind, Outcome, Unit, unit_digest
from landloom.formats.geotiff import encode_cog
from landloom.labels.guess.model_files import decode_model
from landloom.products.guess.task import FOLDER, RESOLUTION, GuessTask
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from landloom.labels.guess.model import GuessModel
    from landloom.model.grid import Grid

WINDOW: Final = 732
"""Side in pixels of the windows that are read and predicted at once: a multiple of 60 m that divides a granule."""
CACHE: Final = 2**29
"""GDAL's block cache in bytes: blocks of all files under a window, which its neighbours to the east need again."""
MEMORY: Final = 3 * 2**30
"""Memory limit of a unit in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeTask:
    """Predict a granule with the model that its guess has trained."""

    guess: GuessTask

    def run(self) -> Outcome:
        """Read, fill and predict window by window; what cannot be read counts as not observed, and is noted."""
        import rasterio

        task, faults = self.guess, dict[str, str]()
        store, granule = open_store(task.store), task.scenes.granule
        model = decode_model(store.get(f"{FOLDER}/{granule}.skops"))
        decided = DecidedScenes.decode(store.get(DecidedScenes.key(task.samples[0].tile)))
        known = {scene.id: scene for scene in task.scenes.candidates}
        chosen = [known[name] for name in decided.scenes]
        opened = GranuleReader(chosen, task.bands, task.mask, decided.displaced)
        with rasterio.Env(GDAL_CACHEMAX=CACHE), opened as reader:
            area = reader.area(granule, RESOLUTION)
            made = np.zeros((2, *area.shape), dtype=np.uint8)
            for place, window in _windows(area):
                made[:, *place] = _predicted(reader, window, model, faults)
        data = encode_cog(made, area, nodata=0, bands=["class", "confidence"])
        store.put(key := whole_key(str(granule)), data)
        notes = (Note(kind=NoteKind.LEFT_OUT, what=f"{scene}: {why}") for scene, why in sorted(faults.items()))
        return Outcome(files=(FileEntry.of(key, data),), notes=tuple(notes))


def whole_key(granule: str) -> str:
    """Key of the label map of a granule.

    Example:
        >>> whole_key("37TDK")
        '37TDK.tif'
    """
    return f"{granule}.tif"


def granule_of(unit: Unit) -> str:
    """The granule of a unit of guess labels, or of one that predicts it whole."""
    return str(unit.samples[0].id.tile_name)


def whole_unit(unit: Unit) -> Unit:
    """The unit that predicts the granule of a unit of guess labels, after it.

    Raises:
        TypeError: the unit makes something else.
    """
    if not isinstance(unit.task, GuessTask):
        raise TypeError(f"got a unit of {unit.kind}, expected one of guess labels")
    return Unit(
        kind="whole",
        product="whole",
        tile=unit.tile,
        samples=unit.samples,
        key=unit_digest(unit.key, "whole"),
        memory=MEMORY,
        task=WholeTask(guess=unit.task),
        needs=(unit.id,),
        reads=unit.reads,
    )


def _windows(area: Grid) -> Iterator[tuple[tuple[slice, slice], Grid]]:
    """Rows and columns of each window, and its grid; windows are cut at the area's edge."""
    for row in range(0, area.height, WINDOW):
        for column in range(0, area.width, WINDOW):
            window = area.window(row, column, min(WINDOW, area.height - row), min(WINDOW, area.width - column))
            yield (slice(row, row + window.height), slice(column, column + window.width)), window


def _predicted(reader: GranuleReader, window: Grid, model: GuessModel, faults: dict[str, str]) -> NDArray[np.uint8]:
    """(2, y, x) class and confidence; adds scenes that cannot be read to the faults."""
    count = len(reader.times)
    bands = np.zeros((count, len(reader.bands), *window.shape), dtype=np.uint16)
    valid = np.zeros((count, *window.shape), dtype=np.bool_)
    for at in range(count):
        try:
            bands[at], valid[at] = reader.scene(at, window)
        except SceneFaultError as fault:
            faults[fault.scene.id] = str(fault)
    found = model.predict(fill_times(bands, valid, reader.times), np.asarray(valid.any(axis=0)))
    return np.stack([found.labels, found.confidence])
