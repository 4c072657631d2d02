"""A whole composite build of one 24 km tile, against merely reading and decoding the same windows with rasterio.

356 samples, 6 scenes a month of 12 bands and a classification, deflate COGs, one thread, warm cache. One month is
run: twelve cost the same each.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
import rasterio
from benchmarks.memory import peak_gib
from benchmarks.timing import seconds
from rasterio.windows import Window, from_bounds
from shapely import box

from landloom.corpus.layout import Layout
from landloom.engine.pixels.blocks import blocks
from landloom.engine.pixels.masks import PixelMask
from landloom.engine.timesteps import TimestepTask
from landloom.formats.geotiff import encode_cog
from landloom.model.ids import TileId
from landloom.model.product import RAPIDAI4EO_BANDS, product
from landloom.model.sample import Sample
from landloom.model.scene import Role, Scene, SceneFile
from landloom.model.sensor import SENTINEL2
from landloom.model.time import Cadence, Period
from landloom.products.composite.kind import MedianReducer

TILE = TileId.parse("33N_16E-243N")
SCENES, MONTHS, SAMPLES = 6, 1, 356


def write_scenes(folder: Path) -> list[tuple[dict[str, SceneFile], SceneFile]]:
    """Bands and classification of six scenes that cover the tile, noise over a smooth field, a third of it cloud."""
    rng = np.random.default_rng(1)
    grids = {resolution: TILE.grid(resolution) for resolution in (10, 20, 60)}
    found = []
    for number in range(SCENES):
        bands = {}
        for name in (*RAPIDAI4EO_BANDS, "SCL"):
            grid = grids[20 if name == "SCL" else int(SENTINEL2[name].resolution)]
            rows, columns = np.mgrid[: grid.height, : grid.width] * grid.resolution
            if name == "SCL":
                cloud = np.sin(rows / 900 + number) + np.sin(columns / 700 - number) > 0.7
                array = np.where(cloud, 9, 4).astype(np.uint8)
            else:
                field = 1500 + 500 * np.sin(rows / 1300) * np.cos(columns / 1700)
                array = (field + rng.normal(0, 60, field.shape)).astype(np.uint16)
            path = folder / f"{number}_{name}.tif"
            path.write_bytes(encode_cog(array[None], grid, nodata=0))
            bands[name] = SceneFile(href=str(path))
        classification = bands.pop("SCL")
        found.append((bands, classification))
    return found


def task(files: list[tuple[dict[str, SceneFile], SceneFile]], out: Path, layouts: tuple[str, ...]) -> TimestepTask:
    """The unit that a build would run."""
    rng = np.random.default_rng(2)
    cells = TILE.samples()
    chosen = sorted(rng.choice(len(cells), SAMPLES, replace=False))
    scenes = tuple(
        Scene(
            id=f"{month}-{number}",
            time=datetime(2018, month, 1 + 4 * number, 10, tzinfo=UTC),
            granule="33UUU",
            epsg=TILE.zone.epsg,
            footprint=box(0, 0, 1, 1),
            bands=bands,
            layers={Role.CLASSIFICATION: classification},
            platform="a",
            orbit=number,
        )
        for month in range(1, MONTHS + 1)
        for number, (bands, classification) in enumerate(files)
    )
    return TimestepTask(
        store=str(out),
        layout=Layout(name="bench", version="1.0"),
        layouts=layouts,
        products=(product("s2"),),
        reducer=MedianReducer(count=False),
        bands=RAPIDAI4EO_BANDS,
        mask=PixelMask(),
        resolution=10,
        samples=tuple(Sample.of_utm24(cells[place]) for place in chosen),
        timesteps=Cadence.parse("month").timesteps(Period.parse("2018-01-01", f"2018-{MONTHS + 1:02d}-01")),
        scenes=scenes,
    )


def read_only(unit: TimestepTask) -> None:
    """Read and decode the windows that the unit reads, and do nothing with them."""
    for step in unit.timesteps:
        scenes = [scene for scene in unit.scenes if scene.time in step.period]
        with rasterio.Env(GDAL_NUM_THREADS=1):
            assets = [asset for scene in scenes for asset in (*scene.bands.values(), *scene.layers.values())]
            opened = [rasterio.open(asset.href) for asset in assets]
            for block in blocks(unit.samples, 10):
                for file in opened:
                    window = from_bounds(*block.grid.bounds, transform=file.transform)
                    file.read(1, window=Window(*(round(value) for value in window.flatten())))
            for file in opened:
                file.close()


def run() -> dict[str, float]:
    """Ratios of the build's time to that of reading alone, and the process's peak memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = write_scenes(folder)
        cubes = task(files, folder / "cubes", ("cubes",))
        chips = task(files, folder / "chips", ("chips",))
        read_only(cubes)
        cubes.run()
        pairs = [(seconds(cubes.run), seconds(lambda: read_only(cubes)), seconds(chips.run)) for _ in range(3)]
    peak = peak_gib()
    return {
        "tile_into_cubes": median(build / read for build, read, _ in pairs),
        "tile_into_chips": median(build / read for _, read, build in pairs),
        "tile_worker_gib": peak,
    }
