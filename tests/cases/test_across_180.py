"""A corpus on both sides of 180°: labels, outlines, catalogue, server and queries.

Truth is what dense points say: each is brought into degrees and asked there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
from tests.cases.test_shapes import TERMS, dense, recipe
from tests.server.conftest import running

from landloom.corpus.audit.validate import audit
from landloom.engine.sources.class_map import ClassMap
from landloom.model.crosswalk import crosswalk
from landloom.model.grid import WGS84, Grid, transformer
from landloom.model.ids import SampleId
from landloom.pipelines.build import build
from landloom.query.corpus import Corpus
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module", params=["raster", "polygons"])
def corpus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """All samples of a region on both sides of 180°; 311 west of 180°, 211 east of it."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "raster":
        profile = {"driver": "GTiff", "width": 3600, "height": 4, "count": 1, "dtype": "uint16", "crs": "EPSG:4326"}
        with rasterio.open(
            folder / "clc.tif", "w", transform=rasterio.Affine(0.1, 0, -180, 0, -0.1, 67.4), **profile
        ) as file:
            file.write(np.tile(np.repeat(np.array([211, 311], "uint16"), 1800), (4, 1)), 1)
        source = {"file": "clc.tif"}
    else:
        sides = [shapely.box(178, 66, 180, 68), shapely.box(-180, 66, -178, 68)]
        gpd.GeoDataFrame({"code": ["311", "211"]}, geometry=sides, crs=4326).to_file(folder / "clc.gpkg")
        source = {"file": "clc.gpkg", "column": "code"}
    labels = {"clc": {"taxonomy": "clc", **source, "terms": TERMS}}
    build(recipe(folder, {"bounds": [179.95, 67.2, -179.95, 67.23]}, labels=labels))
    return folder / "corpus", pq.read_table(folder / "corpus/index/samples.parquet").to_pylist()


def test_labels_of_samples_across_180_are_those_of_each_side(corpus: tuple[Path, Any]) -> None:
    _, rows = corpus
    shares = []
    for row in rows:
        longitude = transformer(row["epsg"], WGS84).transform(
            *dense((row["west"], row["south"], row["east"], row["north"])).T
        )[0]
        shares.append((longitude > 0).mean())
        assert row["clc_311"] / 1e6 == pytest.approx(shares[-1], abs=0.005)
        assert (row["clc_311"] + row["clc_211"]) / 1e6 == pytest.approx(1, abs=2e-5)
    assert any(0.05 < share < 0.95 for share in shares)


def test_outlines_of_samples_across_180_are_split_everywhere(corpus: tuple[Path, Any]) -> None:
    folder, rows = corpus
    assert audit(LocalStore(folder), digests=True).problems == ()
    own = Corpus.open(folder)
    frame = own.query().to_geodataframe()
    assert frame.geometry.is_valid.all()
    assert frame.bounds.minx.min() >= -180
    assert frame.bounds.maxx.max() <= 180
    across = [name for name, shape in frame.geometry.items() if shape.geom_type == "MultiPolygon"]
    assert across
    stored = gpd.read_parquet(folder / "index/samples.parquet").set_index("id").geometry
    for row in rows:
        assert stored[row["id"]].equals_exact(frame.geometry[row["id"]], 1e-9)
        assert SampleId.parse(row["id"]).footprint.symmetric_difference(stored[row["id"]]).area < 1e-12
        (label,) = folder.glob(f"labels/**/labels_{row['id']}.geojson")
        outline = shapely.geometry.shape(json.loads(label.read_text())["geometry"])
        assert outline.symmetric_difference(stored[row["id"]]).area < 1e-8
    (item,) = folder.glob(f"stac-v1.0/**/*labels_{across[0]}.json")
    document = json.loads(item.read_text())
    west, _, east, _ = document["bbox"]
    assert west > 179
    assert east < -179
    assert document["geometry"]["type"] == "MultiPolygon"
    with running(own) as url:
        asked: dict[str, str | int] = {"bbox": "179.999,67,-179.999,68", "limit": 100}
        found = httpx.get(f"{url}/search", params=asked, timeout=60).json()["features"]
    assert {feature["properties"]["sample_id"] for feature in found} >= set(across)
    assert document["bbox"] in [feature["bbox"] for feature in found]
    assert document["geometry"] in [feature["geometry"] for feature in found]


@pytest.mark.parametrize(
    "asked",
    [
        (-180, 67.2, -179.995, 67.23),
        (179.995, 67.2, 180, 67.23),
        (179.99, 67.2, -179.99, 67.21),
        shapely.Polygon([(179.99, 67.2), (-179.99, 67.2), (-179.97, 67.23), (179.98, 67.23)]),
    ],
)
@pytest.mark.parametrize("relation", ["intersects", "within"])
def test_queries_on_both_sides_of_180_find_what_is_there(corpus: tuple[Path, Any], asked: Any, relation: Any) -> None:
    folder, rows = corpus
    if isinstance(asked, tuple):
        west, south, east, north = asked
        shape: Any = shapely.box(west % 360, south, east % 360 or 360, north)
    else:
        shape = shapely.transform(asked, lambda xy: np.column_stack([xy[:, 0] % 360, xy[:, 1]]))
    wanted = set()
    for row in rows:
        square = shapely.box(row["west"], row["south"], row["east"], row["north"])
        longitude, latitude = transformer(row["epsg"], WGS84).transform(*shapely.get_coordinates(square).T)
        outline = shapely.Polygon(np.column_stack([np.asarray(longitude) % 360, latitude]))
        if shape.contains(outline) if relation == "within" else shape.intersects(outline):
            wanted.add(row["id"])
    assert set(Corpus.open(folder).query(region=asked, relation=relation).ids) == wanted


def test_a_map_of_the_world_is_read_on_both_sides_of_180(tmp_path: Path) -> None:
    """Forest west of 180°, crops east of it, on a granule that lies on both sides."""
    profile = {"driver": "GTiff", "width": 3600, "height": 40, "count": 1, "dtype": "uint8", "crs": "EPSG:4326"}
    transform = rasterio.Affine(0.1, 0, -180, 0, -0.1, 69)
    with rasterio.open(tmp_path / "world.tif", "w", transform=transform, nodata=0, **profile) as file:
        file.write(np.tile(np.repeat(np.array([10, 20], "uint8"), 1800), (40, 1)), 1)
    grid = Grid.of_bounds(32601, (299_980, 7_390_240, 409_780, 7_500_040), 1800)
    found = ClassMap(path=str(tmp_path / "world.tif"), taxonomy="globeland30", overrides={}).on(grid)
    x, y = np.meshgrid(grid.west + 1800 * (np.arange(61) + 0.5), grid.north - 1800 * (np.arange(61) + 0.5))
    longitude = np.asarray(transformer(32601, WGS84).transform(x, y)[0])
    walk = crosswalk("globeland30_landcovernet")
    assert 0.05 < (longitude > 0).mean() < 0.95
    assert (found == walk.apply(np.where(longitude > 0, 20, 10))).all()
