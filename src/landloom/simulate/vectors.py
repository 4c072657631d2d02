"""The known land cover as polygons, and typical user layers: countries, a region, parcels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from landloom.model.grid import WGS84, Grid
from landloom.model.shapes import reproject
from landloom.simulate.landscape import (
    STILL_WATER,
    WATER_COURSE,
    WorldParcels,
    lattice,
    parcel_codes,
    river_polygons,
    unlattice,
)
from landloom.simulate.noise import seed_points
from landloom.simulate.scene_frame import FRAME
from landloom.simulate.spectra import CROPS, crop_of

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

    from landloom.model.grid import Bounds
    from landloom.simulate.spec import Place, WorldSpec

_MARGIN: Final = 4
COUNTRIES: Final = (("WL", "Westland"), ("OL", "Ostland"), ("NM", "Nordmark"))
"""Ids and names of the simulated countries."""


def place_outline(place: Place, epsg: int) -> BaseGeometry:
    """A place's square in another CRS, with a vertex every 600 m."""
    return reproject(Grid.of_bounds(place.epsg, place.bounds, 60).outline().segmentize(600.0), place.epsg, epsg)


def frame_bounds(spec: WorldSpec, margin: float = 1_500.0, step: float = 100.0) -> tuple[Bounds, ...]:
    """Bounds of every place in the frame with a margin, on multiples of a step."""
    boxes = []
    for place in spec.places:
        west, south, east, north = place_outline(place, FRAME).bounds
        boxes.append(
            (
                float(np.floor((west - margin) / step) * step),
                float(np.floor((south - margin) / step) * step),
                float(np.ceil((east + margin) / step) * step),
                float(np.ceil((north + margin) / step) * step),
            )
        )
    return tuple(boxes)


def parcel_polygons(spec: WorldSpec, bounds: Bounds) -> tuple[WorldParcels, list[Polygon]]:
    """Every cell of the mosaic that may overlap bounds of the frame, complete, before rivers.

    Returns:
        The tables, and one polygon per parcel; neighbours share their vertices exactly.
    """
    from scipy.spatial import Voronoi

    west, south, east, north = bounds
    u, v = lattice(spec, np.array([west, east, east, west]), np.array([south, south, north, north]))
    rows = np.arange(int(np.floor(u.min())) - _MARGIN, int(np.ceil(u.max())) + _MARGIN)
    columns = np.arange(int(np.floor(v.min())) - _MARGIN, int(np.ceil(v.max())) + _MARGIN)
    inner = np.zeros((rows.size, columns.size), dtype=np.bool_)
    inner[2:-2, 2:-2] = True
    i, j = np.repeat(rows, columns.size), np.tile(columns, rows.size)
    diagram = Voronoi(np.column_stack(seed_points(i, j, spec.seed * 1_000)))
    vertices = np.column_stack(unlattice(spec, diagram.vertices[:, 0], diagram.vertices[:, 1]))
    chosen = np.flatnonzero(inner.ravel())
    polygons = _convex([diagram.regions[diagram.point_region[k]] for k in chosen.tolist()], vertices)
    box = shapely.box(*bounds)
    touching = np.flatnonzero(shapely.intersects(polygons, box))
    chosen = chosen[touching]
    parcels = WorldParcels(i=i[chosen], j=j[chosen], code=parcel_codes(spec, i[chosen], j[chosen]))
    return parcels, [polygons[k] for k in touching.tolist()]


def _convex(regions: list[list[int]], vertices: NDArray[np.float64]) -> NDArray[np.object_]:
    """(region,) the polygon of each: its vertices in their order around their mean.

    Args:
        regions: numbers of the vertices of each convex region.
        vertices: (vertex, 2).
    """
    sizes = np.array([len(region) for region in regions])
    owner, points = np.repeat(np.arange(sizes.size), sizes), vertices[np.concatenate(regions)]
    means = np.add.reduceat(points, np.concatenate([[0], np.cumsum(sizes)[:-1]])) / sizes[:, None]
    x, y = (points - means[owner]).T
    turn = np.lexsort((np.arctan2(y, x), owner))
    rings: Any = shapely.linearrings(points[turn], indices=owner)
    made: NDArray[np.object_] = np.asarray(shapely.polygons(rings))
    return made


def land_cover_polygons(spec: WorldSpec, bounds: Bounds) -> list[tuple[int, Polygon]]:
    """The land cover within bounds of the frame as polygons that neither overlap nor leave gaps.

    Returns:
        CORINE code and polygon, by code and then from west to east, equal to `World.land_cover`.
    """
    parcels, polygons = parcel_polygons(spec, bounds)
    box = shapely.box(*bounds)
    rivers = shapely.union_all([shapely.Polygon(outline) for outline in river_polygons(spec, bounds)])
    shapes = np.array(polygons)
    lakes = shapely.union_all(shapes[parcels.code == STILL_WATER])
    rivers = rivers.difference(lakes)
    covers: list[tuple[int, BaseGeometry]] = [(WATER_COURSE, rivers)]
    for code in np.unique(parcels.code).tolist():
        whole = shapely.union_all(shapes[parcels.code == code])
        covers.append((int(code), whole if code == STILL_WATER else whole.difference(rivers)))
    parts = [
        (code, part)
        for code, cover in covers
        for part in shapely.get_parts(cover.intersection(box)).tolist()
        if part.geom_type == "Polygon" and part.area > 0
    ]
    return sorted(parts, key=lambda row: (row[0], row[1].bounds))


def land_cover_frame(spec: WorldSpec) -> GeoDataFrame:
    """The land cover around all places in the form of CORINE: `CODE_18` as text, area in hectares, EPSG:3035."""
    import geopandas

    boxes = [shapely.box(*box) for box in frame_bounds(spec)]
    west, south, east, north = shapely.union_all(boxes).bounds
    rows = land_cover_polygons(spec, (west, south, east, north))
    return geopandas.GeoDataFrame(
        {
            "CODE_18": [str(code) for code, _ in rows],
            "ID": [f"SIM-{k:06d}" for k in range(1, len(rows) + 1)],
            "Area_Ha": [round(shape.area / 10_000.0, 4) for _, shape in rows],
        },
        geometry=[shape for _, shape in rows],
        crs=f"EPSG:{FRAME}",
    )


def countries_frame(spec: WorldSpec) -> GeoDataFrame:
    """Three countries that together cover every place and a wide margin, in WGS84, with `id` and `name`."""
    import geopandas

    whole = shapely.union_all([place_outline(place, WGS84) for place in spec.places])
    west, south, east, north = whole.buffer(0.6).bounds
    places = [place_outline(place, WGS84).centroid for place in spec.places]
    middle = float(np.mean([point.x for point in places])) if places else (west + east) / 2
    up = np.linspace(south, north, 9)
    wiggle = middle + 0.012 * np.sin(np.arange(9) * 2.1)
    top = float(np.mean([point.y for point in places])) + 0.012
    across = np.linspace(west, east, 9)
    bend = top + 0.004 * np.sin(np.arange(9) * 1.7)
    box = shapely.box(west, south, east, north)
    left = shapely.Polygon([(west, south), *zip(wiggle, up, strict=True), (west, north)])
    above = shapely.Polygon([(west, north), *zip(across, bend, strict=True), (east, north)])
    shapes = [left.difference(above), box.difference(left).difference(above), above.intersection(box)]
    return geopandas.GeoDataFrame(
        {"id": [code for code, _ in COUNTRIES], "name": [name for _, name in COUNTRIES]},
        geometry=[shapely.orient_polygons(shape) for shape in shapes],
        crs="EPSG:4326",
    )


def region_frame(spec: WorldSpec) -> GeoDataFrame:
    """The places as one region in WGS84, extended by 5 m so that their outermost cells are inside."""
    import geopandas

    shapes = []
    for place in spec.places:
        wider = Grid.of_bounds(place.epsg, place.bounds, 60).outline().buffer(5.0, join_style="mitre").segmentize(600.0)
        shapes.append(reproject(wider, place.epsg, WGS84))
    region = shapely.orient_polygons(shapely.union_all(shapes))
    return geopandas.GeoDataFrame({"name": [spec.name]}, geometry=[region], crs="EPSG:4326")


def parcels_frame(spec: WorldSpec) -> GeoDataFrame:
    """Agricultural parcels of all places in EPSG:3035: `id`, `crop`, `code`, `year`.

    Most have a gap of 3 m to their neighbours; some overlap them by some metres, some have a hole, some consist of two
    parts, and one has the id 2^24 + 1.
    """
    import geopandas

    rows: list[tuple[int, str, int, BaseGeometry]] = []
    for number, box in enumerate(frame_bounds(spec, margin=0.0)):
        parcels, polygons = parcel_polygons(spec, box)
        crops = crop_of(spec, parcels, spec.year)
        whole = shapely.box(*box)
        for k, polygon in enumerate(polygons):
            code = int(parcels.code[k])
            if code not in _FARMED or not polygon.intersects(whole):
                continue
            crop = CROPS[crops[k]] if code == 211 else _FARMED[code]
            identity = (1 << 24) + 1 if not rows else number * 100_000 + k + 1
            rows.append((identity, crop, code, _shaped(polygon, len(rows))))
    return geopandas.GeoDataFrame(
        {
            "id": np.array([row[0] for row in rows], dtype=np.int64),
            "crop": [row[1] for row in rows],
            "code": np.array([row[2] for row in rows], dtype=np.int32),
            "year": np.full(len(rows), spec.year, dtype=np.int32),
        },
        geometry=[row[3] for row in rows],
        crs=f"EPSG:{FRAME}",
    )


_FARMED: Final = {211: "arable", 221: "vineyard", 222: "orchard", 231: "meadow", 242: "mixed", 243: "mixed"}


def _shaped(polygon: Polygon, number: int) -> BaseGeometry:
    inner: BaseGeometry = polygon.buffer(-1.5, join_style="mitre")
    if number % 7 == 4:
        return polygon.buffer(4.0, join_style="mitre")
    if number % 13 == 3:
        return inner.difference(polygon.centroid.buffer(24.0, quad_segs=2))
    if number % 11 == 6:
        west, south, east, north = polygon.bounds
        ditch = shapely.LineString([(west, south), (east, north)]).buffer(5.0, cap_style="flat")
        return inner.difference(ditch)
    return inner
