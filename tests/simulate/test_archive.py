from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import orjson
import pystac
import pytest
import rasterio
import shapely
from pystac.validation.local_validator import get_local_schema_cache
from rasterio.errors import RasterioIOError
from referencing import Registry, Resource

from landloom.errors import InvalidInputError
from landloom.formats.stac.items import parse_scene
from landloom.formats.stac.profiles import EARTH_SEARCH
from landloom.model.grid import Grid
from landloom.model.ids import GranuleId
from landloom.model.sensor import SENTINEL2, Scl
from landloom.model.shapes import reproject
from landloom.simulate.archive import simulate_archive, spec_of
from landloom.simulate.schedule import GRANULE_SIZE
from landloom.simulate.spec import BANDS, world_spec
from landloom.simulate.stac_items import ASSET_KEYS

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Written


@pytest.mark.slow
def test_same_spec_same_bytes_whatever_the_workers(tmp_path: Path) -> None:
    tiny = world_spec("tiny")
    spec = replace(tiny, views=tuple(replace(view, last=163) for view in tiny.views[:3:2]))
    told: list[tuple[int, int]] = []
    first = simulate_archive(spec, tmp_path / "1", progress=lambda done, total: told.append((done, total)))
    again = simulate_archive(spec, tmp_path / "2", pool=lambda: ThreadPoolExecutor(2))
    assert first == again
    assert told == [(k, first.scenes) for k in range(1, first.scenes + 1)]
    files = [path.relative_to(tmp_path / "1") for path in (tmp_path / "1").rglob("*") if path.is_file()]
    assert len(files) == first.files + 1
    for path in files:
        assert (tmp_path / "1" / path).read_bytes() == (tmp_path / "2" / path).read_bytes(), path


def test_an_archive_is_written_once_and_another_world_is_refused(tiny: Written) -> None:
    before = {path: path.stat().st_mtime_ns for path in tiny.folder.rglob("*")}
    assert simulate_archive("tiny", tiny.folder) == tiny.report
    assert {path: path.stat().st_mtime_ns for path in tiny.folder.rglob("*")} == before
    with pytest.raises(InvalidInputError, match="another world"):
        simulate_archive(replace(world_spec("tiny"), seed=6), tiny.folder)


def test_the_truth_recomputes_everything(tiny: Written) -> None:
    assert spec_of(tiny.folder) == tiny.world.spec
    for place in tiny.world.spec.places:
        with rasterio.open(tiny.folder / "truth" / f"landcover_{place.name}.tif") as source:
            stored, bounds = source.read(1), tuple(source.bounds)
        assert bounds == place.bounds
        assert np.array_equal(stored, tiny.world.land_cover(Grid.of_bounds(place.epsg, place.bounds, 10)))


def test_files_are_cogs_on_their_granules_grid(tiny: Written) -> None:
    truncated = tiny.file(tiny.flagged("truncated"), "B11")
    corners = {view.granule: view.corner for view in tiny.world.spec.views}
    for name, scene in tiny.scenes.items():
        layers = tiny.world.render(scene)
        for band in (*BANDS, "SCL"):
            path = tiny.file(name, band)
            if path == truncated:
                continue
            resolution = 20 if band == "SCL" else int(SENTINEL2[band].resolution)
            with rasterio.open(path) as source:
                assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
                assert source.crs.to_epsg() == GranuleId.parse(scene.granule).zone.epsg
                assert source.nodata == 0
                assert source.dtypes == (("uint8",) if band == "SCL" else ("uint16",))
                assert source.transform.a == resolution == -source.transform.e
                west, north = corners[scene.granule]
                assert (source.transform.c - west) % 60 == 0 == (north - source.transform.f) % 60
                assert source.bounds.left >= west
                assert source.bounds.bottom >= north - GRANULE_SIZE
                item = tiny.items[name]["assets"][ASSET_KEYS[band]]
                assert item["proj:shape"] == list(source.shape)
                assert item["proj:transform"] == list(source.transform)[:6]
                assert np.array_equal(source.read(1), layers[band])


def test_sizes_and_checksums_are_those_of_whole_files(tiny: Written) -> None:
    cut = []
    for name, item in tiny.items.items():
        for band, key in ASSET_KEYS.items():
            data, asset = tiny.file(name, band).read_bytes(), item["assets"][key]
            if (len(data), f"1220{sha256(data).hexdigest()}") != (asset["file:size"], asset["file:checksum"]):
                cut.append((name, band))
                assert len(data) < asset["file:size"]
    assert cut == [(tiny.flagged("truncated"), "B11")]
    with pytest.raises(RasterioIOError), rasterio.open(tiny.file(*cut[0])) as source:
        source.read()


def test_the_special_scenes_are_there(tiny: Written) -> None:
    items = tiny.items
    overcast = items[tiny.flagged("overcast")]
    assert overcast["properties"]["eo:cloud_cover"] == 100
    without = [name for name, item in items.items() if "eo:cloud_cover" not in item["properties"]]
    assert without == [tiny.flagged("no-cloud-cover")]
    old, new = items[tiny.flagged("superseded")], items[tiny.flagged("reprocessed")]
    assert old["properties"]["datetime"] == new["properties"]["datetime"]
    assert old["properties"]["grid:code"] == new["properties"]["grid:code"]
    assert old["properties"]["s2:processing_baseline"] < new["properties"]["s2:processing_baseline"]
    assert old["properties"]["created"] < new["properties"]["created"]
    first, second = (items[name] for name in tiny.report.special["same-day"])
    assert first["properties"]["datetime"][:10] == second["properties"]["datetime"][:10]
    assert first["properties"]["datetime"] != second["properties"]["datetime"]
    seen = [rasterio.open(tiny.file(item["id"], "SCL")).read(1) != 0 for item in (first, second)]
    assert (seen[0] | seen[1]).all()
    assert not seen[0].all()
    assert not seen[1].all()
    shapes = {(scene.granule, scene.grid.epsg) for scene in tiny.scenes.values()}
    assert shapes == {("32UPA", 32632), ("32UQA", 32632), ("33UUR", 32633)}


def test_partial_swaths_have_footprints_of_their_valid_data(tiny: Written) -> None:
    partial = [scene for scene in tiny.scenes.values() if scene.swath is not None]
    assert len(partial) >= 4
    for scene in partial:
        item = tiny.items[scene.id]
        with rasterio.open(tiny.file(scene.id, "B02")) as source:
            pixels = source.read(1)
        share = float((pixels > 0).mean())
        outline = reproject(shapely.geometry.shape(item["geometry"]), 4326, scene.grid.epsg)
        window = (scene.grid.east - scene.grid.west) * (scene.grid.north - scene.grid.south)
        assert outline.area / window == pytest.approx(share, abs=0.01)
        assert item["properties"]["s2:nodata_pixel_percentage"] == pytest.approx(100 * (1 - share), abs=1.5)


def test_offsets_are_declared_as_earth_search_does_and_read_back_right(tiny: Written) -> None:
    kinds = set()
    for name, scene in tiny.scenes.items():
        item = tiny.items[name]
        declared = item["assets"]["red"]["raster:bands"][0]["offset"]
        applied = item["properties"]["earthsearch:boa_offset_applied"]
        kinds.add((scene.baseline, scene.offset, applied, declared))
        href = str(tiny.folder / "sentinel-2-l2a" / name / f"{name}.json")
        parsed = parse_scene(item, href, EARTH_SEARCH)
        assert parsed.bands["B04"].offset == -scene.offset
        assert parsed.granule == scene.granule
        assert parsed.bands["B11"].href == str(tiny.file(name, "B11"))
    assert kinds == {
        ("02.07", 0, False, 0),
        ("04.00", 1_000, False, -0.1),
        ("05.00", 1_000, False, -0.1),
        ("05.00", 0, True, -0.1),
    }


def test_cloud_cover_is_that_of_the_scl(tiny: Written) -> None:
    for name, item in tiny.items.items():
        with rasterio.open(tiny.file(name, "SCL")) as source:
            scl = source.read(1)
        cloud = np.isin(scl, [Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.CIRRUS]).sum() / max((scl > 0).sum(), 1)
        if "eo:cloud_cover" in item["properties"]:
            assert item["properties"]["eo:cloud_cover"] == pytest.approx(100 * cloud, abs=1e-4)


def test_the_catalogue_walks(tiny: Written) -> None:
    catalog = pystac.Catalog.from_file(tiny.folder / "catalog.json")
    found = sorted(item.id for item in catalog.get_items(recursive=True))
    assert found == sorted(tiny.scenes)


def test_documents_validate_against_the_core_that_pystac_bundles(tiny: Written) -> None:
    schemas = get_local_schema_cache()
    registry = Registry().with_resources([(uri, Resource.from_contents(schema)) for uri, schema in schemas.items()])
    core = {uri.rsplit("/", 1)[1].removesuffix(".json"): schema for uri, schema in schemas.items()}
    # The bundled schemas are those of STAC 1.1, to which pystac brings documents of 1.0 as it reads them.
    catalog = pystac.Catalog.from_file(tiny.folder / "catalog.json")
    documents = [("catalog", catalog.to_dict())]
    documents += [("collection", child.to_dict()) for child in catalog.get_children()]
    documents += [("item", item.to_dict()) for item in catalog.get_items(recursive=True)]
    assert len(documents) == 2 + len(tiny.scenes)
    for kind, document in documents:
        jsonschema.Draft7Validator(core[kind], registry=registry).validate(document)


def test_items_validate_with_extensions_offline(tiny: Written, shared_schemas: Path) -> None:
    def fetched(uri: str) -> Resource[Any]:
        for prefix, folder in _MIRRORS:
            if uri.startswith(prefix):
                path = shared_schemas / folder / uri.removeprefix(prefix)
                return Resource.from_contents(orjson.loads(path.read_bytes()))
        return Resource.from_contents(get_local_schema_cache()[uri])

    registry: Registry[Any] = Registry(retrieve=fetched)  # type: ignore[call-arg]
    checked = set()
    for item in tiny.items.values():
        core = "https://schemas.stacspec.org/v1.0.0/item-spec/json-schema/item.json"
        jsonschema.Draft7Validator({"$ref": core}, registry=registry).validate(item)
        for uri in item["stac_extensions"]:
            if "/view/" in uri:  # not mirrored beside the checkout
                continue
            jsonschema.Draft7Validator({"$ref": uri}, registry=registry).validate(item)
            checked.add(uri.split("/")[3])
    assert checked == {"eo", "file", "grid", "processing", "projection", "raster"}


_MIRRORS = (
    ("https://stac-extensions.github.io/", "stac-extensions"),
    ("https://schemas.stacspec.org/", "stac-spec"),
)
