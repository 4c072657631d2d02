"""Windows of a JPEG 2000 scene, against decoding its files once.

The scene is a granule on a smaller scale: 4 bands of 2,048 x 2,048 pixels in tiles of 1,024, as Sentinel-2 has them,
where a granule has 10,980 x 10,980; set LANDLOOM_BENCH_FULL=1 for that size (half an hour, 2 GB of memory).
"""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import rasterio
from benchmarks.timing import seconds

from landloom.model.grid import Grid
from landloom.simulate.safe_images import encode_jp2
from landloom.store.raster import open_raster
from landloom.store.windows import read_windows

SIZE = 10_980 if os.environ.get("LANDLOOM_BENCH_FULL") else 2_048
BANDS = ("B02", "B03", "B04", "B08")
WINDOW = 24
ROUNDS = 3


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


def decode(paths: list[str]) -> None:
    """Every file once, as a whole."""
    for path in paths:
        with open_raster(path) as raster:
            raster.read(raster.grid)


def windows_of(grid: Grid) -> list[Grid]:
    """Every window of the scene, in a random order, as parcels come."""
    across = SIZE // WINDOW
    order = np.random.default_rng(8).permutation(across * across)
    return [grid.window(int(n) // across * WINDOW, int(n) % across * WINDOW, WINDOW, WINDOW) for n in order]


def run() -> dict[str, float]:
    """Seconds of all windows / seconds of decoding, alternating, median; one thread each."""
    with TemporaryDirectory() as name, rasterio.Env(GDAL_NUM_THREADS=1):
        grid, paths = write_scene(Path(name))
        windows = windows_of(grid)
        ratios = [
            seconds(lambda: [read_windows(path, windows) for path in paths]) / seconds(lambda: decode(paths))
            for _ in range(ROUNDS)
        ]
    return {"jp2_windows": median(ratios)}


if __name__ == "__main__":
    print(run())
