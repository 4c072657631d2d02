"""The classes of a campaign: from a taxonomy at one of its levels, or from the class mapping of a corpus."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from landloom.annotate.tasks.values import LARGEST_CODE, ClassChoice
from landloom.errors import InvalidInputError
from landloom.model.rendering.palettes import class_colours, distinct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.model.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """The classes of a campaign, and how values of the corpus become their codes."""

    taxonomy: str
    choices: tuple[ClassChoice, ...]
    codes: Mapping[int, int]
    """Value in a raster of the corpus → code of the campaign; other values are not labelled."""

    @property
    def version(self) -> str:
        """Version of the list: the first 12 characters of a digest over its codes, keys and names."""
        rows = [[one.code, one.key, one.name] for one in self.choices]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:12]

    def apply(self, raster: NDArray[np.integer]) -> tuple[NDArray[np.uint8], int]:
        """Codes of the campaign for a raster of the corpus.

        Args:
            raster: (y, x) of whole numbers of any size and sign.

        Returns:
            (y, x) codes, 0 where unlabelled; and the number of pixels whose value is neither 0 nor a class.
        """
        found = np.zeros(raster.shape, np.uint8)
        for value in np.unique(raster).tolist():
            if value in self.codes:
                found[raster == value] = self.codes[value]
        return found, int(np.count_nonzero((found == 0) & (raster != 0)))


def classes_of_taxonomy(taxonomy: Taxonomy, level: int | None = None) -> Classes:
    """The classes of a level of a taxonomy, without nodata.

    A class has its own code where all codes are whole numbers of 1 to 254, else its number in the list.

    Args:
        taxonomy: the taxonomy.
        level: 1 is the coarsest; by default the finest.

    Raises:
        NotFoundError: no such level.
        InvalidInputError: more than 254 classes.

    Example:
        >>> from landloom.model.taxonomy import taxonomy
        >>> [one.name for one in classes_of_taxonomy(taxonomy("landcovernet")).choices][:2]
        ['Water', 'Artificial Bareground']
        >>> coarse = classes_of_taxonomy(taxonomy("clc"), level=1)
        >>> coarse.choices[2].key, coarse.codes[311]
        ('3', 3)
    """
    published = taxonomy.codes(level)
    finest = level is None or level == taxonomy.levels
    nodata = next(one for one in taxonomy.classes if one.code == taxonomy.nodata)
    unlabelled = nodata.code if finest else (*nodata.parents, nodata.code)[(level or 1) - 1]
    keys = [key for key in published if key != unlabelled]
    if len(keys) > LARGEST_CODE:
        raise InvalidInputError(f"{taxonomy.name}: got {len(keys)} classes, expected at most {LARGEST_CODE}")
    own = all(key.isdecimal() and 1 <= int(key) <= LARGEST_CODE for key in keys)
    codes = {key: int(key) if own else number for number, key in enumerate(keys, 1)}
    colours = class_colours(taxonomy, level)
    choices = tuple(
        ClassChoice(code=codes[key], key=key, name=taxonomy.land_class(key, level).name, colour=colours[key])
        for key in keys
    )
    groups = {one.code: one.code if finest else (*one.parents, one.code)[(level or 1) - 1] for one in taxonomy.classes}
    values = {value: codes[groups[code]] for value, code in taxonomy.raster_codes.items() if groups[code] in codes}
    return Classes(taxonomy=taxonomy.name, choices=choices, codes=values)


def classes_of_mapping(product: str, rows: Sequence[Mapping[str, str | int]]) -> Classes:
    """The classes that a class mapping in a corpus names.

    Args:
        product: key of the product, the name of the list.
        rows: `value`, `code` and `role`, as in `corpus.json`; values with one code are one class.

    Raises:
        InvalidInputError: codes beyond 254, or no class at all.
    """
    names: dict[int, list[str]] = {}
    for row in rows:
        if row["role"] == "class":
            names.setdefault(int(row["code"]), []).append(str(row["value"]))
    if not names or not all(1 <= code <= LARGEST_CODE for code in names):
        raise InvalidInputError(f"{product}: got class codes {sorted(names)}, expected 1 to {LARGEST_CODE}")
    colours = distinct(len(names))
    choices = tuple(
        ClassChoice(code=code, key=str(code), name=", ".join(names[code])[:80], colour=colour)
        for code, colour in zip(sorted(names), colours, strict=True)
    )
    return Classes(taxonomy=product, choices=choices, codes={code: code for code in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCodes:
    """Class as written in a file → code."""

    names: Mapping[str, int]
    """Codes, keys and names, in lower case."""

    @classmethod
    def of(cls, classes: Sequence[ClassChoice], translated: Mapping[str, str] | None = None) -> ClassCodes:
        """Spellings of the classes of a campaign.

        Args:
            classes: of the campaign.
            translated: value in the files → code, key or name.

        Raises:
            InvalidInputError: a value is translated into no class.

        Example:
            >>> from landloom.annotate.tasks.values import ClassChoice
            >>> water = ClassChoice(code=1, key="80", name="Water", colour="#0000ff")
            >>> codes = ClassCodes.of([water], {"Lake": "water"})
            >>> codes.code("80"), codes.code("lake"), codes.code("1.0")
            (1, 1, 1)
        """
        names: dict[str, int] = {}
        for spelling in ("name", "code", "key"):  # a taxonomy's own codes win
            names |= {str(getattr(one, spelling)).strip().lower(): one.code for one in classes}
        own = cls(names=names)
        given = {value.strip().lower(): own.code(name) for value, name in (translated or {}).items()}
        return cls(names={**names, **given})

    def code(self, text: str) -> int:
        """The code of a class as written.

        Raises:
            InvalidInputError: no class of the campaign.
        """
        spelled = text.strip().lower()
        found = self.names.get(spelled, self.names.get(spelled.removesuffix(".0")))
        if found is None:
            raise InvalidInputError(f"got class {text!r}, expected one of the campaign by code, key or name")
        return found

    def table(self, values: Sequence[int]) -> dict[int, int]:
        """Codes of the values of a raster.

        Raises:
            InvalidInputError: values that are no class.
        """
        unknown = [value for value in values if str(value) not in self.names]
        if unknown:
            raise InvalidInputError(f"got values {unknown[:10]}, expected classes of the campaign")
        return {value: self.names[str(value)] for value in values}
