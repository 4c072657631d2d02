"""The table that granules are drawn from: shares of exact areas, resumed, and the draw from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import Geod

from landloom.cli.__main__ import main
from landloom.engine.executors import processes
from landloom.errors import BuildError, InvalidInputError, NotFoundError
from landloom.model.granules import granule_footprint
from landloom.model.ids import GranuleId
from landloom.model.recipe import GranuleChips, VectorSource
from landloom.model.taxonomy import taxonomy
from landloom.samplers.granules.features import SHARES, class_shares, write_features
from landloom.samplers.granules.sampler import draw_from_table, read_granules
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NAMES = ("33TWL", "33TXL", "33UUU", "34TCR", "01KAA", "60KYF")
GRANULES = [GranuleId.parse(name) for name in NAMES]


def write_map(path: Path, codes: NDArray[np.uint8], bounds: tuple[float, ...], epsg: int = 4326) -> str:
    (height, width), (west, south, east, north) = codes.shape, bounds
    transform = Affine((east - west) / width, 0, west, 0, (south - north) / height, north)
    with rasterio.open(
        path, "w", driver="GTiff", height=height, width=width, count=1, dtype="uint8", crs=f"EPSG:{epsg}",
        transform=transform, nodata=255,
    ) as file:  # fmt: skip
        file.write(codes, 1)
    return str(path)


@pytest.fixture(scope="module")
def world_map(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Classes 1 to 17 in tenths of degrees all over the world."""
    codes = np.random.default_rng(3).integers(1, 18, (1800, 3600)).astype(np.uint8)
    return write_map(tmp_path_factory.mktemp("map") / "igbp.tif", codes, (-180, -90, 180, 90))


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


@pytest.fixture(scope="module")
def continents(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("continents") / "continents.csv"
    lines = [f"{name},{'Oceania' if name[0] in '06' else 'Europe'}" for name in NAMES]
    path.write_text("\n".join(["id,continent", *lines]), encoding="utf-8")
    return str(path)


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
    with pytest.raises(BuildError, match="wanted classes of igbp17"):
        write_features(path, tmp_path / "c", granules=chosen)
    with pytest.raises(InvalidInputError, match="wanted none: the map is of IGBP classes"):
        write_features(path, tmp_path / "c", granules=chosen, overrides={"1": "2"})


def test_continents_of_a_recipe_replace_those_of_the_table(world_map: str, continents: str, tmp_path: Path) -> None:
    table = write_features(world_map, tmp_path / "t", granules=GRANULES)
    with pytest.raises(InvalidInputError, match="got no continent of any granule"):
        read_granules(str(table))
    own = tmp_path / "shapes.geojson"
    europe = shapely.geometry.mapping(shapely.box(0, 30, 30, 60))
    feature = {"type": "Feature", "properties": {"NAME": "Europe"}, "geometry": europe}
    own.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    for source in (VectorSource(file=continents, column="continent"), VectorSource(file=str(own), column="NAME")):
        settings: dict[str, Any] = {"quotas": {"Europe": 2}, "water": 1.0, "barren": 1.0}
        section = GranuleChips(draw="granules", table=str(table), continents=source, **settings)
        found = draw_from_table(str(table), section, 1)
        assert len(found.granules) == 2
        assert {str(one) for one in found.granules} <= set(NAMES[:4])
    bad = tmp_path / "bad.csv"
    bad.write_text("id,continent\n33TWL,Atlantis\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="Atlantis"):
        read_granules(str(table), VectorSource(file=str(bad), column="continent"))
    as_csv = tmp_path / "granules.csv"
    pyarrow.csv.write_csv(pq.read_table(table), as_csv)
    assert len(read_granules(str(as_csv), VectorSource(file=continents, column="continent")).ids) == len(NAMES)


def landloom(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["landloom", *map(str, arguments)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_the_commands_measure_and_draw(
    world_map: str, continents: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("\n".join(NAMES), encoding="utf-8")
    folder = tmp_path / "granules"
    arguments = (world_map, "--only", ids, "--continents", continents, "--out", folder, "--workers", 1)
    assert landloom(monkeypatch, "granules", "features", *arguments) == 0
    table = folder / "granules.parquet"
    draw = ("granules", "draw", table, "--quota", "Europe=2", "--out", tmp_path / "out.txt")
    assert landloom(monkeypatch, *draw, "--figure", tmp_path / "map.png") == 0
    assert len((tmp_path / "out.txt").read_text(encoding="utf-8").split()) == 2
    assert (tmp_path / "map.png").read_bytes()[:4] == b"\x89PNG"
    capsys.readouterr()
    assert landloom(monkeypatch, *draw, "--method", "stratified", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["granules"]) == 2
    assert landloom(monkeypatch, *draw, "--method", "best") == 2
    assert landloom(monkeypatch, "granules", "draw", table, "--quota", "Europe") == 2
