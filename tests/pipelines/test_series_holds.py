"""What a build of series must hold: the same bytes after kills, and memory that does not grow with the period."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from benchmarks.memory import peak_gib
from tests.pipelines.test_series import write

from landloom.corpus.audit.check import digest
from landloom.engine.executors import processes
from landloom.model.grid import Grid
from landloom.pipelines.build import build
from landloom.simulate.safe.images import encode_jp2
from landloom.store.open import open_store

SIDE = 600
"""Pixels of the scenes whose memory is measured."""


@pytest.mark.slow
def test_killed_builds_of_series_end_in_the_same_bytes(tiny_archive: Path, tmp_path: Path) -> None:
    """SIGKILL at random moments, parcels given in another order, two workers: still the bytes of one quiet build."""
    folder = write(tmp_path / "recipe", tiny_archive, samples={"labelled": 0.01})
    start = time.monotonic()
    build(folder, out=tmp_path / "quiet")
    whole = time.monotonic() - start + 4
    rng = random.Random(8)  # noqa: S311 - moments, not secrets
    command = [sys.executable, "-m", "landloom.cli", "build", str(folder), "--out", str(tmp_path / "killed")]
    killed = 0
    for _ in range(2):
        running = subprocess.Popen(
            [*command, "--workers", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            running.wait(timeout=rng.uniform(0.3, 0.9) * whole)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            killed += 1
    assert killed > 0
    build(folder, out=tmp_path / "killed", factory=processes(2))
    assert digest(open_store(str(tmp_path / "killed"))) == digest(open_store(str(tmp_path / "quiet")))


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
    root = Path(__file__).parents[2]
    for dates in (10, 40):
        code = f"from tests.pipelines import test_series_holds as t; t.worker({str(tmp_path)!r}, {dates})"
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
    from dataclasses import replace

    from shapely import box

    from landloom.corpus.layout import Layout
    from landloom.model.bands import SENTINEL2
    from landloom.model.ids import WindowId
    from landloom.model.product import product
    from landloom.model.recipe import SeriesProduct, Terms
    from landloom.model.sample import Sample
    from landloom.model.scene import Asset, Scene
    from landloom.products.series.task import SeriesTask, acquisitions

    grid, side = _grid(10), 240.0
    start = datetime(2018, 1, 1, tzinfo=UTC)
    assets = {band: Asset(href=f"{folder}/{band}.jp2") for band in ("B02", "B11")}
    scenes = [
        Scene(
            id=f"s{number:03d}", time=start + timedelta(days=number), granule=None, epsg=32633,
            footprint=box(0, 0, 1, 1), assets=assets,
        )
        for number in range(dates)
    ]  # fmt: skip
    samples = []
    for row in range(SIDE // 24):
        for column in range(SIDE // 24):
            west, north = grid.west + column * side, grid.north - row * side
            identity = WindowId("33N-300000E-5000040N", row + 1, column + 1)
            samples.append(Sample(id=identity, epsg=32633, bounds=(west, north - side, west + side, north)))
    settings = SeriesProduct(kind="series", bands=("B02", "B11"), terms=Terms(licence="CC0-1.0", attribution="none"))
    task = SeriesTask(
        store=f"{folder}/out-{dates}", key="observed.npy", layout=Layout(name="m", version="1.0", scheme="window"),
        layouts=("cubes",), settings=settings, samples=tuple(samples), dates=acquisitions(scenes, 32633),
        products=tuple(replace(product(key), bands=(SENTINEL2[band],)) for key, band in PRODUCTS),
        valid_product=product("s2_valid"),
    )  # fmt: skip
    outcome = task.run()
    assert len(outcome.facts["timesteps"]) == dates
    sys.stdout.write(f"{peak_gib()}\n")


PRODUCTS = (("s2_10m", "B02"), ("s2_20m", "B11"))
