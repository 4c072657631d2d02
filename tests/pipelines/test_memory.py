"""A worker's peak memory does not grow with the number of scenes."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from benchmarks.memory import peak_gib

from landloom.formats.geotiff import encode_cog
from landloom.model.bands import RAPIDAI4EO_BANDS, SENTINEL2
from landloom.model.ids import TileId

TILE = TileId.parse("33N_16E-243N")
SCENES = 150


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read as Linux reports it")
def test_many_scenes_stay_within_two_gib(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for name in (*RAPIDAI4EO_BANDS, "SCL"):
        resolution = 20 if name == "SCL" else SENTINEL2[name].resolution
        grid = TILE.grid(resolution).window(0, 0, int(6_000 / resolution), int(6_000 / resolution))
        numbers = rng.integers(500, 600, grid.shape).astype(np.uint16)
        array = np.full(grid.shape, 4, np.uint8) if name == "SCL" else numbers
        (tmp_path / f"{name}.tif").write_bytes(encode_cog(array[None], grid, nodata=0))
    code = f"from tests.pipelines import test_memory as t; t.worker({str(tmp_path)!r})"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r}); {code}"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    files, peak = shown.stdout.split()
    assert int(files) == 4
    assert float(peak) < 2.0, f"{peak} GiB"


def worker(folder: str) -> None:
    """Composite a month of 150 scenes in this process, and print its files and its peak memory in GiB."""

    from shapely import box

    from landloom.corpus.layout import Layout
    from landloom.model.product import product
    from landloom.model.recipe import CompositeProduct, Terms
    from landloom.model.sample import Sample
    from landloom.model.scene import Asset, Scene
    from landloom.model.time import Cadence, Period
    from landloom.products.composite.task import CompositeTask

    names = (*RAPIDAI4EO_BANDS, "SCL")
    assets = {name: Asset(href=str(Path(folder) / f"{name}.tif")) for name in names}
    start = datetime(2018, 1, 1, tzinfo=UTC)
    scenes = tuple(
        Scene(
            id=f"s{n:03d}", time=start + timedelta(hours=n), granule=None, epsg=TILE.zone.epsg, platform="a", orbit=n,
            footprint=box(0, 0, 1, 1), assets=assets,
        )
        for n in range(SCENES)
    )  # fmt: skip
    cells = TILE.samples()
    corners = [cells[0], cells[9], cells[9 * 40], cells[9 * 40 + 9]]
    task = CompositeTask(
        store=str(Path(folder) / "out"), layout=Layout(name="m", version="1.0"), layouts=("chips",),
        product=product("s2"), count_product=None, samples=tuple(Sample.of_utm24(cell) for cell in corners),
        settings=CompositeProduct(dilate=0, terms=Terms(licence="CC0-1.0", attribution="none")), scenes=scenes,
        timesteps=Cadence.parse("month").timesteps(Period.parse("2018-01-01", "2018-02-01")),
    )  # fmt: skip
    outcome = task.run()
    sys.stdout.write(f"{len(outcome.files)} {peak_gib()}\n")
