"""Chips without a single observation, counted: a cloudy month is no fault of a corpus, but its users should know."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from landloom.errors import InvalidInputError, MissingKeyError, NotFoundError, counted
from landloom.formats.geotiff import decode_geotiff
from landloom.formats.zarr.cubes import CubeReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.corpus.manifest import FileEntry
    from landloom.corpus.published_files import CorpusStore, PublishedFiles

SIMILAR: Final = 1.1
"""Files up to this many times as large as a blank one are opened: nothing compresses better than nodata alone."""


BlankChips = dict[str, list[tuple[str, list[bool]]]]
"""Product → sample and which of its chips are blank."""


@dataclass(slots=True)
class _Count:
    """Chips of one product."""

    chips: int = 0
    blank: int = 0
    samples: int = 0
    empty: list[str] = field(default_factory=list)
    """Samples all of whose chips are blank."""

    def add(self, sample: str, flags: list[bool]) -> None:
        self.chips += len(flags)
        self.blank += sum(flags)
        self.samples += 1
        if flags and all(flags):
            self.empty.append(sample)

    def note(self, product: str) -> str:
        text = f"{product}: {self.blank:,} of {counted(self.chips, 'chip')} hold no observation"
        if not self.empty:
            return text
        names = ", ".join(self.empty[:3]) + (", …" if len(self.empty) > 3 else "")
        return f"{text}; of {len(self.empty):,} of {counted(self.samples, 'sample')} none does ({names})"


def blank_notes(
    store: CorpusStore,
    info: CorpusInfo,
    published: PublishedFiles,
    *,
    digests: bool,
    tiles: Mapping[str, BlankChips] | None = None,
) -> tuple[list[str], list[str]]:
    """A line for each product of imagery that has blank chips; and what could not be counted.

    Args:
        store: the corpus.
        info: its description.
        published: the files in its manifests.
        digests: whether every file is read; blank chips of a corpus of cubes alone are only counted then.
        tiles: tile → its blank chips from `tile_blanks`, if they are known.
    """
    notes, unchecked = [], []
    for item in _imagery(info):
        if "chips" in info.layouts:
            count = _Count()
            for tile in published.tiles:
                known = None if tiles is None else tiles.get(tile)
                for sample, flags in (
                    blank_chips(store, info, published, item, tile) if known is None else known[item.key]
                ):
                    count.add(sample, flags)
        elif digests:
            count = _cubes(store, published, item)
        else:
            unchecked.append(f"blank chips of {item.key}: in cubes they are counted where every byte is read")
            continue
        if count.blank:
            notes.append(count.note(item.key))
    return notes, unchecked


def tile_blanks(store: CorpusStore, info: CorpusInfo, published: PublishedFiles, tile: str) -> BlankChips:
    """Product → samples of a tile, and which of their chips are blank; nothing of cubes."""
    if "chips" not in info.layouts:
        return {}
    return {item.key: blank_chips(store, info, published, item, tile) for item in _imagery(info)}


def _imagery(info: CorpusInfo) -> list[ProductInfo]:
    return [item for item in info.products if item.product.kind == "imagery" and item.product.folder is not None]


def blank_chips(
    store: CorpusStore, info: CorpusInfo, published: PublishedFiles, item: ProductInfo, tile: str
) -> list[tuple[str, list[bool]]]:
    """Sample and which of its chips of a product are blank, in a tile; of band files the first band's."""
    split = STACKED if info.layout.patterns.band_asset is None else f"_{item.product.bands[0].name}.tif"
    entries = [
        entry
        for path, entry in published.entries(tile).items()
        if path.startswith("imagery/") and f"/{item.product.folder}/" in path and path.endswith(split)
    ]
    blank = _blank_keys(store, entries)
    samples: dict[str, list[bool]] = defaultdict(list)
    for entry in entries:
        samples[entry.path.split("/")[-3]].append(entry.path in blank)
    return sorted(samples.items())


STACKED: Final = ".tif"
"""How the names of chips with all bands end."""


def _blank_keys(store: CorpusStore, entries: Iterable[FileEntry]) -> set[str]:
    """Files that hold nodata alone: the smallest is opened and, if it is blank, those that are about as small."""
    found: set[str] = set()
    least = 0
    for entry in sorted(entries, key=lambda one: (one.size, one.path)):
        if least and entry.size > least * SIMILAR:
            break
        try:
            pixels = decode_geotiff(store.get(entry.path))[0]
        except (MissingKeyError, InvalidInputError):
            continue  # the files are checked elsewhere, and this one is named there
        if not pixels.any():
            found.add(entry.path)
        elif not found:
            break
        least = least or entry.size
    return found


def _cubes(store: CorpusStore, published: PublishedFiles, item: ProductInfo) -> _Count:
    count = _Count()
    for folder in sorted(published.cubes):
        if folder.endswith(f"/{item.product.folder}.zarr"):
            for sample, flags in _blank_steps(store, folder):
                count.add(sample, flags)
    return count


def _blank_steps(store: CorpusStore, folder: str) -> Iterator[tuple[str, list[bool]]]:
    """Sample and which of its timesteps are blank; those that it does not have are none."""
    try:
        reader = CubeReader(store.get, store.get_range, f"{folder}/")
        for row, sample in enumerate(reader.spec.samples):
            cube, there = reader.read(sample), reader.spec.observed
            own = range(len(cube)) if there is None else [at for at, has in enumerate(there[row]) if has]
            yield sample, [not cube[at].any() for at in own]
    except (MissingKeyError, InvalidInputError, NotFoundError):
        return  # named where files are checked
