"""Items in other forms of document, with other addresses and CRS: the same scene."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import rasterio
from rasterio.crs import CRS
from tests.cases.odd_scenes import CELL, GRID, Form, write_scene

from landloom.archive.open import open_archive
from landloom.engine.pixels.masks import PixelMask
from landloom.engine.pixels.reading import SceneReader
from landloom.model.time import Period

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.model.scene import Scene

HLS = (
    'PROJCS["UTM Zone 33, Northern Hemisphere",GEOGCS["Unknown datum based upon the WGS 84 ellipsoid",'
    'DATUM["Not specified (based on WGS 84 spheroid)",SPHEROID["WGS 84",6378137,298.257223563]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],'
    'PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",15],PARAMETER["scale_factor",0.9996],'
    'PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["Meter",1]]'
)
"""As HLS writes its CRS: UTM without an EPSG code."""


def scenes(path: Path) -> tuple[Scene, ...]:
    archive = open_archive("static", str(path), sensor="sentinel-2-l2a")
    found = archive.search(CELL.footprint, Period.year(2018))
    assert archive.problems == ()
    return found


def items(folder: Path) -> list[dict[str, object]]:
    found = []
    for day in ("05", "15"):
        path = write_scene(folder, f"d{day}", f"2018-06-{day}T10:00:00Z", Form())
        item = json.loads(path.read_text(encoding="utf-8"))
        for asset in item["assets"].values():
            asset["href"] = f"./d{day}/{asset['href'][2:]}"
        found.append(item)
    return found


@pytest.mark.parametrize("form", ["lines", "lines with a mark", "array", "collection"])
def test_items_of_one_file(form: str, tmp_path: Path) -> None:
    both, path = items(tmp_path), tmp_path / "items.json"
    lines = "\n".join(map(json.dumps, both)) + "\n"
    written = {
        "lines": lines,
        "lines with a mark": f"\ufeff{lines}",
        "array": json.dumps(both),
        "collection": json.dumps({"type": "FeatureCollection", "features": both}),
    }
    path.write_text(written[form], encoding="utf-8")
    assert [scene.id for scene in scenes(path)] == ["d05", "d15"]


def test_addresses_written_on_windows(tmp_path: Path) -> None:
    path = write_scene(tmp_path, "d05", "2018-06-05T10:00:00Z", Form())
    item = json.loads(path.read_text(encoding="utf-8"))
    for asset in item["assets"].values():
        asset["href"] = f".\\{asset['href'][2:]}"
    path.write_text(json.dumps(item), encoding="utf-8")
    catalog = {"type": "Catalog", "stac_version": "1.0.0", "id": "a", "description": "d"}
    links = {"links": [{"rel": "item", "href": "d05\\item.json"}]}
    (tmp_path / "catalog.json").write_text(json.dumps(catalog | links), encoding="utf-8")
    (scene,) = scenes(tmp_path / "catalog.json")
    assert scene.bands["B04"].href == str(tmp_path / "d05/B04.tif")


def test_utm_without_a_code_is_utm(tmp_path: Path) -> None:
    path = write_scene(tmp_path, "d05", "2018-06-05T10:00:00Z", Form())
    for name in ("B04", "SCL"):
        with rasterio.open(path.parent / f"{name}.tif", "r+") as file:
            file.crs = CRS.from_wkt(HLS)
            assert file.crs.to_epsg() is None
    (scene,) = scenes(path)
    with SceneReader(scene, bands=["B04"], mask=PixelMask()) as reader:
        assert reader.grid("B04").epsg == 32633
        assert reader.observe(GRID) is not None


@pytest.mark.parametrize("kind", ["GeometryCollection", "with heights", "none but a bbox", "broken but a bbox"])
def test_outlines_in_other_forms(kind: str, tmp_path: Path) -> None:
    path = write_scene(tmp_path, "d05", "2018-06-05T10:00:00Z", Form())
    item = json.loads(path.read_text(encoding="utf-8"))
    outline, bbox = item["geometry"], list(GRID.footprint().bounds)
    raised = [[[x, y, 100.0] for x, y in ring] for ring in outline["coordinates"]]
    item |= {
        "GeometryCollection": {"geometry": {"type": "GeometryCollection", "geometries": [outline]}},
        "with heights": {"geometry": outline | {"coordinates": raised}},
        "none but a bbox": {"geometry": None, "bbox": bbox},
        "broken but a bbox": {"geometry": {"type": "Polygon", "coordinates": [[1, 2]]}, "bbox": bbox},
    }[kind]
    path.write_text(json.dumps(item), encoding="utf-8")
    archive = open_archive("static", str(path), sensor="sentinel-2-l2a")
    assert [scene.id for scene in archive.search(CELL.footprint, Period.year(2018))] == ["d05"]
    assert len(archive.problems) == (kind == "broken but a bbox")
