"""Granules of the real grid: drawn from a simulated map of the world's land cover, in all six published quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
from affine import Affine
from scipy.ndimage import gaussian_filter

from landloom.engine.executors import processes
from landloom.model.granules import granule_footprint
from landloom.model.ids import GranuleId
from landloom.samplers.granules.features import write_features
from landloom.samplers.granules.table import read_granules
from landloom.sampling.granules import PUBLISHED, draw_granules

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OUTLINES: dict[str, list[tuple[float, float]]] = {
    "North America": [(-180, 90), (-12, 90), (-12, 60), (-45, 58), (-45, 10), (-78, 8), (-130, 8), (-180, 50)],
    "South America": [(-95, 8), (-78, 8), (-60, 13), (-30, 0), (-30, -58), (-95, -58)],
    "Europe": [
        (-32, 34),
        (-10, 36),
        (12, 37.5),
        (26, 34),
        (28, 41),
        (48, 42),
        (58, 50),
        (60, 90),
        (-12, 90),
        (-12, 60),
    ],
    "Africa": [(-32, 34), (-10, 36), (12, 37.5), (33, 31.5), (43, 12), (60, 12), (60, -40), (-32, -40)],
    "Asia": [
        (26, 34),
        (28, 41),
        (48, 42),
        (58, 50),
        (60, 90),
        (180, 90),
        (180, 50),
        (150, 20),
        (135, 0),
        (95, -11),
        (60, 0),
        (60, 12),
        (43, 12),
        (33, 31.5),
    ],
    "Oceania": [(95, -11), (135, 0), (150, 20), (180, 20), (180, -58), (95, -58)],
}
"""Continents, roughly; Antarctica and some islands of the Pacific lie in none."""


def simulated_map(path: Path) -> str:
    """IGBP classes in quarters of degrees: smooth fields, each likelier about a latitude of its own."""
    rng = np.random.default_rng(7)
    latitude = np.linspace(90, -90, 720)[:, None]
    centre, best, codes = rng.uniform(-10, 70, 17), np.full((720, 1440), -9.0), np.zeros((720, 1440), np.uint8)
    for code in range(1, 18):
        field = gaussian_filter(rng.normal(size=(720, 1440)), rng.uniform(1, 4), mode="wrap")
        field = field / field.std() - (np.abs(np.abs(latitude) - centre[code - 1]) / 25) ** 2
        codes[field > best] = code
        best = np.maximum(best, field)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=720,
        width=1440,
        count=1,
        dtype="uint8",
        crs="EPSG:4326",
        nodata=255,
        transform=Affine(0.25, 0, -180, 0, -0.25, 90),
    ) as file:
        file.write(codes, 1)
    return str(path)


@pytest.mark.slow
def test_uniform_draws_of_the_worlds_granules_spread_better_than_random_ones_in_every_continent(
    shared_data: Path, tmp_path: Path, record_testsuite_property: Callable[[str, object], None]
) -> None:
    grid = pq.read_table(shared_data / "mgrs_grid/sentinel-2-grid_LAND.parquet", columns=["tile"])
    granules = [GranuleId.parse(name) for name in grid["tile"].to_pylist()]
    assert len(granules) == 20_430
    centres = shapely.centroid([granule_footprint(granule) for granule in granules])
    continent = np.full(len(granules), "Antarctica", dtype=object)
    for name, outline in OUTLINES.items():
        continent[shapely.contains(shapely.Polygon(outline), centres)] = name
    lines = [f"{granule},{name}" for granule, name in zip(granules, continent, strict=True) if name != "Antarctica"]
    (tmp_path / "continents.csv").write_text("\n".join(["id,continent", *lines]), encoding="utf-8")
    table = write_features(
        simulated_map(tmp_path / "igbp.tif"),
        tmp_path / "features",
        granules=granules,
        factory=processes(2),
        continents=(str(tmp_path / "continents.csv"), "continent", None),
    )
    assert pq.read_metadata(table).num_rows == 20_430
    drawn = draw_granules(read_granules(str(table))[0], PUBLISHED, 2018)
    assert len(drawn.granules) == 300
    assert {one.name: one.achieved for one in drawn.continents} == dict(PUBLISHED)
    for one in drawn.continents:
        assert one.drawn is not None
        assert one.random is not None
        record_testsuite_property(f"spacing-{one.name}", f"{one.drawn.spacing:.3f} against {one.random.spacing:.3f}")
        assert one.drawn.spacing > one.random.spacing
        assert one.drawn.coverage >= one.random.coverage
        assert one.drawn.discrepancy < one.random.discrepancy
