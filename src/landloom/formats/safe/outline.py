"""Outlines in SAFE products: the product's footprint, and the polygons of cloud masks in GML."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from shapely import Polygon, make_valid, union_all

from landloom.errors import InvalidDocumentError, InvalidValueError, Problem
from landloom.formats.antimeridian import split_antimeridian
from landloom.formats.safe.xml import SafeXml, child_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from shapely.geometry.base import BaseGeometry


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
    try:
        numbers = [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        return None
    for size in (2, 3):
        if len(numbers) % size == 0 and len(numbers) >= 4 * size and numbers[:size] == numbers[-size:]:
            ring = [(numbers[n + 1], numbers[n]) for n in range(0, len(numbers), size)]
            return ring if all(abs(x) <= 360 and abs(y) <= 90 for x, y in ring) else None
    return None


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
    size = int(element.get("srsDimension", "2"))
    words = re.split(r"[\s,]+", element.text.strip())
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return None
    if size not in (2, 3) or len(numbers) % size or len(numbers) < 3 * size or not all(map(math.isfinite, numbers)):
        return None
    return [(numbers[n], numbers[n + 1]) for n in range(0, len(numbers), size)]
