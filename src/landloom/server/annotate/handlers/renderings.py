"""Renderings that the page offers at first: those that the bands of a series allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landloom.model.sensor import Band

_TRIPLES: Final = (
    ("True colour", ("red", "green", "blue"), (0.0, 0.3)),
    ("False colour (near infrared)", ("nir", "red", "green"), (0.0, 0.5)),
    ("Short-wave infrared", ("swir22", "nir", "red"), (0.0, 0.5)),
)
_INDICES: Final = (
    ("NDVI", ("nir", "red"), (-0.2, 1.0)),
    ("NDWI", ("green", "nir"), (-0.8, 0.8)),
)
"""Normalised differences."""
_ALSO: Final = {"nir": ("nir", "nir08"), "swir22": ("swir22", "swir16")}
"""Common name → those that may stand for it, the best first."""


def renderings(bands: Sequence[Band]) -> list[dict[str, Any]]:
    """What the page offers: names of bands for red, green and blue, or an expression; ranges in reflectance.

    A series without any of these is offered its first band in grey.

    Args:
        bands: of the series.

    Example:
        >>> from landloom.model.sensor import SENTINEL2
        >>> [one["name"] for one in renderings([SENTINEL2["B04"], SENTINEL2["B08"]])]
        ['NDVI']
    """
    found: dict[str, str] = {}
    for band in bands:
        if band.common_name:
            found.setdefault(band.common_name, band.name)
    names = {word: next((found[one] for one in _ALSO.get(word, (word,)) if one in found), "") for word in _words()}
    offered: list[dict[str, Any]] = [
        {"name": name, "bands": [names[word] for word in words], "expression": None, "range": list(limits)}
        for name, words, limits in _TRIPLES
        if all(names[word] for word in words)
    ]
    offered += [
        {
            "name": name,
            "bands": None,
            "expression": f"({names[first]} - {names[second]}) / ({names[first]} + {names[second]})",
            "range": list(limits),
        }
        for name, (first, second), limits in _INDICES
        if names[first] and names[second]
    ]
    if not offered and bands:
        offered.append({"name": bands[0].name, "bands": [bands[0].name] * 3, "expression": None, "range": [0.0, 0.5]})
    return offered


def _words() -> set[str]:
    return {word for _, words, _ in (*_TRIPLES, *_INDICES) for word in words}
