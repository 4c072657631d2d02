"""The work on a tile: seams of blocks and tiles, other resolutions, and inputs that fail or say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.products.fused.tiles import BANDS, START, Tiles, cubes, notes, truth

from landloom.errors import TransientFaultError
from landloom.imagery.fusion.quality import QUALITY_NODATA
from landloom.model.grid import Grid
from landloom.model.ids import SampleId, TileId
from landloom.products.fused.sightings import day_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from tests.web import FaultyServer

    from landloom.model.sample import Sample
    from landloom.products.fused.task import FusedTask

WEST, EAST = TileId.parse("33N_16E-243N"), TileId.parse("33N_17E-243N")
EPSG = WEST.zone.epsg
EDGE = EAST.grid(10).west


def cells(tile: TileId, rows: range, columns: range) -> list[SampleId]:
    return [cell for cell in tile.samples() if cell.row in rows and cell.column in columns]


def around(cells: list[SampleId], margin: float, resolution: float = 10.0) -> Grid:
    wests, souths, easts, norths = zip(*(cell.grid(10).bounds for cell in cells), strict=True)
    west, south, east, north = min(wests), min(souths), max(easts), max(norths)
    return Grid.of_bounds(EPSG, (west - margin, south - margin, east + margin, north + margin), resolution)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Tiles:
    """Scenes over two samples on either side of the border of two tiles, and their surroundings."""
    both = cells(WEST, range(20, 22), range(40, 41)) + cells(EAST, range(20, 22), range(1, 2))
    tiles = Tiles(folder=tmp_path_factory.mktemp("pair"), grid=around(both, 600))
    tiles.scenes = tiles.write()
    return tiles


def seam(
    left: NDArray[np.uint16], right: NDArray[np.uint16], true: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Root mean square step of the error across the seam, and across each inner pair of columns."""
    error = np.concatenate([left, right], axis=-1) - true
    steps = np.sqrt((np.diff(error, axis=-1) ** 2).mean(axis=(0, 1, 2, 3)))
    at = left.shape[-1] - 1
    return float(steps[at]), np.delete(steps, at)


def column(sample: Sample) -> int:
    return SampleId.parse(str(sample.id)).column


def days_of(task: FusedTask) -> NDArray[np.float64]:
    return np.array([day_of(step.stamp) - day_of(START) for step in task.timesteps])


@pytest.mark.parametrize("parts", ["tiles", "blocks"])
def test_seams_are_no_larger_than_steps_inside(pair: Tiles, parts: str) -> None:
    if parts == "tiles":
        west = pair.task("west", cells(WEST, range(20, 22), range(40, 41)), pair.scenes)
        east = pair.task("east", cells(EAST, range(20, 22), range(1, 2)), pair.scenes)
        halves, tasks = [cubes(one)[1] for one in (west, east)], (west, east)
    else:
        both = pair.task("blocks", cells(WEST, range(20, 22), range(39, 41)), pair.scenes, block=1)
        assert both.side() == 60
        made, tasks = cubes(both)[1], (both, both)
        halves = [made[[n for n, one in enumerate(both.samples) if column(one) == c]] for c in (39, 40)]
    grids = [[one.grid(10) for one in task.samples] for task in tasks]
    if parts == "blocks":
        grids = [[g for g in grids[0] if g.west == west] for west in sorted({g.west for g in grids[0]})]
    true = np.stack(
        [np.concatenate([truth(days_of(tasks[0]), g) for g in row], axis=-1) for row in zip(*grids, strict=True)]
    )
    across, inside = seam(halves[0], halves[1], true)
    assert across <= np.quantile(inside, 0.95), (across, np.median(inside), inside.max())


def test_three_metres_are_chips_of_200_pixels(tmp_path: Path) -> None:
    own = cells(WEST, range(3, 4), range(7, 8))
    tiles = Tiles(folder=tmp_path, grid=around(own, 120, 3.0), days=tuple(range(0, 60, 10)), cloudy=0)
    task = tiles.task("out", own, tiles.write())
    outcome, series, layers = cubes(task)
    assert series.shape == (1, 12, 4, 200, 200)
    assert layers.shape == (1, 12, 9, 200, 200)
    miss = series[0] - truth(days_of(task), task.samples[0].grid(3.0))
    assert np.sqrt((miss**2).mean()) < 40
    assert outcome.lineage is not None


OWN = cells(WEST, range(3, 4), range(7, 8))


def small(folder: Path, **changes: Any) -> Tiles:
    return Tiles(folder=folder, grid=around(OWN, 0), **changes)


def test_without_any_scene_of_a_sensor(tmp_path: Path) -> None:
    """Without the second, the series is that of the reference; without the reference, nothing."""
    tiles = small(tmp_path)
    scenes = tiles.write()
    alone = cubes(tiles.task("alone", OWN, scenes))[1]
    outcome, series, _ = cubes(tiles.task("one", OWN, scenes, second=[]))
    np.testing.assert_array_equal(series, alone)
    assert "no scene of the second sensor shows the tile clearly" in notes(outcome)
    outcome, series, layers = cubes(tiles.task("none", OWN, [], second=scenes))
    assert series.max() == 0
    assert (layers[:, :, 0] == 100).all()
    assert (layers[:, :, [1, 3, 4, 5, 6, 7, 8]] == QUALITY_NODATA).all()
    told = notes(outcome)
    assert told["no scene of the reference sensor shows the tile clearly"] == 1
    assert told["pixels never observed in the whole period: nodata, 100 % synthetic"] == 3_600
    assert outcome.observed[0].blank is not None
    assert outcome.observed[0].blank.all()


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_than_three_clear_dates(tmp_path: Path, count: int) -> None:
    tiles = small(tmp_path, days=(10, 40)[:count], cloudy=0)
    outcome, series, layers = cubes(tiles.task("out", OWN, tiles.write()))
    assert series.min() > 0
    assert (
        notes(outcome)["pixels with fewer than 3 clear observations: their course is that of pixels like them"] == 3_600
    )
    assert layers[0, -1, 0].min() > 50
    assert set(np.unique(layers[:, :, 3])) <= {1, 2}


def test_saturated_snow(tmp_path: Path) -> None:
    """Saturated numbers are no data; brighter ones than the valid range are clipped and counted."""

    def snow(_: int, bands: NDArray[np.uint16], classes: NDArray[np.uint8]) -> None:
        classes[:30] = 11
        bands[:, :30] = 18_500
        bands[:, :10] = 65_535

    tiles = small(tmp_path, cloudy=0)
    outcome, series, layers = cubes(tiles.task("out", OWN, tiles.write(snow), limits=(1, 16_000)))
    assert (series[0, :, :, :10] == 0).all()
    assert (layers[0, :, 0, :10] == 100).all()
    assert (series[0, :, :, 10:30] == 16_000).all()
    assert series[0, :, :, 32:].max() < 6_000
    told = notes(outcome)
    assert told["values outside of the valid range, clipped to it"] >= 12 * 4 * 20 * 60
    assert told["pixels never observed in the whole period: nodata, 100 % synthetic"] == 600


def test_unknown_classes_are_not_clear(tmp_path: Path) -> None:
    def odd(day: int, bands: NDArray[np.uint16], classes: NDArray[np.uint8]) -> None:
        if day == 30:
            classes[:] = 77
            bands[:] = 9_000

    tiles = small(tmp_path, cloudy=0)
    outcome, series, layers = cubes(tiles.task("out", OWN, tiles.write(odd)))
    assert series[0, 6].max() < 6_000
    assert layers[0, 6, 1].min() >= 3
    assert (layers[0, 6, 2] == QUALITY_NODATA).all()
    assert outcome.lineage is not None
    assert outcome.lineage.timesteps[6].without_valid_pixels == ("s030",)


def test_a_broken_scene_is_named_and_costs_itself(tmp_path: Path) -> None:
    tiles = small(tmp_path)
    scenes = tiles.write()
    path = tmp_path / f"s020_{BANDS[2]}.tif"
    path.write_bytes(path.read_bytes()[:900])
    outcome, series, _layers = cubes(tiles.task("out", OWN, scenes))
    assert outcome.lineage is not None
    assert [one.id for step in outcome.lineage.timesteps for one in step.left_out] == ["s020"]
    assert series.min() > 0
    rest = cubes(tiles.task("rest", OWN, [one for one in scenes if one.id != "s020"]))
    np.testing.assert_array_equal(series, rest[1])


def test_an_archive_that_dies_half_way(faulty: FaultyServer, tmp_path: Path) -> None:
    """The unit fails as one to be repeated, publishes nothing, and is whole once the archive answers again."""
    tiles = small(tmp_path, days=(0, 10, 20, 30), root=faulty.address)
    scenes = tiles.write()
    task = tiles.task("out", OWN, scenes)
    faulty.fail(after=8, status=403)
    with pytest.raises(TransientFaultError, match="403"):
        task.run()
    assert not (tmp_path / "out").exists()
    faulty.heal()
    assert cubes(task)[1].min() > 0
