"""Drawing the chips of a granule away from the swath's edge, in one unit per granule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.corpus.manifest import FileEntry
from landloom.engine.pixels.attempts import without_broken
from landloom.engine.pixels.masks import PixelMask
from landloom.engine.scenes.granules import GranuleReader
from landloom.engine.units import Note, NoteKind, Outcome
from landloom.imagery.resample import repeat
from landloom.model.granules import granule_grid
from landloom.model.ids import ChipId
from landloom.model.sample import Sample
from landloom.sampling.chips import draw_chips
from landloom.sampling.neighbours import CELL, own_ground
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from landloom.engine.scenes.granules import GranuleScenes
    from landloom.engine.sources.class_map import ClassMap
    from landloom.model.ids import GranuleId
    from landloom.samplers.granules.section import GranuleChips
    from landloom.store.protocol import Store

FOLDER: Final = ".landloom/chips"
"""Key prefix of the stored chips of granules."""
COARSE: Final = 60
"""Metres of a pixel of the maps for placing chips."""
CLASSES: Final = 20
"""Metres of a pixel of the scene classification."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipsTask:
    """Draw the chips of one granule."""

    store: str
    scenes: GranuleScenes
    section: GranuleChips
    seed: int
    target: ClassMap | None = None
    """The map whose classes chips are spread over."""
    neighbours: tuple[GranuleId, ...] = ()
    """Other granules of the recipe that overlap this one."""

    def run(self) -> Outcome:
        """Read the classifications of the chosen scenes, draw and store; broken scenes are excluded from here on."""
        (seen, count), broken = without_broken(self._seen)
        granule = self.scenes.granule
        classes = None if self.target is None else self.target.on(granule_grid(granule, COARSE))
        needed = max(round(self.section.seen * count), 1)
        usable = (seen >= needed) & repeat(own_ground(granule, self.neighbours), CELL // COARSE)
        chips = draw_chips(
            granule, self.section.chips, self.seed, valid=usable, classes=classes, size=self.section.size
        )
        data = orjson.dumps({"chips": [list(chip.bounds) for chip in chips], "broken": broken})
        open_store(self.store).put(key_of(granule), data)
        notes = (Note(kind=NoteKind.LEFT_OUT, what=f"{scene}: {reason}") for scene, reason in sorted(broken.items()))
        return Outcome(files=(FileEntry.of(key_of(granule), data),), notes=tuple(notes))

    def _seen(self, broken: Mapping[str, str]) -> tuple[NDArray[np.uint16], int]:
        """(row, column) of 60 m pixels: number of dates with data in the whole pixel; and the number of dates."""
        whole = granule_grid(self.scenes.granule, COARSE)
        with GranuleReader(self.scenes.without(broken).chosen(), (), PixelMask()) as reader:
            area = reader.area(self.scenes.granule, CLASSES)
            factor = COARSE // CLASSES
            seen = np.zeros(whole.shape, dtype=np.uint16)
            row, column = round((whole.north - area.north) / COARSE), round((area.west - whole.west) / COARSE)
            height, width = area.height // factor, area.width // factor
            part = seen[row : row + height, column : column + width]
            for one in reader.readers:
                classes = one.classes(area)
                if classes is not None:
                    blocks = classes[: height * factor, : width * factor].reshape(height, factor, width, factor)
                    part += (blocks != 0).all(axis=(1, 3))
        return seen, len(reader.dates)


def key_of(granule: GranuleId) -> str:
    """The key of a granule's chips.

    Example:
        >>> from landloom.model.ids import GranuleId
        >>> key_of(GranuleId.parse("37TDK"))
        '.landloom/chips/37TDK.json'
    """
    return f"{FOLDER}/{granule}.json"


def read_chips(granule: GranuleId, store: Store) -> tuple[list[Sample], dict[str, str]]:
    """The chips of a granule, and the scenes that were found to be broken, with reasons."""
    document: dict[str, Any] = orjson.loads(store.get(key_of(granule)))
    epsg = granule.zone.epsg
    chips = [
        Sample(id=ChipId(granule, number), epsg=epsg, bounds=tuple(bounds), stratum=str(granule))
        for number, bounds in enumerate(document["chips"])
    ]
    return chips, document["broken"]
