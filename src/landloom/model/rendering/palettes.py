"""Colours of classes that stay apart for people of any colour vision, and the published colours of taxonomies.

Up to ten classes of any legend differ by a CIEDE2000 of at least `APART`, in normal vision, protanopia and deuteranopia
(`landloom.model.rendering.colour`); so do the coarser two levels of CORINE. No 44 colours do: those of its finest level
keep their groups apart, and `least_difference` tells how near the nearest two are.
"""

from __future__ import annotations

import colorsys
from functools import cache
from typing import TYPE_CHECKING, Final

from landloom.model.rendering.values import NOTHING, Categorical, ShownClass
from landloom.model.taxonomy import read_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from landloom.model.taxonomy import Taxonomy

APART: Final = 10.0
"""CIEDE2000 by which colours of a legend of up to ten classes differ at least."""
_FIRST: Final = (
    *("#2f8f81", "#d98032", "#5b6ea8", "#b54e63", "#cbdb5b"),
    *("#3c1f55", "#7cc4f7", "#7a6716", "#eda8bd", "#204c21"),
)
"""Of the first ten classes, whatever they are."""
_TURN: Final = 0.618034
"""Turn of the hue from one further class to the next, the golden ratio: no two of them are alike."""


def distinct(count: int) -> tuple[str, ...]:
    """Colours for so many things, no two of them equal; the first ten differ by `APART`, and from white.

    Example:
        >>> from landloom.model.rendering.colour import least_difference
        >>> least_difference([*distinct(10), "#ffffff"]) > APART, len(set(distinct(44)))
        (True, 44)
    """
    return (*_FIRST[:count], *(_further(number) for number in range(count - len(_FIRST))))


def _further(number: int) -> str:
    """A colour beyond the first ones: hue by the golden ratio, lightness in turn."""
    lightness = (0.35, 0.62, 0.48, 0.75)[number % 4]
    parts = colorsys.hls_to_rgb((0.05 + number * _TURN) % 1, lightness, 0.62)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


@cache
def _table() -> dict[tuple[str, int, str], dict[str, str]]:
    rows = read_table("rendering", "taxonomies")
    return {(row["taxonomy"], int(row["level"]), row["code"]): row for row in rows}


def class_colours(taxonomy: Taxonomy, level: int | None = None, *, published: bool = False) -> dict[str, str]:
    """Code → colour of the classes of a level, without nodata.

    Args:
        taxonomy: the taxonomy.
        level: 1 is the coarsest; by default the finest.
        published: whether to take the colours that the makers of the taxonomy publish, where they do: those of CORINE
            and WorldCover. They are what people know, and are not all told apart.

    Raises:
        NotFoundError: no such level.

    Example:
        >>> from landloom.model.taxonomy import taxonomy
        >>> class_colours(taxonomy("clc"), published=True)["311"], class_colours(taxonomy("landcovernet"))["1"]
        ('#80ff00', '#1f5fbf')
    """
    number = taxonomy.levels if level is None else level
    nodata = taxonomy.land_class(taxonomy.nodata)
    unlabelled = (*nodata.parents, nodata.code)[number - 1]
    codes = [code for code in taxonomy.codes(level) if code != unlabelled]
    rows = [_table().get((taxonomy.name, number, code), {}) for code in codes]
    other = distinct(len(codes))
    return {
        code: (row.get("published") if published else None) or row.get("colour") or colour
        for code, row, colour in zip(codes, rows, other, strict=True)
    }


def class_rendering(
    taxonomy: Taxonomy, level: int | None = None, *, published: bool = False, nothing: str = NOTHING
) -> Categorical:
    """A raster of codes of a taxonomy, where they are whole numbers.

    Example:
        >>> from landloom.model.taxonomy import taxonomy
        >>> [one.name for one in class_rendering(taxonomy("landcovernet")).classes][:2]
        ['Water', 'Artificial Bareground']
    """
    colours = class_colours(taxonomy, level, published=published)
    return named_rendering(
        ((int(code), taxonomy.land_class(code, level).name, colour) for code, colour in colours.items()), nothing
    )


def named_rendering(rows: Iterable[tuple[int, str, str]], nothing: str = NOTHING) -> Categorical:
    """Codes with names and colours.

    Example:
        >>> named_rendering([(1, "Water", "#1f5fbf")]).classes[0].name
        'Water'
    """
    return Categorical(
        classes=tuple(ShownClass(code=code, name=name, colour=colour) for code, name, colour in rows), nothing=nothing
    )


_SPECIAL: Final = {
    "background": ("Background", "#f0f0f0"),
    "ignore": ("Ignored", "#b4b4b4"),
    "unknown": ("Unknown", "#303030"),
}
"""Role of a code in a class mapping → its name and colour; greys stand for what is no class."""


def mapped_rendering(rows: Iterable[Mapping[str, str | int]]) -> Categorical:
    """A raster of codes that a class mapping gave to the values of its source.

    Args:
        rows: `value`, `code` and `role`, as in `corpus.json`; values with one code are one class.

    Example:
        >>> rows = [{"value": "maize", "code": 1, "role": "class"}, {"value": "", "code": 0, "role": "background"}]
        >>> [(one.code, one.name) for one in mapped_rendering(rows).classes]
        [(1, 'maize'), (0, 'Background')]
    """
    names: dict[int, list[str]] = {}
    special: dict[int, str] = {}
    for row in rows:
        if row["role"] == "class":
            names.setdefault(int(row["code"]), []).append(str(row["value"]))
        else:
            special[int(row["code"])] = str(row["role"])
    found = [
        (code, ", ".join(names[code])[:80], colour)
        for code, colour in zip(sorted(names), distinct(len(names)), strict=True)
    ]
    return named_rendering([*found, *((code, *_SPECIAL[special[code]]) for code in sorted(special))])
