"""The recipe that is rehearsed: that of the user, with fewer samples, the synthetic archive and synthetic labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely
import yaml

from landloom.archive.open import archive_sensor
from landloom.archive.presets import connection_limits
from landloom.engine.project import RECIPE_FILE, Project
from landloom.errors import InvalidInputError
from landloom.model.ids import CELL_SIZE
from landloom.model.recipe import LabelSource, find_sources
from landloom.model.sensor import SENTINEL_2_L2A
from landloom.model.shapes import reproject
from landloom.model.taxonomy import taxonomy
from landloom.model.time import format_instant, parse_instant
from landloom.pipelines.registry import REGISTRY
from landloom.pipelines.rehearsal.places import EQUAL_AREA
from landloom.simulate.label_files import geopackage
from landloom.simulate.stac_items import COLLECTION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from landloom.model.ids import SampleId, TileId

KINDS: Final = frozenset({"composite", "series", "fused", "fractions", "external"})
"""Kinds of products that can be rehearsed."""
POLYGON: Final = 1_500.0
"""Side in metres of the polygons of synthetic labels: CORINE's 2.4 million cover 5.8 million km²."""
SAMPLES: Final = "samples.txt"
_COLUMN: Final = "code"
_HERE: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What of a recipe is rehearsed."""

    samples: tuple[SampleId, ...]
    months: int | None = None
    """Only the first months of each period; all if None."""
    products: tuple[str, ...] = ()
    """Only these; all if empty. Labels are always made."""

    @property
    def tiles(self) -> list[TileId]:
        """Tiles of the samples, in id order."""
        return sorted({sample.tile for sample in self.samples})


def require_rehearsable(project: Project) -> None:
    """Refuse a recipe whose archive or products cannot be rehearsed.

    Raises:
        InvalidInputError: says which, and what can be.
    """
    for name, section in project.recipe.named_archives().items():
        sensor = archive_sensor(section)
        if sensor.name != SENTINEL_2_L2A.name:
            raise InvalidInputError(
                f"{name}: got an archive of {sensor.name}, expected {SENTINEL_2_L2A.name}: no other is rehearsed yet"
            )
    for request in REGISTRY.requests(project):
        if request.kind.name not in KINDS or getattr(request.section, "is_imported", False):
            expected = ", ".join(sorted(KINDS))
            raise InvalidInputError(
                f"{request.path}: got a product of kind {request.kind.name}, expected one of {expected}: no other can "
                "be rehearsed yet; leave it out with --product"
            )


def write_part(project: Project, part: Part, address: str, folder: Path) -> Project:
    """Write the recipe of a part, its samples and its labels into a folder.

    Args:
        project: the user's recipe.
        part: of it.
        address: of the synthetic archive.
        folder: created if missing.

    Raises:
        InvalidInputError: a product that is not in the recipe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SAMPLES).write_text("".join(f"{sample}\n" for sample in part.samples), encoding="utf-8")
    document = _document(project, part, address)
    for path, source in find_sources(dict(project.recipe), LabelSource).items():
        name = f"{path.replace('.', '-')}.gpkg"
        (folder / name).write_bytes(label_layer(part.tiles, source))
        _place(document, path).update({"file": name, "column": source.column or _COLUMN, "layer": _layer(source)})
        _place(document, path).pop("encoding", None)
    (folder / RECIPE_FILE).write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return REGISTRY.open(folder)


def _document(project: Project, part: Part, address: str) -> dict[str, Any]:
    document = project.recipe.document()
    outlines = [tile.grid(CELL_SIZE).footprint() for tile in part.tiles]
    west, south, east, north = shapely.total_bounds(outlines).tolist()
    document["region"] = {"bounds": [west - 0.01, south - 0.01, east + 0.01, north + 0.01]}
    document["samples"] = {"draw": "list", "file": SAMPLES}
    document["allow_blank"] = True
    if (document.get("scenes") or {}).get("file"):
        document["scenes"] = None
    limit = min(connection_limits(project.recipe.named_archives().values()).values(), default=None)
    archive: dict[str, Any] = {"kind": "stac-api", "href": address, "collection": COLLECTION}
    archive |= {} if limit is None else {"connections": {_HERE: limit}}
    if document.get("archive") is not None:
        document["archive"] = archive
    else:
        document["archives"] = dict.fromkeys(document["archives"], archive)
    _choose(document, part.products)
    if part.months is not None:
        _shorten(document, part.months)
    return document


def _choose(document: dict[str, Any], products: Sequence[str]) -> None:
    unknown = sorted(set(products) - document["products"].keys())
    if unknown:
        known = ", ".join(document["products"])
        raise InvalidInputError(f"got the product {unknown[0]!r}, expected one of {known}")
    if products:
        document["products"] = {key: one for key, one in document["products"].items() if key in products}


def _shorten(document: dict[str, Any], months: int) -> None:
    """End each period after some months, unless it ends before."""
    for section in (document, *document["products"].values()):
        period = section.get("period")
        if period is not None:
            start = np.datetime64(str(period["start"])[:7], "M")
            end = f"{(start + months).astype('M8[D]')}T00:00:00Z"
            period["end"] = min(end, _instant(period["end"]))


def _instant(value: object) -> str:
    return format_instant(parse_instant(str(value)))


def _place(document: dict[str, Any], path: str) -> dict[str, Any]:
    found = document
    for name in path.split("."):
        found = found[name]
    return found


def _layer(source: LabelSource) -> str:
    return source.layer or "labels"


def label_layer(tiles: Sequence[TileId], source: LabelSource) -> bytes:
    """A GeoPackage of squares with codes of a taxonomy that covers tiles without gaps.

    Args:
        tiles: to cover.
        source: of the recipe: taxonomy, layer and column.
    """
    from geopandas import GeoDataFrame

    classes = taxonomy(source.taxonomy)
    codes = [code for code in classes.codes() if code != classes.nodata]
    squares: dict[tuple[int, int], None] = {}
    for tile in tiles:
        outline = reproject(tile.grid(CELL_SIZE).outline().segmentize(CELL_SIZE), tile.zone.epsg, EQUAL_AREA)
        west, south, east, north = (int(value // POLYGON) for value in outline.bounds)
        columns, rows = np.meshgrid(np.arange(west - 1, east + 2), np.arange(south - 1, north + 2))
        squares |= dict.fromkeys(zip(columns.ravel().tolist(), rows.ravel().tolist(), strict=True))
    at = np.array(sorted(squares))
    left, low = (at * POLYGON).T
    shapes = shapely.box(left, low, left + POLYGON, low + POLYGON)
    lots = (at[:, 0] * 7919 + at[:, 1] * 104_729) % len(codes)
    frame = GeoDataFrame({source.column or _COLUMN: [codes[lot] for lot in lots]}, geometry=shapes, crs=EQUAL_AREA)
    return geopackage(frame, _layer(source))


def unknowns(project: Project, part: Mapping[str, float], whole: Mapping[str, float]) -> list[str]:
    """What a rehearsal of this recipe cannot know, in words.

    Args:
        project: the user's recipe.
        part: timesteps that were built, by product.
        whole: those of the recipe.
    """
    recipe = project.recipe
    lines = [
        "How fast the real archive answers, and how many connections it allows: latency and bandwidth are as stated.",
        (
            "What real pixels cost: land does not change with the season here, every fifth overpass of an orbit is "
            "clear, and blocks repeat; bytes written are those of synthetic pixels."
        ),
        "What files lack for good in the real archive: every scene here has all its files.",
    ]
    draw = getattr(recipe.samples, "draw", "list")
    if draw != "list":
        lines.append(
            f"How long placing takes: the draw {draw} reads the region's own inputs; tiles were taken at random."
        )
    if find_sources(dict(recipe), LabelSource):
        lines.append(
            f"How long the real labels take to open: here squares of {POLYGON:,.0f} m, only where samples lie."
        )
    if recipe.scenes is not None and recipe.scenes.file:
        lines.append(f"Which scenes {recipe.scenes.file} chooses: all were used.")
    lines += [
        f"{name}: {steps:,.0f} timesteps are the recipe's, none was built."
        for name, steps in whole.items()
        if name not in part
    ]
    external = [request.key for request in REGISTRY.requests(project) if request.kind.name == "external"]
    lines += [f"{key}: made elsewhere, and no part of any number here." for key in external]
    return lines
