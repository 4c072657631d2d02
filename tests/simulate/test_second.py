"""The simulated second sensor: an archive that opens as Landsat, of the same land, written once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
import shapely

from landloom.archive.open import open_archive
from landloom.errors import InvalidInputError
from landloom.model.grid import Grid
from landloom.model.time import Period
from landloom.simulate.second import QA_CLEAR, QA_CLOUD, simulate_second
from landloom.simulate.spec import WorldSpec, world_spec
from landloom.simulate.world import World

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def spec() -> WorldSpec:
    tiny = world_spec("tiny")
    return replace(tiny, places=tiny.places[:1], views=(replace(tiny.views[0], last=45),))


@pytest.fixture(scope="module")
def archive(spec: WorldSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("landsat")
    assert simulate_second(spec, folder) == 6
    return folder


def test_it_opens_as_landsat(archive: Path) -> None:
    opened = open_archive("static", str(archive / "catalog.json"), sensor="landsat-c2-l2")
    scenes = opened.search(shapely.box(-180, -90, 180, 90), Period.parse("2018-01-01", "2019-01-01"))
    assert opened.problems == ()
    assert [f"{scene.time:%m-%d}" for scene in scenes] == ["01-05", "01-13", "01-21", "01-29", "02-06", "02-14"]
    assert {scene.sensor for scene in scenes} == {"landsat-c2-l2"}
    assert all({"B2", "B3", "B4", "B5"} <= set(scene.bands) for scene in scenes)


def test_numbers_are_reflectance_of_the_same_land(spec: WorldSpec, archive: Path) -> None:
    """In clear pixels near infrared is that of the first sensor, as far as bandpasses allow."""
    compared = 0
    for item in sorted(archive.glob("LC08_*")):
        with rasterio.open(item / "nir08.tif") as file:
            numbers, transform = file.read(1), file.transform
        with rasterio.open(item / "qa_pixel.tif") as file:
            flags = file.read(1)
        assert set(np.unique(flags)) <= {QA_CLEAR, QA_CLOUD}
        assert transform.a == 30
        clear = flags == QA_CLEAR
        if clear.mean() < 0.5:
            continue
        grid = Grid.of_bounds(spec.places[0].epsg, spec.places[0].bounds, 10)
        time = datetime.strptime(item.name.split("_")[3], "%Y%m%d").replace(hour=10, tzinfo=UTC)
        truth = World(spec).truth_reflectance(grid, time, ("B8A",))[0].reshape(40, 3, 40, 3).mean(axis=(1, 3))
        away = np.abs((numbers * 0.0000275 - 0.2) * 10_000 - truth)[clear]
        assert np.median(away) < 250
        compared += 1
    assert compared


def test_the_same_bytes_with_any_workers_and_another_world_is_refused(
    spec: WorldSpec, archive: Path, tmp_path: Path
) -> None:
    simulate_second(spec, tmp_path, pool=lambda: ThreadPoolExecutor(2))
    for path in archive.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / path.relative_to(archive)).read_bytes()
    (tmp_path / "catalog.json").touch()
    assert simulate_second(spec, tmp_path) == 6
    with pytest.raises(InvalidInputError, match="another world"):
        simulate_second(replace(spec, seed=9), tmp_path)
