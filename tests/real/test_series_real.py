"""A real dense series becomes one corpus: 68 acquisitions in three years, two of them on one day, each with its mask.

The archive holds NDVI and not the bands that it is made of: it stands in for B08, stored as 1 + 5,000 × (1 + NDVI).
Masks are Sen2Cor's classes where there are any, and s2cloudless's otherwise.
"""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
import yaml

from landloom.corpus.audit.validate import audit
from landloom.corpus.finished import FinishedCorpus
from landloom.formats.geotiff import decode_geotiff, encode_geotiff
from landloom.model.grid import Grid
from landloom.pipelines.build import build
from landloom.publication.sample_files import export_samples

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CLEAR = [4, 5, 6, 7, 11]
SEASONS = {
    2016: {"start": "2015-10-01", "end": "2016-10-01"},
    2017: {"start": "2016-10-01", "end": "2017-10-01"},
}


def pixels(path: Path) -> tuple[NDArray[Any], Grid]:
    with rasterio.open(path) as file:
        return file.read(1), Grid.of_transform(32633, file.transform, file.shape)


@pytest.fixture(scope="module")
def acquisitions(shared_data: Path) -> dict[str, tuple[NDArray[np.uint16], NDArray[np.uint8]]]:
    """Instant → stored numbers and classes."""
    folder = shared_data / "s2_eolearn_slovenia"
    found = {}
    with (folder / "timestamps.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            ndvi = pixels(folder / "ndvi" / f"NDVI_{row['stem']}.tif")[0].astype(np.float64)
            cloud = pixels(folder / "clm" / f"CLM_{row['stem']}.tif")[0]
            classes = np.where(cloud > 0, 9, 4).astype(np.uint8)
            if row["has_scl"] == "1":
                classes = pixels(folder / "scl" / f"SCL_{row['stem']}.tif")[0]
            found[row["datetime"]] = np.rint(5_000 * (1 + ndvi)).astype(np.uint16) + np.uint16(1), classes
    return found


@pytest.fixture(scope="module")
def grid(shared_data: Path) -> Grid:
    return pixels(shared_data / "s2_eolearn_slovenia" / "lulc" / "LULC.tif")[1]


@pytest.fixture(scope="module")
def archive(
    acquisitions: dict[str, tuple[NDArray[np.uint16], NDArray[np.uint8]]],
    grid: Grid,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A static catalogue of them."""
    folder = tmp_path_factory.mktemp("slovenia")
    outline = grid.footprint()
    links = []
    for number, (instant, (numbers, classes)) in enumerate(acquisitions.items()):
        name = f"scene-{number:02d}"
        assets: dict[str, NDArray[Any]] = {"nir": numbers, "scl": classes}
        for key, array in assets.items():
            (folder / f"{name}-{key}.tif").write_bytes(encode_geotiff(array[None], grid, nodata=0))
        item = {
            "type": "Feature",
            "stac_version": "1.0.0",
            "stac_extensions": [],
            "id": name,
            "links": [],
            "collection": "sentinel-2-l2a",
            "bbox": list(outline.bounds),
            "geometry": outline.__geo_interface__,
            "properties": {
                "datetime": instant,
                "grid:code": "MGRS-33TVM",
                "proj:epsg": 32633,
                "earthsearch:boa_offset_applied": True,
                "s2:processing_baseline": "02.07",
            },
            "assets": {key: {"href": f"{name}-{key}.tif"} for key in assets},
        }
        (folder / f"{name}.json").write_text(json.dumps(item))
        links.append({"rel": "item", "href": f"{name}.json"})
    catalog = {"type": "Catalog", "stac_version": "1.0.0", "id": "s", "description": "d", "links": links}
    (folder / "catalog.json").write_text(json.dumps(catalog))
    return folder


def recipe(folder: Path, archive: Path, grid: Grid, **samples: Any) -> Path:
    terms = {"licence": "proprietary", "attribution": "contains modified Copernicus Sentinel data 2015-2017"}
    west, south, east, north = grid.footprint().bounds
    document = {
        "name": "slovenia",
        "version": "1.0",
        "region": {"bounds": [west, south, east, north]},
        "period": {"start": "2015-07-01", "end": "2018-01-01"},
        "samples": {"draw": "windows", "size": 24} | samples,
        "archive": {"kind": "static", "href": str(archive / "catalog.json")},
        "products": {"s2_native": {"kind": "series", "bands": ["B08"], "clear": CLEAR, "terms": terms}},
        "publication": {"title": "t", "description": "d"},
    }
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document))
    return folder


def nearest(array: NDArray[Any], source: Grid, target: Grid) -> NDArray[Any]:
    """The pixel that each target pixel's centre lies in, 0 outside: worked out here anew."""
    rows = np.floor((source.north - (target.north - 10 * (np.arange(target.height) + 0.5))) / source.pixel_height)
    columns = np.floor((target.west + 10 * (np.arange(target.width) + 0.5) - source.west) / source.pixel_width)
    padded = np.pad(array, 1)
    rows, columns = (np.clip(x.astype(int), -1, n) + 1 for x, n in ((rows, source.height), (columns, source.width)))
    return padded[np.ix_(rows, columns)]


def test_68_dates_with_their_masks_become_one_corpus(
    archive: Path, grid: Grid, acquisitions: dict[str, tuple[NDArray[np.uint16], NDArray[np.uint8]]], tmp_path: Path
) -> None:
    folder = recipe(tmp_path, archive, grid)
    build(folder)
    there = FinishedCorpus.open(str(folder / "corpus"))
    assert audit(there.store, digests=True).problems == ()
    item = there.info.product("s2_10m")
    names = [step.name for step in item.timesteps]
    assert len(names) == 68
    assert [name for name in names if name.startswith("2015-12-08")] == ["2015-12-08T100409", "2015-12-08T101125"]
    compared = 0
    for samples in there.tiles.values():
        for sample in samples:
            own = sample.grid(10)
            for step, (numbers, classes) in zip(item.timesteps, acquisitions.values(), strict=True):
                key = there.info.layout.chip(sample.id, item.product, step.name)
                want = nearest(numbers, grid, own)
                np.testing.assert_array_equal(decode_geotiff(there.store.get(key))[0][0], want)
                mask = decode_geotiff(there.store.get(key.replace("S2-10M", "S2-VALID")))[0][0]
                clear = np.isin(nearest(classes, grid, own), CLEAR)
                np.testing.assert_array_equal(mask.astype(bool), clear & (want > 0))
                compared += int(clear.sum())
    assert compared > 100_000


def test_seasons_of_the_real_series_cross_new_year(archive: Path, grid: Grid, tmp_path: Path) -> None:
    folder = recipe(tmp_path, archive, grid, seasons=SEASONS)
    build(folder)
    report = export_samples(str(folder / "corpus"), tmp_path / "npz", "npz")
    assert report.files > 0
    counts = {}
    for path in sorted((tmp_path / "npz").glob("*.npz")):
        one = np.load(path, allow_pickle=False)
        season = SEASONS[int(one["year"])]
        dates = one["datetime"].tolist()
        assert dates == sorted(dates)
        assert all(season["start"] <= date < season["end"] for date in dates)
        assert {int(date[:4]) for date in dates} == {int(one["year"]) - 1, int(one["year"])}
        assert one["years"].tolist() == [int(date[:4]) for date in dates]
        counts[int(one["year"])] = len(dates)
    assert counts == {2016: 22, 2017: 30}
