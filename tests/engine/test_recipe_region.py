"""The region of a recipe, from bounds and from files in any CRS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.projects import project_of

from landloom.engine.recipe_region import region_of
from landloom.errors import InvalidInputError, MissingKeyError

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.project import Project

EDGES = st.tuples(st.floats(-170, 160), st.floats(-80, 70), st.floats(0.01, 10), st.floats(0.01, 10))


def in_file(folder: Path, frame: geopandas.GeoDataFrame, name: str = "region.gpkg") -> Project:
    frame.to_file(folder / name)
    return project_of(folder, region={"file": name})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(EDGES)
def test_bounds_are_the_region(tmp_path: Path, edges: tuple[float, float, float, float]) -> None:
    west, south, width, height = edges
    bounds = (west, south, west + width, south + height)
    region = region_of(project_of(tmp_path, region={"bounds": list(bounds)}))
    assert region.bounds == bounds
    assert region.area == pytest.approx(shapely.box(*bounds).area)


@pytest.mark.parametrize("epsg", [4326, 3035, 32633])
def test_polygons_of_a_file_are_one_region_in_degrees(tmp_path: Path, epsg: int) -> None:
    """Two that touch and one apart, whatever the CRS of the file."""
    boxes = [shapely.box(14, 48, 15, 49), shapely.box(15, 48, 16, 49), shapely.box(17, 48, 17.5, 49)]
    frame = geopandas.GeoDataFrame(geometry=[shapely.segmentize(box, 0.02) for box in boxes], crs=4326).to_crs(epsg)
    region = region_of(in_file(tmp_path, frame))
    assert region.area == pytest.approx(shapely.union_all(boxes).area, rel=1e-4)
    assert region.symmetric_difference(shapely.union_all(boxes)).area < 1e-3
    assert len(shapely.get_parts(region)) == 2


@pytest.mark.parametrize("shape", [shapely.Point(1, 1), shapely.LineString([(0, 0), (1, 1)])])
def test_points_and_lines_are_no_region(tmp_path: Path, shape: shapely.Geometry) -> None:
    with pytest.raises(InvalidInputError, match="no polygon"):
        region_of(in_file(tmp_path, geopandas.GeoDataFrame(geometry=[shape], crs=4326)))


def test_a_file_without_polygons_or_crs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no polygon"):
        region_of(in_file(tmp_path, geopandas.GeoDataFrame(geometry=[shapely.Polygon()], crs=4326), "empty.gpkg"))
    bare = geopandas.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    bare.to_file(tmp_path / "bare.shp")
    (tmp_path / "bare.prj").unlink()
    with pytest.raises(InvalidInputError, match="CRS"):
        region_of(project_of(tmp_path, region={"file": "bare.shp"}))
    with pytest.raises(MissingKeyError, match=r"none\.gpkg"):
        region_of(project_of(tmp_path, region={"file": "none.gpkg"}))
