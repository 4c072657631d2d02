"""A guess of a whole granule: 24 scenes of 10,980 pixels a side, 50,000 pixels a class, 30 chips."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from affine import Affine
from benchmarks.memory import peak_gib

from landloom.archive.selection import Policy, SceneFilter
from landloom.engine.kinds import PlanInputs
from landloom.engine.placement import Placement
from landloom.engine.plan import make_plan
from landloom.engine.project import Project
from landloom.engine.scenes.granules import GranuleScenes
from landloom.model.granules import granule_footprint, granule_grid
from landloom.model.ids import GranuleId
from landloom.model.product import LANDCOVERNET_BANDS
from landloom.model.scene import Role, Scene, SceneFile
from landloom.model.sensor import SENTINEL2
from landloom.model.time import Period
from landloom.pipelines.registry import REGISTRY, Recipe
from landloom.products.guess.task import facts_key
from landloom.sampling.chips import draw_chips

if TYPE_CHECKING:
    from landloom.engine.units import Unit

GRANULE = GranuleId.parse("33TWL")
CHIPS = 30
TERMS = {"licence": "CC0-1.0", "attribution": "none"}
RECIPE = Recipe.parse(
    {
        "name": "bench",
        "version": "1.0",
        "seed": 1,
        "region": {"bounds": [-180, -90, 180, 90]},
        "period": {"start": "2018-01-01", "end": "2019-01-01"},
        "samples": {"draw": "granules", "granules": [str(GRANULE)], "chips": CHIPS},
        "archive": {"kind": "static", "href": "catalog.json"},
        "products": {"s2": {"kind": "granule-series", "terms": TERMS}},
        "guess": {"file": "cover.tif", "taxonomy": "worldcover", "held_out": 2, "terms": TERMS},
        "publication": {"title": "bench", "description": "bench"},
    }
)
CODES = (10, 30, 40, 50, 60, 80)
"""Of WorldCover; with the classification that each shows, and a number that its bands have."""
SHOWN = {10: 4, 30: 4, 40: 4, 50: 5, 60: 5, 80: 6}


def write(path: Path, numbers: np.ndarray, resolution: float) -> SceneFile:
    """A tiled GeoTIFF on the granule's grid."""
    grid = granule_grid(GRANULE, resolution)
    height, width = numbers.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=height,
        width=width,
        count=1,
        dtype=numbers.dtype,
        crs=f"EPSG:{grid.epsg}",
        transform=Affine(resolution, 0, grid.west, 0, -resolution, grid.north),
        nodata=0,
        tiled=True,
        blockxsize=512,
        blockysize=512,
        compress="zstd",
        zstd_level=1,
    ) as file:
        file.write(numbers, 1)
    return SceneFile(href=str(path))


def units(folder: Path) -> tuple[Unit, Unit]:
    """The series of the granule and its guess, in a world of squares of 600 m; two sets of files serve all scenes."""
    rng = np.random.default_rng(1)
    side = granule_grid(GRANULE, 60).width
    cover = np.repeat(np.repeat(rng.choice(CODES, (side // 10, side // 10)), 10, 0), 10, 1).astype(np.uint8)
    write(folder / "cover.tif", cover, 60)
    sets = []
    for number in range(2):
        bands = {}
        for name in (*LANDCOVERNET_BANDS, "SCL"):
            resolution = 20 if name == "SCL" else int(SENTINEL2[name].resolution)
            fine = np.repeat(np.repeat(cover, 60 // resolution, 0), 60 // resolution, 1)
            if name == "SCL":
                numbers = _scl(fine)
            else:
                numbers = fine.astype(np.uint16) * np.uint16(20 + number)
                numbers += np.tile(rng.integers(0, 64, (30, 30)).astype(np.uint16), np.array(fine.shape) // 30)
            bands[name] = write(folder / f"{number}_{name}.tif", numbers, resolution)
        layers = {Role.CLASSIFICATION: bands.pop("SCL")}
        sets.append((bands, layers))
    start = datetime(2018, 1, 3, 10, tzinfo=UTC)
    scenes = tuple(
        Scene(
            id=f"s{n:02}",
            time=start + timedelta(days=15 * n),
            granule=str(GRANULE),
            epsg=GRANULE.zone.epsg,
            footprint=granule_footprint(GRANULE),
            bands=sets[n % 2][0],
            layers=sets[n % 2][1],
            cloud_cover=5.0,
        )
        for n in range(24)
    )
    project = Project(recipe=RECIPE, folder=folder)
    wanted = GranuleScenes(
        granule=GRANULE,
        candidates=scenes,
        policy=Policy.parse("monthly + 12"),
        rule=SceneFilter(),
        period=Period.year(2018),
    )
    samples = draw_chips(GRANULE, CHIPS, 1)
    placement = Placement(samples=samples, granules={samples[0].tile: wanted})
    inputs = PlanInputs(
        placement=placement,
        tiles=placement.tiles,
        scenes={},
        identities={str(folder / "cover.tif"): "cover"},
        store=str(folder / "corpus"),
        layout=project.layout,
    )
    series, guess = make_plan(project, REGISTRY, inputs).units
    return series, guess


def _scl(cover: np.ndarray) -> np.ndarray:
    table = np.zeros(256, np.uint8)
    table[list(SHOWN)] = list(SHOWN.values())
    return np.asarray(table[cover])


def child() -> dict[str, float]:
    """Peak memory of the process that does it, which made nothing of its input."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-m", "benchmarks.bench_granule", "write", name], check=True)
        import pickle

        guess: Unit = pickle.loads((folder / "guess.pickle").read_bytes())  # noqa: S301 - our own
        start = time.perf_counter()
        guess.task.run()
        facts = json.loads((folder / "corpus" / facts_key(str(GRANULE))).read_text(encoding="utf-8"))
        return {
            "minutes": (time.perf_counter() - start) / 60,
            "gib": peak_gib(),
            "accuracy": facts["test"]["accuracy"],
        }


def run() -> dict[str, float]:
    """Peak memory of a guess, its process alone."""
    command = [sys.executable, "-m", "benchmarks.bench_granule", "child"]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(f"guess of a whole granule: {result}")
    return {"guess_granule_gib": result["gib"]}


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        import pickle

        place = Path(sys.argv[2])
        series, guess = units(place)
        series.task.run()
        (place / "guess.pickle").write_bytes(pickle.dumps(guess))
    else:
        print(json.dumps(child() if sys.argv[1:] == ["child"] else run()))
