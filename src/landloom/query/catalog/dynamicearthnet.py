"""DynamicEarthNet as its archives unpack: which area has which images and labels (Toker et al. 2022, arXiv:2203.12560).

    planet/10N/23E-188N/1311_3077_13/PF-SR/2018-01-01.tif                 an image a day: blue, green, red, NIR
    labels/1311_3077_13_10N/Labels/Raster/NAME/NAME-2018_01_01.tif        a label a month: a band for each class
    dynnet_training_splits/train.txt                                      lines of image folder, label, month

Only ids and dates count: folders between them differ between releases, as do `-` and `_` in the names of labels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from landloom.errors import CorpusError, InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from landloom.store.protocol import Store

CLASSES: Final = ("impervious surface", "agriculture", "forest and other vegetation", "wetlands", "soil", "water")
"""Classes that are evaluated, in the order of the bands of a label."""
SNOW: Final = "snow and ice"
"""The seventh, which the benchmark leaves out: it occurs in two areas."""
SPLITS: Final = "dynnet_training_splits"
"""Folder with a list for each split."""
_IMAGE: Final = re.compile(r"(?:^|/)(?P<area>\d+_\d+_\d+)(?:[-_]\d+[NS])?/PF-SR/(?P<date>\d{4}-\d\d-\d\d)\.tif$")
_LABEL: Final = re.compile(
    r"(?:^|/)(?P<area>\d+_\d+_\d+)[-_]\d+[NS]/Labels/Raster/(?:[^/]+/)*[^/]*?(?P<date>\d{4}[-_]\d\d[-_]\d\d)\.tif$"
)
_FOLDER: Final = re.compile(r"(?P<area>\d+_\d+_\d+)")
_MONTH: Final = 7
"""Characters of `2018-01`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One of its 75 areas."""

    id: str
    """`1311_3077_13`."""
    images: Mapping[str, str] = field(repr=False)
    """Day → key of its image, in time order."""
    labels: Mapping[str, str] = field(repr=False)
    """Month → key of its label, in time order."""

    def days(self, month: str) -> tuple[str, ...]:
        """Days with an image in a month."""
        return tuple(day for day in self.images if day[:_MONTH] == month)


@dataclass(frozen=True, slots=True, kw_only=True)
class Areas:
    """What was found in a folder."""

    areas: tuple[Area, ...]
    """With images and labels, by id."""
    left_out: Mapping[str, str]
    """Area → why it is not here."""
    splits: Mapping[str, tuple[tuple[str, str], ...]]
    """Split → (area, month) of its list."""

    def split(self, name: str) -> tuple[tuple[str, str], ...]:
        """(area, month) of a split.

        Raises:
            NotFoundError: there is no list of it.
        """
        if name not in self.splits:
            raise NotFoundError.of(f"split of DynamicEarthNet in {SPLITS}", name, self.splits)
        return self.splits[name]


def read_areas(store: Store) -> Areas:
    """The areas below a folder that archives were unpacked to.

    Args:
        store: the folder.

    Raises:
        CorpusError: nothing of DynamicEarthNet is there.
        InvalidInputError: two files of one area and date, or a list of a split that cannot be read; the line is named.
    """
    keys = [entry.key for entry in store.list()]
    images, labels = _by_area(keys, _IMAGE), _by_area(keys, _LABEL)
    names = sorted(images.keys() | labels.keys())
    whole = [name for name in names if name in images and name in labels]
    if not whole:
        raise CorpusError(
            f"got {len(images)} areas with images and {len(labels)} with labels of DynamicEarthNet, expected one with "
            "both: .../AREA/PF-SR/DATE.tif and .../AREA_ZONE/Labels/Raster/.../NAME-DATE.tif"
        )
    missing = {name: "has no label" if name in images else "has no image" for name in names if name not in whole}
    listed = [key for key in keys if f"/{key}".rpartition("/")[0].endswith(f"/{SPLITS}") and key.endswith(".txt")]
    return Areas(
        areas=tuple(
            Area(id=name, images=images[name], labels={day[:_MONTH]: key for day, key in labels[name].items()})
            for name in whole
        ),
        left_out=missing,
        splits={key.rpartition("/")[2].removesuffix(".txt"): _listed(store.get(key).decode(), key) for key in listed},
    )


def _by_area(keys: Iterable[str], pattern: re.Pattern[str]) -> dict[str, dict[str, str]]:
    """Area → date → key, dates ascending."""
    found: dict[str, dict[str, str]] = {}
    for key in keys:
        match = pattern.search(key)
        if match is None:
            continue
        own, date = found.setdefault(match["area"], {}), match["date"].replace("_", "-")
        if date in own:
            raise InvalidInputError(f"got {own[date]} and {key}, expected one file of {match['area']} on {date}")
        own[date] = key
    return {area: dict(sorted(own.items())) for area, own in found.items()}


def _listed(text: str, key: str) -> tuple[tuple[str, str], ...]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        area = _FOLDER.search(words[0])
        if area is None or not re.fullmatch(r"\d{4}-\d\d", words[-1]):
            raise InvalidInputError(f"{key}, line {number}: got {line[:80]!r}, expected IMAGES LABEL YYYY-MM")
        found.append((area["area"], words[-1]))
    return tuple(found)
