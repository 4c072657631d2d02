"""Windows of a JPEG 2000 scene, against decoding its files once: read alone, and as a series is built.

The scene is a granule on a smaller scale: 4 bands of 2,048 x 2,048 pixels in tiles of 1,024, as Sentinel-2 has them,
where a granule has 10,980 x 10,980; set LANDLOOM_BENCH_FULL=1 for that size (twenty minutes, 2 GB of memory).
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import rasterio
import shapely

from landloom.corpus.layout import Layout
from landloom.engine.pixels.masks import PixelMask
from landloom.model.grid import Grid
from landloom.model.ids import WindowId
from landloom.model.product import Product
from landloom.model.sample import Sample
from landloom.model.scene import Scene, SceneFile
from landloom.model.sensor import SENTINEL2
from landloom.model.time import parse_instant
from landloom.products.series.task import SeriesTask, acquisitions
from landloom.simulate.safe.images import encode_jp2
from landloom.store.raster import open_raster
from landloom.store.window_reads import read_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIZE = 10_980 if os.environ.get("LANDLOOM_BENCH_FULL") else 2_048
BANDS = ("B02", "B03", "B04", "B08")
WINDOW = 24
ROUNDS = 3
ANCHOR = "33N-300000E-5600000N"


def write_scene(folder: Path) -> tuple[Grid, list[str]]:
    """Four bands with the entropy of fields and noise, without loss."""
    grid = Grid.of_bounds(32633, (300_000, 5_600_000 - SIZE * 10, 300_000 + SIZE * 10, 5_600_000), 10)
    rng = np.random.default_rng(7)
    fields = rng.integers(300, 3_000, (SIZE // 24 + 1, SIZE // 24 + 1)).repeat(24, axis=0).repeat(24, axis=1)
    paths = []
    for band in BANDS:
        noisy = fields[:SIZE, :SIZE] + rng.normal(0, 30, (SIZE, SIZE))
        path = folder / f"{band}.jp2"
        path.write_bytes(encode_jp2(np.clip(noisy, 1, 9_999).astype(np.uint16), grid))
        paths.append(str(path))
    return grid, paths


def decode(paths: Sequence[str]) -> None:
    """Every file once, as a whole."""
    for path in paths:
        with open_raster(path) as raster:
            raster.read(raster.grid)


def windows_of(grid: Grid) -> list[Grid]:
    """Every window of the scene, in a random order, as parcels come."""
    across = SIZE // WINDOW
    order = np.random.default_rng(8).permutation(across * across)
    return [grid.window(int(n) // across * WINDOW, int(n) % across * WINDOW, WINDOW, WINDOW) for n in order]


def series(grid: Grid, paths: Sequence[str], out: Path) -> SeriesTask:
    """The unit of a build that cuts every window out of the scene and judges it: to arrays in memory, for no layout."""
    assets = {band: SceneFile(href=path) for band, path in zip(BANDS, paths, strict=True)}
    scene = Scene(
        id="s",
        time=parse_instant("2018-05-01"),
        granule="33UUR",
        epsg=grid.epsg,
        footprint=shapely.box(0, 0, 1, 1),
        bands=assets,
    )
    side, across = WINDOW * 10.0, SIZE // WINDOW
    corners = [(r, c, grid.west + c * side, grid.north - r * side) for r in range(across) for c in range(across)]
    samples = tuple(
        Sample(id=WindowId(ANCHOR, r + 1, c + 1), epsg=grid.epsg, bounds=(west, north - side, west + side, north))
        for r, c, west, north in corners
    )
    made = Product(
        key="s2_10m",
        folder="S2-10M",
        collection="source_s2_native",
        prefix="s2_10m",
        kind="imagery",
        title="Sentinel-2 acquisitions",
        resolution=10,
        cadence="acquired",
        bands=tuple(SENTINEL2[band] for band in BANDS),
    )
    return SeriesTask(
        store=str(out),
        layout=Layout(name="bench", version="1.0", scheme="window"),
        layouts=(),
        products=(made,),
        valid_product=None,
        bands=BANDS,
        mask=PixelMask(),
        least_data=0,
        least_valid=0,
        samples=samples,
        dates=acquisitions([scene], grid.epsg),
    )


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call: both sides have one thread, and a busy machine shall not decide."""
    start = time.process_time()
    work()
    return time.process_time() - start


def run() -> dict[str, float]:
    """CPU seconds of all windows / CPU seconds of decoding, alternating, median; one thread each."""
    read, built = [], []
    with TemporaryDirectory() as name, rasterio.Env(GDAL_NUM_THREADS=1):
        grid, paths = write_scene(Path(name))
        windows = windows_of(grid)
        for number in range(ROUNDS):
            task = series(grid, paths, Path(name) / f"out-{number}")
            once = seconds(lambda: decode(paths))
            read.append(seconds(lambda: [read_windows(path, windows) for path in paths]) / once)
            built.append(seconds(task.run) / seconds(lambda: decode(paths)))
    return {"jp2_windows": median(read), "jp2_series": median(built)}


if __name__ == "__main__":
    print(run())
