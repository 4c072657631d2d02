"""Chips of a granule: drawn where its scenes have data, in a unit of their own, without the scenes that are broken."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
import shapely
from tests.engine.small_scenes import AREA, Small, numbers_of, write_scene

from landloom.archive.selection import Policy, SceneFilter
from landloom.engine.scenes.granules import GranuleScenes
from landloom.engine.sources.class_map import ClassMap
from landloom.errors import InvalidInputError
from landloom.model.granules import granule_grid
from landloom.model.ids import GranuleId
from landloom.model.scene import Role
from landloom.model.time import Period, parse_instant
from landloom.samplers.granules.placing import ChipsTask, key_of, read_chips
from landloom.samplers.granules.section import GranuleChips
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.model.sample import Sample

GRANULE = GranuleId.parse("33TWL")
WHOLE = granule_grid(GRANULE, 10)


@pytest.fixture(scope="module")
def smalls(tmp_path_factory: pytest.TempPathFactory) -> list[Small]:
    """Three scenes of a window of a granule, of which the third lacks the south."""
    folder, found = tmp_path_factory.mktemp("scenes"), []
    for number, day in enumerate(("2018-03-01", "2018-06-01", "2018-09-01")):
        scl = np.full(AREA.at(20).shape, 4, np.uint8)
        if number == 2:
            scl[60:] = 0
        numbers = {**numbers_of(number, ("B04",)), "SCL": scl}
        found.append(write_scene(folder, numbers, name=f"S2A_{number}", time=parse_instant(day), cloud_cover=number))
    return found


def task(
    folder: Path, smalls: list[Small], *, seed: int = 1, target: ClassMap | None = None, **settings: object
) -> ChipsTask:
    section = {"chips": 4, "size": 24, "granules": ("33TWL",)} | settings
    scenes = GranuleScenes(
        granule=GRANULE,
        candidates=tuple(one.scene for one in smalls),
        policy=Policy.parse("all"),
        rule=SceneFilter(),
        period=Period.year(2018),
    )
    return ChipsTask(
        store=str(folder),
        scenes=scenes,
        section=GranuleChips.model_validate({"draw": "granules", **section}),
        seed=seed,
        target=target,
    )


def drawn(folder: Path, one: ChipsTask) -> tuple[list[Sample], dict[str, str]]:
    outcome = one.run()
    assert [file.path for file in outcome.files] == [key_of(GRANULE)]
    return read_chips(GRANULE, LocalStore(folder))


@pytest.mark.parametrize(("seen", "count"), [(1.0, 15), (0.6, 30)], ids=["all", "two of three"])
def test_chips_lie_where_enough_scenes_have_data(smalls: list[Small], tmp_path: Path, seen: float, count: int) -> None:
    """On the granule's own pixels of 60 m, apart from each other."""
    chips, broken = drawn(tmp_path, task(tmp_path, smalls, seen=seen, chips=count))
    assert broken == {}
    middle = AREA.north - 1_200
    assert any(chip.bounds[1] < middle for chip in chips) == (seen < 1)
    taken = np.zeros(WHOLE.shape, np.uint8)
    for chip in chips:
        row, column = chip.grid(10).offset_in(WHOLE)
        assert (row % 6, column % 6) == (0, 0)
        taken[row : row + 24, column : column + 24] += 1
        assert shapely.box(*AREA.bounds).covers(shapely.box(*chip.bounds))
    assert taken.max() == 1


def test_the_same_seed_draws_the_same_chips(smalls: list[Small], tmp_path: Path) -> None:
    first, again, other = (
        [chip.bounds for chip in drawn(tmp_path / str(place), task(tmp_path / str(place), smalls, seed=seed))[0]]
        for place, seed in enumerate((1, 1, 2))
    )
    assert first == again != other


def test_a_broken_scene_is_left_out_from_here_on(smalls: list[Small], tmp_path: Path) -> None:
    """As if it had never been: chips then lie in the south, too."""
    whole = smalls[2].scene.layers[Role.CLASSIFICATION].href
    shutil.copy(whole, tmp_path / "SCL.tif")
    data = (tmp_path / "SCL.tif").read_bytes()
    (tmp_path / "SCL.tif").write_bytes(data[: len(data) // 3])
    layer = {Role.CLASSIFICATION: replace(smalls[2].scene.layers[Role.CLASSIFICATION], href=str(tmp_path / "SCL.tif"))}
    halved = replace(smalls[2], scene=replace(smalls[2].scene, layers=layer))
    one = task(tmp_path / "out", [*smalls[:2], halved], chips=30)
    outcome = one.run()
    chips, broken = read_chips(GRANULE, LocalStore(tmp_path / "out"))
    assert list(broken) == ["S2A_2"]
    assert broken["S2A_2"].startswith("S2A_2/SCL")
    assert [note.what for note in outcome.notes] == [f"S2A_2: {broken['S2A_2']}"]
    plain, _ = drawn(tmp_path / "plain", task(tmp_path / "plain", smalls[:2], chips=30))
    assert chips == plain


def test_too_few_places_are_said(smalls: list[Small], tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"33TWL: got .* places for chips without nodata"):
        task(tmp_path, smalls, chips=500).run()


def test_chips_may_be_spread_over_the_classes_of_a_map(smalls: list[Small], tmp_path: Path) -> None:
    """A class of a small corner gets as many chips as one of all the rest."""
    codes = np.full(AREA.at(60).shape, 10, np.uint8)
    codes[:12, 20:] = 60
    grid = AREA.at(60)
    with rasterio.open(
        tmp_path / "map.tif",
        "w",
        driver="GTiff",
        dtype="uint8",
        count=1,
        height=grid.height,
        width=grid.width,
        crs=f"EPSG:{grid.epsg}",
        transform=grid.affine,
    ) as file:
        file.write(codes, 1)
    target = ClassMap(path=str(tmp_path / "map.tif"), taxonomy="globeland30", overrides={})
    chips, _ = drawn(tmp_path / "a", task(tmp_path / "a", smalls, target=target, chips=6))
    corner = shapely.box(AREA.west + 1_200, AREA.north - 720, AREA.east, AREA.north)
    inside = sum(corner.contains(shapely.box(*chip.bounds).centroid) for chip in chips)
    assert inside == 3
