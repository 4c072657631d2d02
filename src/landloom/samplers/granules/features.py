"""Features of granules: position, continent, and the shares of the 17 IGBP classes.

Shares are of exact areas: each pixel is weighted by its share inside the granule and, in degrees, by its area on the
ellipsoid. Units are a zone and latitude band; a second run computes only the missing ones.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import shapely

from landloom.corpus.manifest import FileEntry
from landloom.engine.context import build_context, run_stage
from landloom.engine.executors import inline
from landloom.engine.units import Outcome, Unit, unit_digest
from landloom.errors import BuildError, InvalidInputError
from landloom.formats.parquet import encode_parquet
from landloom.formats.raster_codes import code_numbers
from landloom.labels.coverage import coverage_of
from landloom.model.address import VectorName, is_remote
from landloom.model.crosswalk import Crosswalk, crosswalk
from landloom.model.granules import granule_footprint, granule_region, world_granules
from landloom.model.grid import WGS84
from landloom.model.ids import GranuleId
from landloom.model.shapes import reproject, reproject_all
from landloom.model.taxonomy import Taxonomy, taxonomy
from landloom.model.text import nfc
from landloom.sampling.continents import REGIONS, continents_of
from landloom.sampling.granules import CLASSES
from landloom.store.open import open_store
from landloom.store.raster import open_raster
from landloom.store.vector import (
    Form,
    Told,
    form_of,
    has_geometry,
    head_of,
    read_vector,
    refuse_unread,
    row_names,
    vector_name,
)
from landloom.store.vector.tables import column_names, read_text, table_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from landloom.engine.context import BuildContext
    from landloom.engine.executors import Factory
    from landloom.engine.run import Listener
    from landloom.store.raster import RasterFile

NO_CODE: Final = -(2**62)
"""Code of pixels of a map of floating numbers that have none."""

TABLE: Final = "granules.parquet"
"""The table, in the folder of the work."""
FOLDER: Final = ".landloom/features"
SHARES: Final = tuple(f"igbp_{code}" for code in range(1, CLASSES + 1))
"""Columns of the class shares."""
PIXELS: Final = 4_000_000
"""Pixels of the map that are processed at a time."""
_ECCENTRICITY: Final = 0.0818191908426215
"""Of the WGS84 ellipsoid."""


def to_igbp(name: str, overrides: Mapping[str, str]) -> Crosswalk | None:
    """The crosswalk from a taxonomy to IGBP; None for IGBP itself.

    Raises:
        NotFoundError: there is none, or an override names an unknown class.
        InvalidInputError: overrides of IGBP itself.
    """
    if name == "igbp17":
        if overrides:
            raise InvalidInputError(
                f"got other classes for {sorted(overrides)}, expected none: the map is of IGBP classes"
            )
        return None
    walk = crosswalk(f"{name}_igbp17")
    return walk.override(overrides) if overrides else walk


def class_shares(
    file: RasterFile, granule: GranuleId, source: Taxonomy, *, pixels: int = PIXELS
) -> NDArray[np.float64]:
    """(class,) shares of a granule's area, in the order of the taxonomy's codes; the area outside the map is nodata.

    Args:
        file: the map.
        granule: the granule.
        source: taxonomy of its numbers.
        pixels: number of pixels processed at a time.

    Raises:
        InvalidInputError: numbers in the map that its taxonomy does not contain; lists all of them.
    """
    nothing = source.index[source.nodata]
    sums = np.zeros(len(source.codes()))
    outline, whole = _outline(granule, file.grid.epsg)
    window = _window(outline.bounds, file)
    if window is None:
        sums[nothing] = 1.0
        return sums
    row, column, height, width = window
    table = dict(source.raster_codes)
    table[NO_CODE] = source.nodata
    if file.nodata is not None and float(file.nodata).is_integer():
        table[int(file.nodata)] = source.nodata
    step = max(pixels // width, 1)
    for top in range(row, row + height, step):
        rows = min(step, row + height - top)
        values = file.read(file.grid.window(top, column, rows, width)).ravel()
        if values.dtype.kind not in "iu":
            values = _codes(values, file)
        claims = coverage_of([outline], file.grid, (top, column, rows, width))
        weights = claims.coverage * _pixel_areas(file, top, rows)[claims.pixel // width]
        met, found = _summed(values[claims.pixel], weights)
        unknown = [int(value) for value in met if int(value) not in table]
        if unknown:
            known = sorted(source.raster_codes)
            raise InvalidInputError(f"{file.href}: got {unknown}, expected classes of {source.name}: {known}")
        np.add.at(sums, [source.index[table[int(value)]] for value in met], found)
    if _contains(file.grid.bounds, outline.bounds):
        whole = sums.sum()  # differs from the area by the variation within pixels
    sums[nothing] += max(whole - sums.sum(), 0.0)
    shares: NDArray[np.float64] = sums / sums.sum()
    return shares


def _codes(values: NDArray[Any], file: RasterFile) -> NDArray[np.int64]:
    try:
        return code_numbers(values, file.nodata, NO_CODE)
    except InvalidInputError as error:
        raise InvalidInputError(f"{file.href}: {error}") from error


def _summed(values: NDArray[Any], weights: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """The values that occur, ascending, and the sum of weights of each."""
    if values.dtype == np.uint8:  # counting is faster than sorting
        met: NDArray[Any] = np.flatnonzero(np.bincount(values, minlength=256))
        sums: NDArray[Any] = np.bincount(values, weights=weights, minlength=256)[met]
        return met, sums
    met, places = np.unique(values, return_inverse=True)
    return met, np.asarray(np.bincount(places, weights=weights, minlength=len(met)), dtype=np.float64)


def _contains(bounds: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return bounds[0] <= other[0] and bounds[1] <= other[1] and bounds[2] >= other[2] and bounds[3] >= other[3]


def _outline(granule: GranuleId, epsg: int) -> tuple[Any, float]:
    """Outline in the CRS of the map, split at the antimeridian, and its area: on the ellipsoid if in degrees."""
    shape = granule_region(granule)
    if epsg == WGS84:
        return shape, _degrees_area(shape)
    moved = reproject(shape, WGS84, epsg)
    return moved, float(moved.area)


def _degrees_area(shape: Any) -> float:
    """Area on the ellipsoid of polygons without holes, in degrees: Green's theorem, Simpson's rule along each side."""
    total = 0.0
    for part in shapely.get_parts(shape):
        x, y = shapely.get_coordinates(part.exterior).T
        start, middle, end = (_zone_area(at) for at in (y[:-1], (y[:-1] + y[1:]) / 2, y[1:]))
        total += abs(float((np.diff(x) * (start + 4 * middle + end)).sum() / 6))
    return total


def _zone_area(latitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area from the equator to a latitude of a strip of one degree, in some unit (Snyder 1987, equation 3-12)."""
    sine, e = np.sin(np.radians(latitude)), _ECCENTRICITY
    found: NDArray[np.float64] = sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e
    return found


def _pixel_areas(file: RasterFile, row: int, rows: int) -> NDArray[np.float64]:
    """(row,) area of a pixel, in the unit of `_outline`."""
    grid = file.grid
    if grid.epsg != WGS84:
        return np.full(rows, grid.pixel_width * grid.pixel_height)
    edges = grid.north - grid.pixel_height * np.arange(row, row + rows + 1, dtype=np.float64)
    areas: NDArray[np.float64] = -np.diff(_zone_area(edges)) * grid.pixel_width
    return areas


def _window(bounds: tuple[float, float, float, float], file: RasterFile) -> tuple[int, int, int, int] | None:
    """Row, column, height, width of the part of the map within bounds."""
    grid = file.grid
    west, south, east, north = bounds
    top = max(floor((grid.north - north) / grid.pixel_height), 0)
    bottom = min(ceil((grid.north - south) / grid.pixel_height), grid.height)
    left = max(floor((west - grid.west) / grid.pixel_width), 0)
    right = min(ceil((east - grid.west) / grid.pixel_width), grid.width)
    return (top, left, bottom - top, right - left) if top < bottom and left < right else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturesTask:
    """Shares of the IGBP classes in some granules, saved as (granule, class)."""

    store: str
    key: str
    raster: str
    taxonomy: str
    overrides: Mapping[str, str]
    granules: tuple[str, ...]

    def run(self) -> Outcome:
        """Read the map granule by granule, and save."""
        source, walk = taxonomy(self.taxonomy), to_igbp(self.taxonomy, self.overrides)
        with open_raster(self.raster) as file:
            found = np.stack([class_shares(file, GranuleId.parse(name), source) for name in self.granules])
        shares = found if walk is None else walk.aggregate(found)
        order = [taxonomy("igbp17").index[str(code)] for code in range(1, CLASSES + 1)]
        buffer = io.BytesIO()
        np.save(buffer, shares[:, order])
        open_store(self.store).put(self.key, buffer.getvalue())
        return Outcome(files=(FileEntry.of(self.key, buffer.getvalue()),))


def write_features(
    raster: str,
    out: Path,
    *,
    source: str = "igbp17",
    overrides: Mapping[str, str] | None = None,
    continents: tuple[str, str, str | None] | None = None,
    granules: Sequence[GranuleId] | None = None,
    factory: Factory = inline,
    listener: Listener | None = None,
) -> Path:
    """Write the table of granules to draw from; finished work is kept.

    Args:
        raster: land-cover map in any CRS with an EPSG code.
        out: folder of the table and of intermediate results.
        source: taxonomy of the map's numbers.
        overrides: class of the map → IGBP class, instead of the crosswalk's.
        continents: layer or `id,continent` table, its column, and the layer's name; by default all unknown.
        granules: granules of the table; by default those of the whole world.
        factory: creates executors.
        listener: receives progress.

    Returns:
        The table's path: `id, continent, longitude, latitude, igbp_1` to `igbp_17`, in id order.

    Raises:
        InvalidInputError: an input cannot be read, or is invalid.
        NotFoundError: no crosswalk from this taxonomy to IGBP.
        BuildError: the map cannot be read somewhere.
    """
    asked = sorted(set(world_granules() if granules is None else granules))
    names = [None] * len(asked) if continents is None else assigned(asked, *continents)
    to_igbp(source, overrides or {})
    groups: dict[str, list[GranuleId]] = {}
    for granule in asked:
        groups.setdefault(f"{granule.number:02}{granule.band}", []).append(granule)
    out.mkdir(parents=True, exist_ok=True)
    with build_context(out, factory, listener) as context:
        units = []
        for group, own in groups.items():
            task = FeaturesTask(
                store=context.uri,
                key=f"{FOLDER}/{group}.npy",
                raster=raster,
                taxonomy=source,
                overrides=dict(overrides or {}),
                granules=tuple(map(str, own)),
            )
            key = unit_digest(context.identity(raster), source, sorted(task.overrides.items()), task.granules)
            units.append(Unit(kind="features", product="features", tile=group, key=key, memory=2**29, task=task))
        problems = run_stage("measuring granules", units, context)
        if problems:
            raise BuildError(problems)
        shares = np.concatenate([_load(context, f"{FOLDER}/{group}.npy") for group in groups])
    members = [granule for own in groups.values() for granule in own]
    return _write(out / TABLE, members, dict(zip(asked, names, strict=True)), shares)


def _load(context: BuildContext, key: str) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.load(io.BytesIO(context.store.get(key)), allow_pickle=False)
    return found


def _write(
    path: Path, granules: Sequence[GranuleId], continents: Mapping[GranuleId, str | None], shares: NDArray[np.float64]
) -> Path:
    order = sorted(range(len(granules)), key=granules.__getitem__)
    places = [granule_footprint(granules[i]).centroid for i in order]
    columns: dict[str, Any] = {
        "id": [str(granules[i]) for i in order],
        "continent": pa.array([continents[granules[i]] for i in order], pa.string()),
        "longitude": [(place.x + 180) % 360 - 180 for place in places],
        "latitude": [place.y for place in places],
    }
    columns |= {name: shares[order, at] for at, name in enumerate(SHARES)}
    open_store(str(path.parent)).put(path.name, encode_parquet(pa.table(columns)))
    return path


def assigned(granules: Sequence[GranuleId], file: str, column: str, layer: str | None = None) -> list[str | None]:
    """Continents of granules, from a table `id,continent` or by most land in a vector layer.

    Args:
        granules: any.
        file: CSV with a column `id` and the given one, or any vector file.
        column: of the continent.
        layer: layer, if the file has several.

    Raises:
        InvalidInputError: a table that cannot be read, or without a known continent.
    """
    own = vector_name(file, layer)
    table = _table(own, column)
    if table is None:
        frame = read_vector(
            own.file, layer=own.layer, told=Told(encoding=own.encoding), columns=[column], numbered=True
        )
        return continents_of(granules, *_named_land(frame, column, file))
    unknown = sorted({name for name in table.values() if name not in REGIONS})
    if unknown:
        raise InvalidInputError(
            f"{file}: got the continents {', '.join(unknown)}, expected {', '.join(sorted(REGIONS))}"
        )
    return [REGIONS.get(table.get(str(granule), "")) for granule in granules]


def _named_land(frame: GeoDataFrame, column: str, file: str) -> tuple[list[Any], list[str]]:
    """Shapes in degrees and names of the rows of a layer that belong to a known continent."""
    if frame.crs is None:
        raise InvalidInputError(f"{file}: got rows in several CRSs, expected one for the whole file")
    refuse_unread(frame, file)
    names = [nfc(str(name)) for name in frame[column]]
    moved, refused = reproject_all(frame.geometry.to_numpy(), frame.crs, WGS84)
    rows = row_names(frame)
    for place, why in refused.items():
        if names[place] in REGIONS:
            raise InvalidInputError(f"{file}: {rows[place]} ({names[place]}) {why}")
    kept = [place for place, shape in enumerate(moved) if shape is not None]
    return [moved[place] for place in kept], [names[place] for place in kept]


def _table(own: VectorName, column: str) -> dict[str, str] | None:
    """Granule → continent, if the file is a table with a column `id`."""
    file = own.file
    if is_remote(file) or form_of(head_of(file), file) is not Form.TEXT:
        return None
    text = read_text(file, encoding=own.encoding)
    names = column_names(text)
    if "id" not in names or has_geometry(names):
        return None
    rows = table_rows(text, file)
    if not rows:
        raise InvalidInputError(f"{file} holds no rows")
    if not {"id", column} <= rows[0].keys():
        raise InvalidInputError(f"{file}: got the columns {', '.join(rows[0])}, expected id and {column}")
    return {row["id"]: row[column] for row in rows}
