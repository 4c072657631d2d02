"""Acquired series: what is published equals what the archive holds, however it is built, in bounded memory."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
import shapely
import yaml
from benchmarks.memory import peak_gib
from tests.killing import build_killed
from tests.projects import SERIES, digest_of, write_series

from landloom.corpus.audit.validate import audit
from landloom.corpus.finished import FinishedCorpus
from landloom.engine.executors import processes
from landloom.errors import BuildError, InvalidInputError
from landloom.formats.geotiff import decode_geotiff
from landloom.formats.zarr.cubes import CubeReader
from landloom.model.grid import Grid
from landloom.model.scene import Scene
from landloom.model.time import Period, parse_instant
from landloom.pipelines.build import build
from landloom.products.series.task import acquisitions
from landloom.publication.layouts import export
from landloom.simulate.safe.images import encode_jp2
from landloom.store.open import open_store

if TYPE_CHECKING:
    from landloom.model.sample import Sample

SIDE = 600
"""Pixels of the scenes whose memory is measured."""


@pytest.fixture
def corpus(series: Path) -> Path:
    return series / "corpus"


def cubes(there: FinishedCorpus, sample: Sample, key: str) -> CubeReader:
    folder = there.info.layout.cube(sample.id, there.info.product(key).product)
    return CubeReader(there.store.get, there.store.get_range, f"{folder}/")


def test_it_validates_in_both_layouts(corpus: Path, shared_schemas: Path) -> None:
    assert audit(open_store(str(corpus)), schemas=shared_schemas, digests=True).problems == ()


def test_chips_are_the_archive_pixel_by_pixel(corpus: Path, tiny_archive: Path) -> None:
    """Where one granule in the samples' CRS shows all of a window, its chip is that window of the file."""
    there = FinishedCorpus.open(str(corpus))
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
                        want = _window(tiny_archive / "sentinel-2-l2a" / first["id"] / f"{band.name}.tif", grid)
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
    there = FinishedCorpus.open(str(corpus))
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


def test_partial_swaths_leave_dates_out_where_they_show_nothing(corpus: Path) -> None:
    there = FinishedCorpus.open(str(corpus))
    exists = next(iter(there.exists().values()))["s2_10m"]
    assert exists.any(axis=0).all()
    assert not exists.all()


@pytest.mark.slow
def test_workers_and_layout_exports_change_no_byte(series: Path, corpus: Path, tmp_path: Path) -> None:
    build(series, out=tmp_path / "two", factory=processes(2))
    assert digest_of(tmp_path / "two") == digest_of(corpus)
    export(str(corpus), tmp_path / "chips", ["chips"])
    chips = {
        path.relative_to(tmp_path / "chips"): path.read_bytes() for path in (tmp_path / "chips").rglob("S2-*/*.tif")
    }
    assert chips == {path.relative_to(corpus): path.read_bytes() for path in corpus.rglob("S2-*/*.tif")}
    tables = sorted(path.relative_to(corpus) for path in corpus.glob("resources/*.csv"))
    assert {path.name for path in tables} >= {"series_classes.csv", "series_rejected_parcels.csv"}
    assert all((tmp_path / "chips" / path).read_bytes() == (corpus / path).read_bytes() for path in tables)
    assert audit(open_store(str(tmp_path / "chips")), digests=True).problems == ()


@pytest.mark.parametrize("size", [48, 64])
def test_other_sizes_nest_or_cover(tiny_archive: Path, tmp_path: Path, size: int) -> None:
    folder = write_series(tmp_path, tiny_archive, samples={"size": size}, layouts=["cubes"])
    build(folder)
    assert audit(open_store(str(folder / "corpus"))).problems == ()
    there = FinishedCorpus.open(str(folder / "corpus"))
    sample = next(iter(there.tiles.values()))[0]
    coarse, fine = sample.grid(60), sample.grid(10)
    assert fine.shape == (size, size)
    assert (coarse.west % 60, coarse.north % 60) == (0, 0)
    assert coarse.west <= fine.west
    assert coarse.east >= fine.east
    assert coarse.south <= fine.south
    reader = cubes(there, sample, "s2_60m")
    assert reader.grid(0) == coarse


def test_unlabelled_windows_cover_the_region(tiny_archive: Path, tmp_path: Path) -> None:
    document = yaml.safe_load(SERIES.replace("ARCHIVE", str(tiny_archive)))
    del document["parcels"]
    folder = write_series(tmp_path, tiny_archive)
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document | {"layouts": ["cubes"]}))
    built = build(folder)
    assert built.samples == 20
    assert {item.key for item in FinishedCorpus.open(str(folder / "corpus")).info.products} == {
        "s2_10m",
        "s2_20m",
        "s2_60m",
        "s2_valid",
    }


@pytest.mark.parametrize("least", [{"least_data": 1.0}, {"least_valid": 0.5}])
def test_dates_with_too_little_are_left_out_of_a_sample(
    corpus: Path, tiny_archive: Path, tmp_path: Path, least: dict[str, float]
) -> None:
    """Those that the whole series has, as its own chips and masks say."""
    section = {"s2_native": {"kind": "series", "terms": {"licence": "CC0-1.0", "attribution": "nobody"}, **least}}
    folder = write_series(tmp_path, tiny_archive, products=section, layouts=["cubes"], allow_blank=True)
    build(folder)
    whole, part = FinishedCorpus.open(str(corpus)), FinishedCorpus.open(str(folder / "corpus"))
    names = [step.name for step in part.info.product("s2_10m").timesteps]
    dropped = 0
    for tile, samples in whole.tiles.items():
        first, mask = cubes(whole, samples[0], "s2_10m"), cubes(whole, samples[0], "s2_valid")
        there = whole.exists()[tile]["s2_10m"]
        for row, sample in enumerate(samples):
            data, valid = first.read(str(sample.id)), mask.read(str(sample.id))
            steps = first.spec.timesteps
            for column, step in enumerate(whole.info.product("s2_10m").timesteps):
                share = {
                    "least_data": (data[steps.index(step.name)].max(axis=0) > 0).mean(),
                    "least_valid": valid[steps.index(step.name)].mean(),
                }
                ((key, limit),) = least.items()
                wanted = bool(there[row, column]) and share[key] >= limit
                kept = step.name in names and bool(part.exists()[tile]["s2_10m"][row, names.index(step.name)])
                assert kept == wanted
                dropped += there[row, column] and not wanted
    assert dropped > 0


def test_two_acquisitions_on_a_day_are_two_and_one_overpass_is_one() -> None:
    def scene(name: str, at: str, granule: str) -> Scene:
        return Scene(
            id=name,
            time=parse_instant(at),
            granule=granule,
            epsg=32633,
            footprint=shapely.box(0, 0, 1, 1),
            bands={},
            platform="sentinel-2a",
            orbit=22,
        )

    scenes = [
        scene("b", "2015-12-08T10:11:25", "33TVM"),
        scene("a", "2015-12-08T10:04:09", "33TVM"),
        scene("c", "2015-12-08T10:04:21", "33TWM"),
        scene("d", "2016-01-02T10:04:09", "33TVM"),
    ]
    dates = acquisitions(scenes, 32633)
    assert [date.step.name for date in dates] == ["2015-12-08T100409", "2015-12-08T101125", "2016-01-02T100409"]
    assert [[one.id for one in date.scenes] for date in dates] == [["a", "c"], ["b"], ["d"]]
    assert dates[0].step.period == Period.parse("2015-12-08T10:04:09", "2015-12-08T10:04:10")


def test_missing_parcels_and_empty_periods_end_clearly(tiny_archive: Path, tmp_path: Path) -> None:
    lost = write_series(tmp_path / "a", tiny_archive, parcels={"file": "nowhere.gpkg"})
    with pytest.raises(InvalidInputError, match=r"nowhere\.gpkg"):
        build(lost)
    wrong = write_series(tmp_path / "b", tiny_archive, parcels={"columns": {"ground_truth": "krop"}})
    with pytest.raises(BuildError, match="krop"):
        build(wrong)
    undated = write_series(tmp_path / "c", tiny_archive, parcels={"year": 2018})
    with pytest.raises(BuildError, match="no column of one"):
        build(undated)
    early = write_series(tmp_path / "d", tiny_archive, period={"start": "2010-01-01", "end": "2010-02-01"})
    with pytest.raises(InvalidInputError, match="no scene"):
        build(early)


# Kills and memory -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_killed_builds_of_series_end_in_the_same_bytes(tiny_archive: Path, tmp_path: Path) -> None:
    """SIGKILL at random moments, two workers: still the bytes of one quiet build."""
    folder = write_series(tmp_path / "recipe", tiny_archive, samples={"labelled": 0.01})
    build(folder, out=tmp_path / "quiet")
    rng = random.Random(8)  # noqa: S311 - moments, not secrets
    build_killed(folder, tmp_path / "killed", rng, times=2)
    assert digest_of(tmp_path / "killed") == digest_of(tmp_path / "quiet")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read as Linux reports it")
def test_memory_does_not_grow_with_the_period(tmp_path: Path) -> None:
    """Four times the dates: the same peak but for the tile's cubes, which are bounded too."""
    rng = np.random.default_rng(1)
    for band in ("B02", "B11"):
        metres = 20 if band == "B11" else 10
        grid = _grid(metres)
        numbers = rng.integers(500, 600, grid.shape).astype(np.uint16)
        (tmp_path / f"{band}.jp2").write_bytes(encode_jp2(numbers, grid))
    peaks = {}
    root = Path(__file__).parents[3]
    for dates in (10, 40):
        code = f"from tests.products.series import test_task as t; t.worker({str(tmp_path)!r}, {dates})"
        command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r}); {code}"]
        shown = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks[dates] = float(shown.stdout)
    cubes = 30 * (SIDE // 24) ** 2 * (24 * 24 + 12 * 12 + 24 * 24 / 2) * 2 / 2**30
    assert peaks[40] < 1.0, peaks
    assert peaks[40] - peaks[10] < cubes + 0.1, peaks


def _grid(metres: float) -> Grid:
    bounds = (300_000.0, 5_000_040.0 - SIDE * 10, 300_000.0 + SIDE * 10, 5_000_040.0)
    return Grid.of_bounds(32633, bounds, metres)


def worker(folder: str, dates: int) -> None:
    """Cut a scene into windows again and again, and print this process's peak memory in GiB."""
    from tests.products.series.test_kind import request

    from landloom.corpus.layout import Layout
    from landloom.engine.pixels.masks import PixelMask
    from landloom.model.scene import SceneFile
    from landloom.products.series.kind import products
    from landloom.products.series.task import SeriesTask

    start = datetime(2018, 1, 1, tzinfo=UTC)
    bands = {band: SceneFile(href=f"{folder}/{band}.jp2") for band in ("B02", "B11")}
    scenes = [
        Scene(
            id=f"s{number:03d}",
            time=start + timedelta(days=number),
            granule=None,
            epsg=32633,
            footprint=shapely.box(0, 0, 1, 1),
            bands=bands,
        )
        for number in range(dates)
    ]
    *made, mask = products(request(Path(folder), bands=["B02", "B11"]))
    task = SeriesTask(
        store=f"{folder}/out-{dates}",
        layout=Layout(name="m", version="1.0", scheme="window"),
        layouts=("cubes",),
        products=tuple(made),
        valid_product=mask,
        bands=("B02", "B11"),
        mask=PixelMask(dilate=0),
        least_data=0.0,
        least_valid=0.0,
        samples=_windows(),
        dates=acquisitions(scenes, 32633),
    )
    outcome = task.run()
    assert outcome.lineage is not None
    assert len(outcome.lineage.timesteps) == dates
    sys.stdout.write(f"{peak_gib()}\n")


def _windows() -> tuple[Sample, ...]:
    from landloom.model.ids import WindowId
    from landloom.model.sample import Sample

    grid, side, samples = _grid(10), 240.0, []
    for row in range(SIDE // 24):
        for column in range(SIDE // 24):
            west, north = grid.west + column * side, grid.north - row * side
            identity = WindowId("33N-300000E-5000040N", row + 1, column + 1)
            samples.append(Sample(id=identity, epsg=32633, bounds=(west, north - side, west + side, north)))
    return tuple(samples)
