"""The fused series of one 24 km tile over two years, of one sensor and of two, against reading and decoding its inputs.

356 samples into cubes; 146 overpasses of 4 bands and a classification, deflate COGs, a third of each cloud. Both sides
use the same number of threads (two, or what the machine has). A quarter of the tile is run by default. It decodes more
than a quarter of what the tile needs, which lowers the ratio: LANDLOOM_BENCH_FULL=1 runs the whole tile. Twelve
overpasses are written and named again for every twelfth date: their cost is that of others. The second sensor has 91
overpasses at 30 m.
"""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np
import rasterio
from benchmarks.memory import peak_gib
from benchmarks.timing import spent
from shapely import box

from landloom.corpus.layout import Layout
from landloom.engine.pixels.masks import PixelMask
from landloom.formats.geotiff import encode_cog
from landloom.model.ids import TileId
from landloom.model.product import PRODUCTS
from landloom.model.sample import Sample
from landloom.model.scene import Role, Scene, SceneFile
from landloom.model.sensor import HLS_L30
from landloom.model.time import Cadence, Period
from landloom.products.fused.sightings import Source
from landloom.products.fused.task import FusedTask

TILE = TileId.parse("33N_16E-243N")
BANDS = ("B02", "B03", "B04", "B08")
DATES, WRITTEN, SAMPLES = 146, 12, 356
COARSE, COARSE_DATES = ("B02", "B03", "B04", "B05"), 91
FULL = os.environ.get("LANDLOOM_BENCH_FULL") == "1"


def write_scenes(folder: Path) -> list[tuple[dict[str, SceneFile], SceneFile]]:
    """Bands and classification of overpasses that cover the tile: fields with a season, noise, clouds."""
    rng = np.random.default_rng(1)
    ten, twenty = TILE.grid(10), TILE.grid(20)
    rows, columns = np.mgrid[: ten.height, : ten.width]
    field = rng.integers(0, 9, (ten.height // 24 + 1, ten.width // 24 + 1))[rows // 24, columns // 24]
    found = []
    for number in range(WRITTEN):
        season = np.sin(2 * np.pi * number / WRITTEN + field / 3.0)
        files = {}
        for place, name in enumerate(BANDS):
            values = 600 + 250 * place + 40 * field + 150 * season * (1 if place < 3 else -4)
            array = np.clip(values + rng.normal(0, 40, values.shape), 1, 20_000).astype(np.uint16)
            files[name] = _written(folder / f"{number}_{name}.tif", encode_cog(array[None], ten, nodata=0))
        y, x = np.mgrid[: twenty.height, : twenty.width] * 20.0
        cloud = np.sin(y / 900 + number) + np.sin(x / 700 - number) > 0.7
        scl = np.where(cloud, 9, 4).astype(np.uint8)
        found.append((files, _written(folder / f"{number}_SCL.tif", encode_cog(scl[None], twenty, nodata=0))))
    return found


def write_coarse(folder: Path) -> list[tuple[dict[str, SceneFile], SceneFile]]:
    """The same of the second sensor, a tenth brighter."""
    rng, grid = np.random.default_rng(3), TILE.grid(30)
    rows, columns = np.mgrid[: grid.height, : grid.width]
    field = np.random.default_rng(1).integers(0, 9, (101, 101))[rows // 8, columns // 8]
    found = []
    for number in range(WRITTEN):
        season, files = np.sin(2 * np.pi * number / WRITTEN + field / 3.0), {}
        for place, name in enumerate(COARSE):
            values = 1.1 * (600 + 250 * place + 40 * field + 150 * season * (1 if place < 3 else -4))
            array = np.clip(values + rng.normal(0, 40, values.shape), 1, 20_000).astype(np.int16)
            files[name] = _written(folder / f"coarse_{number}_{name}.tif", encode_cog(array[None], grid, nodata=-9999))
        cloud = np.sin(rows / 30 + number) + np.sin(columns / 23 - number) > 0.7
        mask = np.where(cloud, 2, 0).astype(np.uint8)
        found.append((files, _written(folder / f"coarse_{number}_Fmask.tif", encode_cog(mask[None], grid, nodata=255))))
    return found


def coarse_source(files: list[tuple[dict[str, SceneFile], SceneFile]]) -> Source:
    """The second sensor of the unit."""
    start = datetime(2018, 1, 3, 10, tzinfo=UTC)
    scenes = (
        Scene(
            id=f"coarse-{number}",
            time=start + timedelta(days=8 * number),
            granule="33UUU",
            epsg=TILE.zone.epsg,
            footprint=box(0, 0, 1, 1),
            bands=bands,
            layers={Role.CLASSIFICATION: mask},
            sensor=HLS_L30.name,
            level=HLS_L30.level,
        )
        for number, (bands, mask) in enumerate(files[k % WRITTEN] for k in range(COARSE_DATES))
    )
    return Source(bands=COARSE, mask=PixelMask(dilate=3), passes=tuple((one,) for one in scenes), footprint=3)


def _written(path: Path, data: bytes) -> SceneFile:
    path.write_bytes(data)
    return SceneFile(href=str(path))


def task(files: list[tuple[dict[str, SceneFile], SceneFile]], out: Path) -> FusedTask:
    """The unit that a build would run."""
    rng = np.random.default_rng(2)
    cells = TILE.samples()
    chosen = [cells[place] for place in sorted(rng.choice(len(cells), SAMPLES, replace=False))]
    start = datetime(2018, 1, 1, 10, tzinfo=UTC)
    scenes = tuple(
        Scene(
            id=f"scene-{number}",
            time=start + timedelta(days=5 * number),
            granule="33UUU",
            epsg=TILE.zone.epsg,
            footprint=box(0, 0, 1, 1),
            bands=bands,
            layers={Role.CLASSIFICATION: classification},
            platform="a",
            orbit=1,
        )
        for number, (bands, classification) in enumerate(files[k % WRITTEN] for k in range(DATES))
    )
    samples = tuple(Sample.of_utm24(cell) for cell in chosen)
    if not FULL:
        west, south, _, _ = TILE.grid(10).bounds
        samples = tuple(one for one in samples if one.bounds[0] < west + 12_000 and one.bounds[1] < south + 12_000)
    return FusedTask(
        store=str(out),
        layout=Layout(name="bench", version="1.0"),
        layouts=("cubes",),
        products=(
            replace(PRODUCTS["pfsr"], resolution=10),
            replace(PRODUCTS["pfqa"], resolution=10, dtype="uint16", nodata=65_535),
        ),
        first=Source(bands=BANDS, mask=PixelMask(dilate=3), passes=tuple((one,) for one in scenes), footprint=1),
        second=None,
        resolution=10,
        samples=samples,
        timesteps=Cadence.parse("5 days").timesteps(Period.parse("2018-01-01", "2020-01-01")),
    )


def read_only(unit: FusedTask) -> None:
    """Read and decode the part of every file that the unit needs, once, and do nothing with it."""
    wests, souths, easts, norths = zip(*(sample.bounds for sample in unit.samples), strict=True)
    bounds = min(wests), min(souths), max(easts), max(norths)

    def read(asset: SceneFile) -> None:
        with rasterio.open(asset.href) as file:
            file.read(1, window=rasterio.windows.from_bounds(*bounds, transform=file.transform).round())

    assets = [asset for scene in unit.scenes for asset in (*scene.bands.values(), *scene.layers.values())]
    with rasterio.Env(GDAL_NUM_THREADS=1), ThreadPoolExecutor(2) as pool:
        list(pool.map(read, assets))


def run() -> dict[str, float]:
    """Ratios of a unit's time to that of reading, and the process's peak memory, of one sensor and of two."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unit = task(write_scenes(folder), folder / "corpus")
        read_only(unit)
        replace(unit, samples=unit.samples[:1]).run()
        (one, one_cpu), one_gib = _ratios(unit), peak_gib()
        both = replace(unit, second=coarse_source(write_coarse(folder)))
        replace(both, samples=both.samples[:1]).run()
        two, two_cpu = _ratios(both)
    return {
        "fused_tile_into_cubes": one,
        "fused_worker_gib": one_gib,
        "fused_two_sensors_into_cubes": two,
        "fused_two_sensors_gib": peak_gib(),
        "fused_tile_processor": one_cpu,
        "fused_two_sensors_processor": two_cpu,
    }


def _ratios(unit: FusedTask) -> tuple[float, float]:
    """Ratios of wall and of processor seconds to those of reading just before and after; medians of several rounds.

    The second one has no bar: it tells what others on the machine have done to the first.
    """
    reads, found = [spent(lambda: read_only(unit))], []
    for _ in range(1 if FULL else 3):
        build = spent(unit.run)
        reads.append(spent(lambda: read_only(unit)))
        found.append([2 * one / (before + after) for one, before, after in zip(build, *reads[-2:], strict=True)])
        told = ", ".join(f"{one:.2f}" for one in found[-1])
        sys.stderr.write(f"  {build[0]:.0f} s, ratios {told}, load {os.getloadavg()[0]:.1f}\n")
    wall, processor = (median(one) for one in zip(*found, strict=True))
    return wall, processor
