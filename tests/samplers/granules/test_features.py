"""Features of granules: shares of exact areas, resumed, and the same whatever the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
from pyproj import Geod
from tests.samplers.granules.maps import GRANULES, NAMES, write_map

from landloom.engine.executors import processes
from landloom.errors import BuildError, InvalidInputError, NotFoundError
from landloom.model.granules import granule_footprint
from landloom.model.ids import GranuleId
from landloom.model.taxonomy import taxonomy
from landloom.samplers.granules.features import SHARES, class_shares, write_features
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def geodesic(granule: GranuleId, codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Shares by geodesic areas of each pixel that meets a granule."""
    geod, outline, sums = Geod(ellps="WGS84"), granule_footprint(granule), np.zeros(18)
    west, south, east, north = outline.bounds
    for row in range(int((90 - north) * 10), int((90 - south) * 10) + 1):
        for column in range(int(np.floor((west + 180) * 10)), int(np.floor((east + 180) * 10)) + 1):
            x, y = column / 10 - 180, 90 - row / 10
            part = shapely.box(x, y - 0.1, x + 0.1, y).intersection(outline)
            if part.area:
                # Parallels are no geodesics: many vertices follow them.
                area = geod.geometry_area_perimeter(shapely.segmentize(part, 0.002))[0]
                sums[codes[row, column % 3600]] += abs(area)
    return np.asarray(sums / sums.sum())


@pytest.mark.parametrize("name", ["33TWL", "33UUU", "01KAA", "60KYF"])
def test_shares_are_of_geodesic_areas_also_across_the_antimeridian(world_map: str, name: str) -> None:
    granule = GranuleId.parse(name)
    with rasterio.open(world_map) as file:
        wanted = geodesic(granule, file.read(1))
    with open_raster(world_map) as file:
        found = class_shares(file, granule, taxonomy("igbp17"))
    assert np.abs(found[:17] - wanted[1:]).max() < 2e-5
    assert found.sum() == pytest.approx(1)


def test_what_the_map_lacks_is_unclassified(tmp_path: Path) -> None:
    half = write_map(tmp_path / "west.tif", np.full((40, 20), 12, np.uint8), (14, 44, 15.7, 48))
    grid = granule_footprint(GRANULES[0])
    with open_raster(half) as file:
        found = class_shares(file, GRANULES[0], taxonomy("igbp17"))
        assert class_shares(file, GRANULES[4], taxonomy("igbp17"))[-1] == 1
    cut = shapely.box(14, 44, 15.7, 48).intersection(grid)
    geod = Geod(ellps="WGS84")
    share = abs(geod.geometry_area_perimeter(cut)[0] / geod.geometry_area_perimeter(grid)[0])
    assert found[11] == pytest.approx(share, abs=1e-4)
    assert found[-1] == pytest.approx(1 - share, abs=1e-4)


def test_maps_in_metres_and_in_strips_say_the_same(tmp_path: Path) -> None:
    codes = np.random.default_rng(1).integers(1, 18, (300, 300)).astype(np.uint8)
    path = write_map(tmp_path / "laea.tif", codes, (4_500_000, 2_300_000, 4_950_000, 2_750_000), 3035)
    with open_raster(path) as file:
        found = class_shares(file, GRANULES[0], taxonomy("igbp17"))
        np.testing.assert_allclose(class_shares(file, GRANULES[0], taxonomy("igbp17"), pixels=500), found, atol=1e-12)
    assert found.sum() == pytest.approx(1)
    assert found[:17].min() > 0.02


def test_a_table_is_resumed_and_the_same_whatever_the_workers(world_map: str, continents: str, tmp_path: Path) -> None:
    source = (continents, "continent", None)
    first = write_features(world_map, tmp_path / "one", continents=source, granules=GRANULES)
    other = write_features(
        world_map, tmp_path / "two", continents=source, granules=GRANULES[::-1], factory=processes(2)
    )
    assert first.read_bytes() == other.read_bytes()
    kept = sorted((tmp_path / "one/.landloom/features").iterdir())
    kept[0].unlink()
    stamps = [file.stat().st_mtime_ns for file in kept[1:]]
    assert write_features(world_map, tmp_path / "one", continents=source, granules=GRANULES) == first
    assert [file.stat().st_mtime_ns for file in kept[1:]] == stamps
    assert kept[0].exists()
    table = pq.read_table(first)
    assert table["id"].to_pylist() == sorted(NAMES)
    assert set(table["continent"].to_pylist()) == {"Europe", "Australia and Oceania"}
    assert np.allclose(sum(table[name].to_numpy() for name in SHARES), 1)


def test_other_maps_come_by_their_crosswalk(tmp_path: Path) -> None:
    codes = np.zeros((20, 40), np.uint8)
    codes[:, 20:] = 10
    path = write_map(tmp_path / "worldcover.tif", codes, (14, 44, 18, 48))
    chosen = GRANULES[:1]
    table = pq.read_table(write_features(path, tmp_path / "a", source="worldcover", granules=chosen))
    forest = table["igbp_5"].to_pylist()[0]
    assert 0.1 < forest < 0.6
    assert table["continent"].to_pylist() == [None]
    assert table["igbp_17"].to_pylist() == [0]
    other = write_features(path, tmp_path / "a", source="worldcover", granules=chosen, overrides={"0": "17"})
    assert pq.read_table(other)["igbp_17"].to_pylist()[0] == pytest.approx(1 - forest)
    with pytest.raises(NotFoundError, match="rosetta"):
        write_features(path, tmp_path / "b", source="rosetta", granules=chosen)
    with pytest.raises(BuildError, match=r"\w+ classes of igbp17"):
        write_features(path, tmp_path / "c", granules=chosen)
    with pytest.raises(InvalidInputError, match=r"\w+ none: the map is of IGBP classes"):
        write_features(path, tmp_path / "c", granules=chosen, overrides={"1": "2"})
