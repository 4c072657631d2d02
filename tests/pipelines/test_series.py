"""Acquired series and label rasters: what is published equals what archive and parcels hold, however it is built."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
import shapely.affinity
import yaml

from landloom.corpus.audit.check import audit, digest
from landloom.corpus.finished import Existing
from landloom.engine.executors import processes
from landloom.errors import BuildError, InvalidInputError
from landloom.formats.geotiff import decode_geotiff
from landloom.formats.zarr.cubes import CubeReader
from landloom.labels.layers import rasterise_parcels
from landloom.model.grid import Grid
from landloom.model.scene import Scene
from landloom.model.time import Period, parse_instant
from landloom.pipelines.build import build
from landloom.products.series.task import acquisitions
from landloom.publication.layouts import export
from landloom.publication.sample_files import INDEX, Purity, export_samples
from landloom.simulate.spec import world_spec
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.model.sample import Sample

RECIPE = """
name: series
version: "1.0"
region: {file: region.geojson}
period: {start: 2018-06-01, end: 2018-08-01}
samples: {draw: windows, size: 24}
archive: {kind: static, href: ARCHIVE/catalog.json}
products:
  s2_native: {kind: series, terms: {licence: CC0-1.0, attribution: nobody}}
parcels:
  file: parcels.gpkg
  columns: {ground_truth: crop}
  invalid: repair
  terms: {licence: CC0-1.0, attribution: nobody}
layouts: [chips, cubes]
publication: {title: t, description: d}
"""
EAST = world_spec("tiny").place("east")


def write(folder: Path, archive: Path, **changes: Any) -> Path:
    """A recipe for the eastern place, which two granules of two zones show."""
    document = yaml.safe_load(RECIPE.replace("ARCHIVE", str(archive)))
    for key, value in changes.items():
        document[key] = document[key] | value if isinstance(value, dict) else value
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document))
    west, south, east, north = EAST.bounds
    box = shapely.box(west + 60, south + 60, east - 60, north - 60)
    geopandas.GeoDataFrame(geometry=[box], crs=EAST.epsg).to_crs(4326).to_file(folder / "region.geojson")
    parcels().to_file(folder / "parcels.gpkg")
    return folder


def parcels() -> geopandas.GeoDataFrame:
    """Turned rectangles that overlap here and there and reach beyond the region, in another CRS, ids over 2^24."""
    rng = np.random.default_rng(8)
    west, south, east, north = EAST.bounds
    shapes = []
    for x, y, length, width, turn in rng.uniform(
        (west, south, 60, 30, 0), (east, north, 300, 150, 180), (40, 5)
    ).tolist():
        shapes.append(shapely.affinity.rotate(shapely.box(x, y, x + length, y + width), turn))
    crops = np.array(["maize", "meadow", "wheat"])[rng.integers(0, 3, 40)]
    frame = geopandas.GeoDataFrame({"id": np.arange(40) + 2**24 + 1, "crop": crops}, geometry=shapes, crs=EAST.epsg)
    return frame.to_crs(3035)


@pytest.fixture(scope="module")
def recipe(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("series"), tiny / "archive")


@pytest.fixture(scope="module")
def corpus(recipe: Path) -> Path:
    build(recipe)
    return recipe / "corpus"


def cubes(there: Existing, sample: Sample, key: str) -> CubeReader:
    folder = there.info.layout.cube(sample.id, there.info.product(key).product)
    return CubeReader(there.store.get, there.store.get_range, f"{folder}/")


def load(path: Path) -> Any:
    return pickle.loads(path.read_bytes())


def test_it_validates_in_both_layouts(corpus: Path, shared_schemas: Path) -> None:
    assert audit(open_store(str(corpus)), schemas=shared_schemas, digests=True).problems == ()


def test_chips_are_the_archive_pixel_by_pixel(corpus: Path, tiny: Path) -> None:
    """Where one granule in the samples' CRS shows all of a window, its chip is that window of the file."""
    there = Existing.open(str(corpus))
    compared = 0
    for tile, samples in there.tiles.items():
        for key in ("s2_10m", "s2_20m", "s2_60m"):
            item = there.info.product(key)
            lineage = json.loads(there.store.get(f"lineage/{tile.replace('_', '/')}/S2-10M.json"))
            scenes = {step["timestep"]: step["scenes"] for step in lineage["timesteps"]}
            for place, sample in enumerate(samples[::5]):
                row = there.exists()[tile][key][5 * place]
                for step in [s for s, ok in zip(item.timesteps, row, strict=True) if ok]:
                    first, *others = scenes[step.name]
                    if others or first["granule"] != "33UUR":
                        continue
                    chip = decode_geotiff(there.store.get(there.info.layout.chip(sample.id, item.product, step.name)))
                    grid = sample.grid(float(item.product.resolution or 0))
                    assert chip[1] == grid
                    for band, got in zip(item.product.bands, chip[0], strict=True):
                        want = _window(tiny / "archive" / "sentinel-2-l2a" / first["id"] / f"{band.name}.tif", grid)
                        offset = first["offset"]
                        want = np.where(want == 0, 0, np.maximum(want + offset, 1)) if offset else want
                        np.testing.assert_array_equal(got, want)
                        compared += 1
    assert compared > 100


def _window(path: Path, grid: Grid) -> Any:
    with rasterio.open(path) as file:
        whole, a = np.pad(file.read(1).astype(np.int64), 60), file.transform
    row, column = round((a.f - grid.north) / -a.e) + 60, round((grid.west - a.c) / a.a) + 60
    return whole[row : row + grid.height, column : column + grid.width]


def test_cubes_hold_the_chips_and_say_which_there_are(corpus: Path) -> None:
    there = Existing.open(str(corpus))
    for tile, samples in there.tiles.items():
        exists = there.exists()[tile]
        for key in ("s2_10m", "s2_60m", "s2_valid"):
            item = there.info.product(key)
            reader = cubes(there, samples[0], key)
            assert reader.spec.observed is not None
            observed = dict(zip(reader.spec.timesteps, np.array(reader.spec.observed).T, strict=True))
            for place, step in enumerate(item.timesteps):
                np.testing.assert_array_equal(exists[key][:, place], observed[step.name])
            cube = reader.read(3)
            for place in np.flatnonzero(exists[key][3]).tolist():
                name = item.timesteps[place].name
                chip = decode_geotiff(there.store.get(there.info.layout.chip(samples[3].id, item.product, name)))[0]
                np.testing.assert_array_equal(cube[reader.spec.timesteps.index(name)], chip)


def test_the_page_shows_parcels_and_a_series(corpus: Path) -> None:
    page = (corpus / "report.html").read_text()
    for heading in ("<h2>Parcels</h2>", "<h2>One series</h2>", "<h2>Rejected parcels</h2>"):
        assert heading in page
    there = Existing.open(str(corpus))
    item, maize = (
        there.info.product("classes"),
        next(row["code"] for row in there.info.class_mappings["classes"] if row["value"] == "maize"),
    )
    pixels = sum(
        int((decode_geotiff(there.store.get(there.info.layout.raster_label(one.id, "classes", "1")))[0] == maize).sum())
        for part in there.tiles.values()
        for one in part
    )
    assert item.product.dtype == "uint8"
    assert f'<td>maize</td><td class="n">{pixels:,}</td>' in page
    assert "outside the grid" in page


def test_partial_swaths_leave_dates_out_where_they_show_nothing(corpus: Path) -> None:
    there = Existing.open(str(corpus))
    exists = next(iter(there.exists().values()))["s2_10m"]
    assert exists.any(axis=0).all()
    assert not exists.all()


def test_labels_are_those_of_the_whole_region(corpus: Path, recipe: Path) -> None:
    there = Existing.open(str(corpus))
    samples = [sample for part in there.tiles.values() for sample in part]
    wests, souths, easts, norths = zip(*(sample.bounds for sample in samples), strict=True)
    grid = Grid.of_bounds(EAST.epsg, (min(wests), min(souths), max(easts), max(norths)), 10)
    frame = geopandas.read_file(recipe / "parcels.gpkg")
    mapping = {row["value"]: int(row["code"]) for row in there.info.class_mappings["classes"] if row["value"]}
    whole, _ = rasterise_parcels(frame, grid, columns={"ground_truth": "crop"}, classes=mapping, invalid="repair")
    for sample in samples:
        row, column = sample.grid(10).offset_in(grid)
        for name in ("classes", "ids", "masks", "ratios", "distances"):
            key = there.info.layout.raster_label(sample.id, name, "1")
            got = decode_geotiff(there.store.get(key))[0][0]
            np.testing.assert_array_equal(got, getattr(whole, name)[row : row + 24, column : column + 24])


@pytest.mark.slow
def test_workers_and_layout_exports_change_no_byte(recipe: Path, corpus: Path, tmp_path: Path) -> None:
    build(recipe, out=tmp_path / "two", factory=processes(2))
    assert digest(open_store(str(tmp_path / "two"))) == digest(open_store(str(corpus)))
    export(str(corpus), tmp_path / "chips", ["chips"])
    chips = {
        path.relative_to(tmp_path / "chips"): path.read_bytes() for path in (tmp_path / "chips").rglob("S2-*/*.tif")
    }
    assert chips == {path.relative_to(corpus): path.read_bytes() for path in corpus.rglob("S2-*/*.tif")}
    tables = sorted(path.relative_to(corpus) for path in corpus.glob("resources/*.csv"))
    assert {path.name for path in tables} >= {"series_classes.csv", "series_rejected_parcels.csv"}
    assert all((tmp_path / "chips" / path).read_bytes() == (corpus / path).read_bytes() for path in tables)
    assert audit(open_store(str(tmp_path / "chips")), digests=True).problems == ()


def test_pickles_are_as_published(corpus: Path, tmp_path: Path) -> None:
    report = export_samples(str(corpus), tmp_path / "pickles")
    there = Existing.open(str(corpus))
    samples = [sample for part in there.tiles.values() for sample in part]
    assert report.files == len(samples)
    west, _, _, north = samples[0].bounds
    loaded = load(tmp_path / "pickles" / f"{north:.0f}_{west:.0f}_2018.pickle")
    count = len(loaded["doy"])
    assert loaded["B02"].shape == (count, 24, 24)
    assert loaded["B11"].shape == (count, 12, 12)
    assert loaded["B09"].shape == (count, 4, 4)
    assert {array.shape for array in (loaded[key] for key in ("labels", "ids", "masks", "ratios", "distances"))} == {
        (24, 24)
    }
    assert loaded["year"] == 2018
    assert (np.diff(loaded["doy"]) > 0).all()
    assert not np.isnan(loaded["distances"]).any()
    stamps = [parse_instant(text) for text in loaded["datetime"].tolist()]
    assert [stamp.timetuple().tm_yday for stamp in stamps] == loaded["doy"].tolist()
    assert all(name.startswith("S2") for name in loaded["product_ids"].tolist())
    assert (tmp_path / "pickles" / INDEX).read_text().count(",ok,") == len(samples)
    one = np.load(next(iter(_npz(corpus, tmp_path))), allow_pickle=False)
    assert len(one["doy"]) == 1


def _npz(corpus: Path, folder: Path) -> list[Path]:
    export_samples(str(corpus), folder / "npz", "npz", single_image="least-cloudy")
    return sorted((folder / "npz").glob("*.npz"))


def test_one_label_a_window_is_its_commonest_class(corpus: Path, tmp_path: Path) -> None:
    export_samples(str(corpus), tmp_path / "rasters")
    report = export_samples(str(corpus), tmp_path / "global", one_label=Purity(least=0.3))
    kept = 0
    for path in sorted((tmp_path / "rasters").glob("*.pickle")):
        codes, counts = np.unique(load(path)["labels"], return_counts=True)
        shares = {code: n / 576 for code, n in zip(codes.tolist(), counts.tolist(), strict=True) if code != 0}
        best = max(shares.values(), default=0.0)
        own = tmp_path / "global" / path.name
        assert own.exists() == (best >= 0.3)
        if own.exists():
            kept += 1
            label = load(own)
            assert shares[label["label"]] == pytest.approx(best) == pytest.approx(label["purity"])
            assert "labels" not in label
    assert 0 < kept == report.files


@pytest.mark.parametrize("size", [48, 64])
def test_other_sizes_nest_or_cover(tiny: Path, tmp_path: Path, size: int) -> None:
    folder = write(tmp_path, tiny / "archive", samples={"size": size}, layouts=["cubes"])
    build(folder)
    assert audit(open_store(str(folder / "corpus"))).problems == ()
    there = Existing.open(str(folder / "corpus"))
    sample = next(iter(there.tiles.values()))[0]
    coarse, fine = sample.grid(60), sample.grid(10)
    assert fine.shape == (size, size)
    assert (coarse.west % 60, coarse.north % 60) == (0, 0)
    assert coarse.west <= fine.west
    assert coarse.east >= fine.east
    assert coarse.south <= fine.south
    reader = cubes(there, sample, "s2_60m")
    assert reader.grid(0) == coarse


def test_unlabelled_windows_cover_the_region(tiny: Path, tmp_path: Path) -> None:
    document = yaml.safe_load(RECIPE.replace("ARCHIVE", str(tiny / "archive")))
    del document["parcels"]
    folder = write(tmp_path, tiny / "archive")
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document | {"layouts": ["cubes"]}))
    built = build(folder)
    assert built.samples == 20
    assert {item.key for item in Existing.open(str(folder / "corpus")).info.products} == {
        "s2_10m", "s2_20m", "s2_60m", "s2_valid",
    }  # fmt: skip


def test_two_acquisitions_on_a_day_are_two_and_one_overpass_is_one() -> None:
    def scene(name: str, at: str, granule: str) -> Scene:
        return Scene(
            id=name, time=parse_instant(at), granule=granule, epsg=32633, footprint=shapely.box(0, 0, 1, 1), assets={},
            platform="sentinel-2a", orbit=22,
        )  # fmt: skip

    scenes = [
        scene("b", "2015-12-08T10:11:25", "33TVM"), scene("a", "2015-12-08T10:04:09", "33TVM"),
        scene("c", "2015-12-08T10:04:21", "33TWM"), scene("d", "2016-01-02T10:04:09", "33TVM"),
    ]  # fmt: skip
    dates = acquisitions(scenes, 32633)
    assert [date.step.name for date in dates] == ["2015-12-08T100409", "2015-12-08T101125", "2016-01-02T100409"]
    assert [[one.id for one in date.scenes] for date in dates] == [["a", "c"], ["b"], ["d"]]
    assert dates[0].step.period == Period.parse("2015-12-08T10:04:09", "2015-12-08T10:04:10")


def test_missing_parcels_and_empty_periods_end_clearly(tiny: Path, tmp_path: Path) -> None:
    lost = write(tmp_path / "a", tiny / "archive", parcels={"file": "nowhere.gpkg"})
    with pytest.raises(InvalidInputError, match=r"nowhere\.gpkg"):
        build(lost)
    wrong = write(tmp_path / "b", tiny / "archive", parcels={"columns": {"ground_truth": "krop"}})
    with pytest.raises(BuildError, match="krop"):
        build(wrong)
    undated = write(tmp_path / "c", tiny / "archive", parcels={"year": 2018})
    with pytest.raises(BuildError, match="no column of one"):
        build(undated)
    early = write(tmp_path / "d", tiny / "archive", period={"start": "2010-01-01", "end": "2010-02-01"})
    with pytest.raises(InvalidInputError, match="no scene"):
        build(early)
