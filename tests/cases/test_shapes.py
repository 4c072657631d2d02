"""Shapes in any CRS, and on both sides of 180°: labels, regions, strata, windows, samples and queries.

Truth is what dense points say: each is brought into the CRS of the shape and asked there, where edges are straight.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from landloom.engine.project import Project
from landloom.engine.recipe_region import region_of, strata_of
from landloom.errors import InvalidInputError, LandloomError, RecipeError
from landloom.labels.fractions import fractions_from_polygons
from landloom.model.grid import WGS84, Grid, transformer
from landloom.model.ids import SampleId, Zone
from landloom.model.recipe import VectorSource
from landloom.model.shapes import reproject
from landloom.model.taxonomy import taxonomy
from landloom.pipelines.registry import Recipe
from landloom.samplers.windows.frame import WindowFrame, striding
from landloom.samplers.windows.section import WindowGrid
from landloom.sampling.zone_cells import candidate_cells

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

TERMS = {"licence": "CC0-1.0", "attribution": "nobody"}
FIJI = shapely.box(176_800, 8_128_000, 184_000, 8_128_700)
"""EPSG:32701: 7.2 km by 0.7 km, on both sides of 180°."""
NORTH = shapely.MultiPolygon([shapely.box(179.95, 67.2, 180, 67.23), shapely.box(-180, 67.2, -179.95, 67.23)])
"""Degrees: 4.3 km by 3.3 km, likewise."""
ZONES = [Zone(number, north) for number in (1, 2, 15, 31, 33, 48, 59, 60) for north in (True, False)]


def recipe(folder: Path, region: dict[str, Any], **changes: Any) -> Path:
    """A recipe without imagery in a folder."""
    document = {
        "name": "x",
        "version": "1.0",
        "region": region,
        "period": {"start": "2020-06-01", "end": "2020-07-01"},
        "samples": {"draw": "all"},
        "archive": {"kind": "earth-search"},
        "products": {"pfsr": {"kind": "external", "cadence": "5 days", "terms": TERMS}},
        "publication": {"title": "x", "description": "x"},
        **changes,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document))
    return folder / "landloom.yaml"


def region(folder: Path, **section: Any) -> Any:
    return region_of(Project.open(recipe(folder, section), Recipe))


def dense(bounds: tuple[float, float, float, float], count: int = 200) -> NDArray[np.float64]:
    """(n, 2) points spread over bounds."""
    west, south, east, north = bounds
    step = (np.arange(count) + 0.5) / count
    x, y = np.meshgrid(west + step * (east - west), south + step * (north - south))
    return np.column_stack([x.ravel(), y.ravel()])


# Labels -----------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    easting=st.floats(250_000, 750_000),
    height=st.floats(0.02, 0.92),
    source=st.sampled_from([WGS84, 4258, 3857, 3832, "utm of the next zone"]),
    turn=st.floats(0, np.pi),
    reach=st.floats(5_000, 300_000),
)
def test_label_edges_run_where_they_run(
    zone: Zone, easting: float, height: float, source: Any, turn: float, reach: float
) -> None:
    """A class on one side of an edge whose ends lie far from the cell covers what dense points say, in every zone."""
    northing = 9.2e6 * height if zone.north else 1e7 - 9.2e6 * height
    cell = Grid.of_bounds(zone.epsg, (easting, northing, easting + 600, northing + 600), 600)
    crs = Zone(zone.number % 60 + 1, zone.north).epsg if isinstance(source, str) else source
    middle = np.array(transformer(zone.epsg, crs).transform(easting + 300, northing + 300))
    unit = 1 / 111_195 if crs in (WGS84, 4258) else 1.0
    along = np.array([np.cos(turn), np.sin(turn)]) * reach * unit
    if crs in (WGS84, 4258):
        along *= 0.4  # stays on the map at high latitudes
    left = np.array([-along[1], along[0]])
    corners = [middle - along, middle + along, middle + along + left, middle - along + left]
    if crs in (WGS84, 4258) and max(abs(y) for _, y in corners) > 85:
        return
    polygon = shapely.Polygon(corners)
    table = fractions_from_polygons([polygon], ["311"], [cell], taxonomy("clc"), epsg=crs)
    points = np.column_stack(transformer(zone.epsg, crs).transform(*dense(cell.bounds).T))
    if crs in (WGS84, 4258):
        points[:, 0] = (points[:, 0] - middle[0] + 180) % 360 - 180 + middle[0]
    wanted = shapely.contains_xy(polygon, points).mean()
    assert table.of("311")[0] / 1e6 == pytest.approx(wanted, abs=0.006)


@pytest.mark.parametrize("degrees", [0.001, 0.5, 1.0, 2.5])
def test_a_parallel_halves_a_cell_however_far_its_ends_are(degrees: float) -> None:
    cell = SampleId.parse("33N_16E-243N_29_01").grid(600)
    longitude, latitude = transformer(cell.epsg, WGS84).transform(cell.west + 300, cell.north - 300)
    wide = max(degrees, 0.02)
    halves = [shapely.box(longitude - wide, latitude, longitude + wide, latitude + wide)]
    halves.append(shapely.box(longitude - wide, latitude - wide, longitude + wide, latitude))
    table = fractions_from_polygons(halves, ["311", "211"], [cell], taxonomy("clc"), epsg=WGS84)
    assert [table.of(code)[0] / 1e6 for code in ("311", "211")] == pytest.approx([0.5, 0.5], abs=5e-4)


def test_a_label_across_180_covers_both_sides_however_it_is_written() -> None:
    cells = [
        Grid.of_bounds(32660, (630_600 + 600 * step, 7_434_000, 631_200 + 600 * step, 7_434_600), 600)
        for step in range(-2, 3)
    ]
    naive = shapely.Polygon([(179.9, 66), (-179.99, 66), (-179.99, 68), (179.9, 68)])
    split = shapely.MultiPolygon([shapely.box(179.9, 66, 180, 68), shapely.box(-180, 66, -179.99, 68)])
    beyond = shapely.box(179.9, 66, 180.01, 68)
    tables = [
        fractions_from_polygons([one], ["311"], cells, taxonomy("clc"), epsg=WGS84) for one in (naive, split, beyond)
    ]
    for place, cell in enumerate(cells):
        longitude = transformer(32660, WGS84).transform(*dense(cell.bounds).T)[0]
        wanted = ((longitude % 360 > 179.9) & (longitude % 360 < 180.01)).mean()
        for table in tables:
            assert table.of("311")[place] / 1e6 == pytest.approx(wanted, abs=0.005)


# Regions ----------------------------------------------------------------------------------------------------------


def fiji_in(crs: int, folder: Path, name: str) -> dict[str, Any]:
    """The region as a file of a CRS and format."""
    shape = FIJI if crs == 32701 else reproject(FIJI, 32701, crs)
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[shape], crs=crs)
    folder.mkdir(exist_ok=True)
    frame.to_parquet(folder / name) if name.endswith("parquet") else frame.to_file(folder / name)
    return {"file": name}


@pytest.mark.parametrize("crs", [32701, 32760, 3832, 3460, 4326, 4258])
@pytest.mark.parametrize("name", ["fiji.gpkg", "fiji.parquet", "fiji.shp", "fiji.fgb"])
def test_a_region_across_180_is_itself_in_every_crs_and_format(tmp_path: Path, crs: int, name: str) -> None:
    found = region(tmp_path, **fiji_in(crs, tmp_path, name))
    cells = candidate_cells(found)
    assert {str(cell.zone) for cell in cells.ids()} == {"60S", "01S"}
    assert 9 <= len(cells) <= 16
    assert found.symmetric_difference(reproject(FIJI, 32701, WGS84)).area < 1e-7


def test_bounds_and_rings_across_180_are_as_wide_as_they_are(tmp_path: Path) -> None:
    bounds = region(tmp_path / "a", bounds=[179.95, 67.2, -179.95, 67.23])
    assert bounds.equals(NORTH)
    ring = [[179.95, 67.2], [-179.95, 67.2], [-179.95, 67.23], [179.95, 67.23], [179.95, 67.2]]
    (tmp_path / "r.geojson").write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    assert region(tmp_path, file="r.geojson").equals(NORTH)
    assert region(tmp_path / "b", bounds=[179.5, 0, 180, 1]).bounds == (179.5, 0, 180, 1)
    assert region(tmp_path / "c", bounds=[180, 0, -179.5, 1]).bounds == (-180, 0, -179.5, 1)
    assert region(tmp_path / "d", bounds=[-180, -60, 180, 75]).bounds == (-180, -60, 180, 75)
    for wrong in ([1, 0, 1, 1], [0, 1, 1, 0], [179, 0, 181, 1]):
        with pytest.raises(RecipeError):
            region(tmp_path / "e", bounds=wrong)


def test_what_no_region_can_be_is_refused_by_name(tmp_path: Path) -> None:
    shapes = {
        "pole": (shapely.Point(0, 0).buffer(5e5), 3413, "feature 1: encloses the north pole"),
        "around": (shapely.box(-100, -10, 100, 10), 4326, "feature 1: got an edge from longitude"),
        "bow": (shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), 4326, "feature 1: Self-intersection"),
        "nowhere": (shapely.box(1.7e7, 0, 1.8e7, 1e6), 3035, "feature 1: has coordinates that are not on Earth"),
    }
    for name, (shape, crs, message) in shapes.items():
        gpd.GeoDataFrame(geometry=[shape], crs=crs).to_file(tmp_path / f"{name}.gpkg")
        with pytest.raises(InvalidInputError, match=f"{name}.gpkg: {message}"):
            region(tmp_path, file=f"{name}.gpkg")


def test_a_long_region_bends_as_its_edges_do(tmp_path: Path) -> None:
    """600 m by 2,500 km in EPSG:3035: cells are those whose centre lies in it there."""
    strip = shapely.box(3_200_000, 3_000_000, 5_700_000, 3_000_600)
    gpd.GeoDataFrame(geometry=[strip], crs=3035).to_file(tmp_path / "strip.gpkg")
    found = region(tmp_path, file="strip.gpkg")
    longitude, latitude = transformer(3035, WGS84).transform(*dense((3.2e6, 3e6, 5.7e6, 3.0006e6), 300).T)
    assert shapely.intersects_xy(found.buffer(1e-6), longitude, latitude).all()
    cells = candidate_cells(found)
    assert len(cells) == pytest.approx(strip.area / 360_000, rel=0.02)
    for cell in list(cells.ids())[:: len(cells) // 50]:
        west, south, east, north = cell.grid(600).bounds
        x, y = transformer(cell.zone.epsg, 3035).transform((west + east) / 2, (south + north) / 2)
        assert strip.buffer(0.5).contains(shapely.Point(x, y))


def test_a_layer_of_several_is_taken_by_name(tmp_path: Path) -> None:
    for number, name in enumerate(("one", "two")):
        shape = shapely.box(13 + number, 52, 14 + number, 53)
        gpd.GeoDataFrame(geometry=[shape], crs=4326).to_file(tmp_path / "m.gpkg", layer=name)
    assert region(tmp_path, file="m.gpkg", layer="two").bounds == (14, 52, 15, 53)
    with pytest.raises(LandloomError, match="one, two"):
        region(tmp_path, file="m.gpkg")
    with pytest.raises(RecipeError, match="layer without a file"):
        region(tmp_path, bounds=[0, 0, 1, 1], layer="two")


# Strata -----------------------------------------------------------------------------------------------------------

SLOVENIA = shapely.box(15.0, 45.9, 15.2, 46.05)


def strata(folder: Path, frame: gpd.GeoDataFrame, name: str = "s.gpkg") -> list[tuple[str, Any]]:
    folder.mkdir(exist_ok=True)
    frame.to_parquet(folder / name) if name.endswith("parquet") else frame.to_file(folder / name)
    project = Project.open(recipe(folder, {"bounds": [*SLOVENIA.bounds]}), Recipe)
    return strata_of(project, VectorSource(file=name, column="id"), region_of(project))


def far_shapes(crs: int) -> Iterator[shapely.Geometry]:
    """What does not survive in degrees, or is broken, far from Slovenia."""
    x, y = transformer(WGS84, 3035).transform(-178.0, -17.0)
    if crs == 3035:
        yield shapely.box(x - 6e5, y - 6e5, x + 6e5, y + 6e5)
        yield shapely.Point(*transformer(WGS84, 3035).transform(0.0, 90.0)).buffer(5e5)
        yield shapely.Polygon([(0, 0), (1e5, 1e5), (1e5, 0), (0, 1e5)])
    else:
        yield shapely.Polygon([(100, 0), (110, 10), (110, 0), (100, 10)])
        yield shapely.Polygon([(-100, -80), (100, -80), (100, -70), (-100, -70)])
    yield shapely.Polygon()


@pytest.mark.parametrize("crs", [3035, 4326])
@pytest.mark.parametrize("name", ["s.gpkg", "s.parquet", "s.geojson"])
def test_strata_far_from_the_region_have_no_say(tmp_path: Path, crs: int, name: str) -> None:
    near = reproject(shapely.box(14.9, 45.7, 15.4, 46.2), WGS84, crs)
    far = list(far_shapes(crs))
    frame = gpd.GeoDataFrame({"id": ["SI", *("X" for _ in far)]}, geometry=[near, *far], crs=crs)
    (found,) = strata(tmp_path, frame, name)
    assert found[0] == "SI"
    assert found[1].is_valid
    assert found[1].contains(SLOVENIA)


def test_a_stratum_near_the_region_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    bow = shapely.Polygon([(14.9, 45.7), (15.4, 46.2), (15.4, 45.7), (14.9, 46.2)])
    with pytest.raises(InvalidInputError, match=r"s\.gpkg: feature 2 \(SI\): Self-intersection"):
        strata(tmp_path, gpd.GeoDataFrame({"id": ["A", "SI"]}, geometry=[shapely.box(0, 0, 1, 1), bow], crs=4326))


@pytest.mark.parametrize(
    ("names", "wanted"),
    [(["A", None], "no id in feature 2"), ([7.0, None], "no id in feature 2"), ([7, 8], ["7", "8"])],
)
def test_strata_have_names_or_are_refused(tmp_path: Path, names: list[Any], wanted: Any) -> None:
    halves = [shapely.box(14, 45, 15.1, 47), shapely.box(15.1, 45, 16, 47)]
    frame = gpd.GeoDataFrame({"id": names}, geometry=halves, crs=4326)
    if isinstance(wanted, str):
        with pytest.raises(InvalidInputError, match=wanted):
            strata(tmp_path, frame)
    else:
        assert [name for name, _ in strata(tmp_path, frame)] == wanted


def test_a_stratum_without_a_name_costs_nothing_far_away_and_numbers_stay_numbers(tmp_path: Path) -> None:
    shapes = [shapely.box(14, 45, 16, 47), shapely.box(100, 0, 101, 1)]
    frame = gpd.GeoDataFrame({"id": [7.0, None]}, geometry=shapes, crs=4326)
    assert [name for name, _ in strata(tmp_path, frame)] == ["7"]


def test_names_of_strata_are_composed_once(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"id": ["A\u030aland"]}, geometry=[shapely.box(14, 45, 16, 47)], crs=4326)
    assert [name for name, _ in strata(tmp_path, frame)] == ["\u00c5land"]


# Windows ----------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.floats(-79, 83), st.floats(0.001, 0.1), st.floats(0.001, 0.1))
def test_windows_across_180_lie_in_the_zone_of_most_of_the_region(latitude: float, west: float, east: float) -> None:
    parts = [
        shapely.box(180 - west, latitude, 180, latitude + 0.05),
        shapely.box(-180, latitude, east - 180, latitude + 0.05),
    ]
    both = shapely.MultiPolygon(parts)
    frame = WindowFrame.of(WindowGrid(draw="windows", size=64, resolution=10), both)
    assert frame.zone == Zone(60 if west > east else 1, latitude + 0.025 >= 0)
    for sample in striding(frame, both):
        x, y = (sample.bounds[0] + sample.bounds[2]) / 2, (sample.bounds[1] + sample.bounds[3]) / 2
        longitude, there = transformer(sample.epsg, WGS84).transform(x, y)
        assert both.buffer(1e-5).intersects(shapely.Point(longitude, there))
        assert sample.footprint.area < 0.01
