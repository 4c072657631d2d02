"""Outlines in SAFE products: the product's footprint, and the polygons of cloud masks in GML."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from shapely import Polygon, make_valid, union_all

from landloom.errors import InvalidDocumentError, InvalidValueError, Problem
from landloom.formats.safe.xml import SafeXml, child_text
from landloom.model.antimeridian import split_antimeridian

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from shapely.geometry.base import BaseGeometry

SPAN: Final = 15.0
"""Degrees that a product's outline may span; a height is told from a latitude by it."""
MIXED_LEAST: Final = 8
MOST_MIXED: Final = 4096
"""Numbers of an outline in which some vertices have a height, at least and at most."""


def parse_outline(document: SafeXml, outlines: Sequence[str]) -> BaseGeometry | None:
    """The footprint of a product, from the texts of its EXT_POS_LIST elements.

    Args:
        document: collects problems.
        outlines: latitude longitude (in some products also a height) of each vertex, the first repeated as the last.

    Returns:
        Valid polygon or multipolygon in WGS84, longitude latitude, split at the antimeridian; None if it cannot be
        read.

    Example:
        >>> document = SafeXml("a.xml", b"<a/>", [])
        >>> parse_outline(document, ["45 15 45 16 46 16 46 15 45 15"]).bounds
        (15.0, 45.0, 16.0, 46.0)
    """
    if not outlines:
        document.wrong("no EXT_POS_LIST")
        return None
    parts = []
    for text in outlines:
        ring = _ring(text)
        if ring is None:
            document.wrong("EXT_POS_LIST: expected a closed ring of latitude longitude pairs")
            return None
        try:
            parts.append(make_valid(split_antimeridian(Polygon(ring))))
        except InvalidValueError as error:
            document.wrong(f"EXT_POS_LIST: {error}")
            return None
    whole: BaseGeometry = parts[0] if len(parts) == 1 else union_all(parts)
    return whole


def _ring(text: str) -> list[tuple[float, float]] | None:
    """Vertices of a closed ring, (longitude, latitude); a vertex may have a height, whether or not others have one."""
    try:
        numbers = [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        return None
    alike = [ring for size in (2, 3) if (ring := _alike(numbers, size)) is not None]
    near = next((ring for ring in alike if _is_near(ring)), None)
    if near is None and len(numbers) <= MOST_MIXED:
        near = _mixed(numbers)
    return near or next(iter(alike), None)


def _alike(numbers: Sequence[float], size: int) -> list[tuple[float, float]] | None:
    """A closed ring whose vertices all have so many numbers."""
    if len(numbers) % size or len(numbers) < 4 * size or numbers[:2] != numbers[-size:][:2]:
        return None
    ring = [(numbers[n + 1], numbers[n]) for n in range(0, len(numbers), size)]
    return ring if all(abs(x) <= 360 and abs(y) <= 90 for x, y in ring) else None


def _is_near(ring: Sequence[tuple[float, float]]) -> bool:
    return all(_near(vertex, ring[0]) for vertex in ring)


def _near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two vertices can be of one product, which spans a few degrees."""
    turn = abs(one[0] - other[0]) % 360
    return min(turn, 360 - turn) <= SPAN and abs(one[1] - other[1]) <= SPAN and abs(one[1]) <= 90


def _mixed(numbers: Sequence[float]) -> list[tuple[float, float]] | None:
    """A ring with heights on some vertices: of the readings that close near the first vertex the most compact one."""
    if len(numbers) < MIXED_LEAST:
        return None
    read = (_reading(numbers, sizes) for sizes in ((3, 2), (2, 3)))
    rings = [ring for ring in read if ring is not None and len(ring) >= 4 and ring[0] == ring[-1]]
    return min(rings, key=_extent, default=None)


def _extent(ring: Sequence[tuple[float, float]]) -> float:
    longitudes, latitudes = zip(*ring, strict=True)
    return float(max(longitudes) - min(longitudes) + max(latitudes) - min(latitudes))


def _reading(numbers: Sequence[float], sizes: tuple[int, int]) -> list[tuple[float, float]] | None:
    """All numbers as vertices near the first, of two or three numbers each; where both go, the first size does."""
    first = (numbers[1], numbers[0])
    ways: list[list[tuple[float, float]] | None] = [None] * (len(numbers) + 1)
    ways[0] = []
    for at in range(len(numbers) - 1):
        before, vertex = ways[at], (numbers[at + 1], numbers[at])
        if before is None or not (math.isfinite(sum(vertex)) and _near(vertex, first)):
            continue
        for size in sizes:
            if at + size <= len(numbers) and ways[at + size] is None:
                ways[at + size] = [*before, vertex]
    return ways[-1]


def parse_mask_gml(data: bytes, where: str) -> list[tuple[str, Polygon]]:
    """The polygons of a GML mask (`MSK_CLOUDS_B00.gml`), the mask format before baseline 04.00.

    Args:
        data: the GML file; without features it is an empty mask.
        where: its name in messages.

    Returns:
        Type (`OPAQUE`, `CIRRUS`, …) and outline with holes of every feature, in the granule's CRS.

    Raises:
        InvalidDocumentError: lists every problem.

    Example:
        >>> parse_mask_gml(b"<Mask/>", "MSK_CLOUDS_B00.gml")
        []
    """
    problems: list[Problem] = []
    document = SafeXml(where, data, problems)
    found = []
    for feature in document.all("MaskFeature"):
        rings = [[_positions(ring) for ring in feature.findall(f".//{{*}}{side}")] for side in ("exterior", "interior")]
        shell, holes = rings[0][0] if rings[0] else None, rings[1]
        if shell is None or None in holes:
            document.wrong("MaskFeature: expected rings of x y pairs")
            continue
        found.append((child_text(feature, "maskType") or "", Polygon(shell, [hole for hole in holes if hole])))
    if problems:
        raise InvalidDocumentError(where, problems)
    return found


def _positions(ring: Element) -> list[tuple[float, float]] | None:
    element = ring.find(".//{*}posList")
    if element is None or not element.text:
        return None
    size = {"2": 2, "3": 3}.get(element.get("srsDimension", "2").strip(), 0)
    words = re.split(r"[\s,]+", element.text.strip())
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return None
    if size not in (2, 3) or len(numbers) % size or len(numbers) < 3 * size or not all(map(math.isfinite, numbers)):
        return None
    return [(numbers[n], numbers[n + 1]) for n in range(0, len(numbers), size)]
