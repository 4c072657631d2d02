"""Products on a regular axis: what a reducer makes of whole scenes, cut into chips; and memory that does not grow."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from benchmarks.memory import peak_gib
from tests.engine.small_scenes import AREA, Small, numbers_of, write_scene

from landloom.corpus.layout import Layout
from landloom.engine.pixels.masks import PixelMask
from landloom.engine.reducers import Objection
from landloom.engine.timesteps import TimestepTask
from landloom.engine.units import NoteKind, Outcome
from landloom.formats.geotiff import decode_geotiff, encode_cog
from landloom.imagery.composite import Observation
from landloom.model.ids import TileId, WindowId
from landloom.model.product import RAPIDAI4EO_BANDS, product
from landloom.model.sample import Sample
from landloom.model.sensor import SENTINEL2
from landloom.model.time import Cadence, Period
from landloom.products.composite.kind import MedianReducer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TILE = TileId.parse("33N_16E-243N")
SCENES = 150
BANDS = ("B04", "B08")
LAYOUT = Layout(name="m", version="1.0", scheme="window")
BRIGHTEST = replace(product("s2"), bands=tuple(SENTINEL2[name] for name in BANDS))
SEEN = replace(product("s2"), key="seen", folder="SEEN", bands=(SENTINEL2["B01"],), dtype="uint8", nodata=None)
STEPS = Cadence.parse("month").timesteps(Period.parse("2018-06-01", "2018-09-01"))


@dataclass(frozen=True, slots=True)
class Brightest:
    """The largest valid number of each band, and how many there were; a chip that shows nothing is refused if asked."""

    refuses: bool = False
    wonders: bool = False

    def reduce(self, observations: Sequence[Observation], shape: tuple[int, int], bands: int) -> list[NDArray[Any]]:
        numbers = np.zeros((bands, *shape), np.uint16)
        seen = np.zeros((1, *shape), np.uint8)
        for one in observations:
            numbers = np.maximum(numbers, np.where(one.valid, one.bands, 0))
            seen += one.valid
        return [numbers, seen]

    def objection(self, chips: Sequence[NDArray[Any]], count: NDArray[np.uint16]) -> Objection | None:
        assert np.array_equal(chips[1][0], count), "it is counted beside the reducer"
        if count.any() or not (self.refuses or self.wonders):
            return None
        return Objection(reason="nothing in it", certain=self.refuses)


def window(row: int, column: int) -> Sample:
    """A window of 240 m of the small scenes' area."""
    west, north = AREA.west + 240 * column, AREA.north - 240 * row
    identity = WindowId("33N-500040E-5002440N", row + 1, column + 1)
    return Sample(id=identity, epsg=AREA.epsg, bounds=(west, north - 240, west + 240, north))


SAMPLES = (window(0, 0), window(2, 3), window(9, 9))


def at(day: str, **rest: Any) -> dict[str, Any]:
    return {"time": datetime.fromisoformat(f"{day}T10:00:00+00:00"), "platform": "sentinel-2a", "orbit": 1} | rest


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Small]:
    """Two in June, two of one overpass in July, the other granule's in another order; none in August."""
    folder = tmp_path_factory.mktemp("scenes")
    said = {
        "a": at("2018-06-01"),
        "b": at("2018-06-20"),
        "c": at("2018-07-05", granule="33TVL"),
        "d": at("2018-07-05", granule="33TWL"),
    }
    names = (*BANDS, "SCL")
    return {name: write_scene(folder, numbers_of(ord(name), names), name=name, **rest) for name, rest in said.items()}


def task(folder: Path, scenes: Sequence[Small], reducer: Brightest | None = None) -> TimestepTask:
    return TimestepTask(
        store=str(folder),
        layout=LAYOUT,
        layouts=("chips",),
        products=(BRIGHTEST, SEEN),
        reducer=reducer or Brightest(),
        bands=BANDS,
        mask=PixelMask(dilate=0),
        resolution=10.0,
        samples=SAMPLES,
        timesteps=STEPS,
        scenes=tuple(one.scene for one in scenes),
    )


def observed(small: Small) -> Observation:
    """All of a scene."""
    bands = np.stack([small.numbers[name] for name in BANDS])
    clear = np.isin(small.numbers["SCL"], (4, 5, 6, 7, 11)).repeat(2, 0).repeat(2, 1)
    return Observation(bands=bands, valid=clear & (bands > 0).all(axis=0))


def chip(folder: Path, sample: Sample, step: str, item: Any = BRIGHTEST) -> Any:
    return decode_geotiff((folder / LAYOUT.chip(sample.id, item, step)).read_bytes())[0]


def assert_chips(folder: Path, step: str, seen: Sequence[Observation]) -> None:
    numbers, counts = Brightest().reduce(seen, AREA.shape, len(BANDS))
    for sample in SAMPLES:
        row, column = sample.grid(10).offset_in(AREA)
        part = np.s_[:, row : row + 24, column : column + 24]
        np.testing.assert_array_equal(chip(folder, sample, step), numbers[part])
        np.testing.assert_array_equal(chip(folder, sample, step, SEEN), counts[part])


def test_chips_are_cut_from_what_whole_scenes_come_to(scenes: dict[str, Small], tmp_path: Path) -> None:
    """An overpass that two granules show is one observation: the second fills what the first does not show."""
    outcome = task(tmp_path, list(scenes.values())[::-1]).run()
    first, second, third, fourth = (observed(one) for one in scenes.values())
    assert_chips(tmp_path, "2018-06", [first, second])
    merged = Observation(bands=np.where(third.valid, third.bands, fourth.bands), valid=third.valid | fourth.valid)
    assert_chips(tmp_path, "2018-07", [merged])
    assert_chips(tmp_path, "2018-08", [])
    assert len(outcome.files) == len(SAMPLES) * len(STEPS) * 2
    assert [(one.product, one.timesteps) for one in outcome.observed] == [("s2", STEPS), ("seen", STEPS)]
    assert all(one.table.all() for one in outcome.observed)


def test_lineage_says_which_scenes_are_behind_a_timestep(scenes: dict[str, Small], tmp_path: Path) -> None:
    lineage = task(tmp_path, list(scenes.values())).run().lineage
    assert lineage is not None
    told = {step.timestep: [scene.id for scene in step.scenes] for step in lineage.timesteps}
    assert told == {"2018-06": ["a", "b"], "2018-07": ["c", "d"], "2018-08": []}
    counts = [chip(tmp_path, sample, "2018-06", SEEN).mean() for sample in SAMPLES]
    assert lineage.timesteps[0].observations == pytest.approx(np.mean(counts))
    assert [step.left_out for step in lineage.timesteps] == [()] * 3


def test_bands_are_read_only_of_granules_that_add_a_pixel(scenes: dict[str, Small], tmp_path: Path) -> None:
    """The other granule of an overpass has the same usable pixels, and its bands are not there at all."""
    twin = replace(scenes["a"].scene, id="twin", granule="33TZZ", bands={})
    outcome = task(tmp_path, [scenes["a"], scenes["b"], replace(scenes["a"], scene=twin)]).run()
    assert_chips(tmp_path, "2018-06", [observed(scenes["a"]), observed(scenes["b"])])
    assert outcome.lineage is not None
    june = outcome.lineage.timesteps[0]
    assert [scene.id for scene in june.scenes] == ["a", "b"]
    assert (june.without_new_pixels, june.without_valid_pixels, june.left_out) == (("twin",), (), ())
    assert june.document()["without_new_pixels"] == ("twin",)


@dataclass(frozen=True, slots=True)
class InGridPixels:
    """Medians of whole observations."""

    reducer: MedianReducer

    def reduce(self, observations: Sequence[Observation], shape: tuple[int, int], bands: int) -> Any:
        return self.reducer.reduce(observations, shape, bands)

    def objection(self, chips: Sequence[NDArray[Any]], count: NDArray[np.uint16]) -> Objection | None:
        return self.reducer.objection(chips, count)


def test_medians_in_the_bands_own_pixels_are_those_in_the_grids(tmp_path: Path) -> None:
    """The corner without data cuts pixels of 60 m; the second granule adds some to the first's."""
    names = ("B04", "B05", "B01", "SCL")
    said = {"c": at("2018-07-05", granule="33TVL"), "d": at("2018-07-05", granule="33TWL"), "e": at("2018-07-20")}
    found = [write_scene(tmp_path, numbers_of(ord(name), names), name=name, **rest) for name, rest in said.items()]
    bands = tuple(SENTINEL2[name] for name in names[:3])
    made = {}
    for reducer in (MedianReducer(count=False), InGridPixels(MedianReducer(count=False))):
        own = replace(
            task(tmp_path / type(reducer).__name__, found), reducer=reducer, bands=names[:3], products=(BRIGHTEST,)
        )
        own = replace(own, products=(replace(BRIGHTEST, bands=bands),), mask=PixelMask(dilate=1))
        made[reducer] = {(file.path, file.sha256) for file in own.run().files}
    first, second = made.values()
    assert first == second


def test_a_broken_scene_is_left_out_of_its_timestep_as_if_it_had_never_been(
    scenes: dict[str, Small], tmp_path: Path
) -> None:
    folder = Path(scenes["b"].scene.bands["B08"].href).parents[1]
    shutil.copytree(folder, tmp_path / "copy")
    broken = tmp_path / "copy" / "b" / "B08.tif"
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    bands = {**scenes["b"].scene.bands, "B08": replace(scenes["b"].scene.bands["B08"], href=str(broken))}
    halved = replace(scenes["b"], scene=replace(scenes["b"].scene, bands=bands))
    outcome = task(tmp_path / "out", [scenes["a"], halved]).run()
    assert_chips(tmp_path / "out", "2018-06", [observed(scenes["a"])])
    assert outcome.lineage is not None
    (left_out,) = outcome.lineage.timesteps[0].left_out
    assert left_out.id == "b"
    assert left_out.reason.startswith("b/B08")
    assert [scene.id for scene in outcome.lineage.timesteps[0].scenes] == ["a"]


def test_a_chip_that_must_not_be_published_is_named_and_fails_alone(scenes: dict[str, Small], tmp_path: Path) -> None:
    """The north-western window lies where no scene has data, and no scene is from August."""
    outcome = task(tmp_path, list(scenes.values()), Brightest(refuses=True)).run()
    assert [str(chip) for chip in outcome.refused] == [
        f"{SAMPLES[0].id} 2018-06: nothing in it",
        f"{SAMPLES[0].id} 2018-07: nothing in it",
        *(f"{sample.id} 2018-08: nothing in it" for sample in SAMPLES),
    ]
    for one in outcome.observed:
        np.testing.assert_array_equal(one.table, [[False, False, False], [True, True, False], [True, True, False]])
    assert len(outcome.files) == 2 * 2 * 2
    assert Outcome.parse(outcome.files, outcome.document()).refused == outcome.refused


def test_a_chip_that_is_odd_is_written_and_noted(scenes: dict[str, Small], tmp_path: Path) -> None:
    outcome = task(tmp_path, list(scenes.values()), Brightest(wonders=True)).run()
    assert not outcome.refused
    assert {note.kind for note in outcome.notes} == {NoteKind.ODD}
    assert f"{SAMPLES[1].id} 2018-08: nothing in it" in [note.what for note in outcome.notes]
    assert all(one.table.all() for one in outcome.observed)


# Memory -----------------------------------------------------------------------------------------------------------


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
    code = f"from tests.engine import test_timesteps as t; t.worker({str(tmp_path)!r})"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r}); {code}"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    files, peak = shown.stdout.split()
    assert int(files) == 4
    assert float(peak) < 2.0, f"{peak} GiB"


def worker(folder: str) -> None:
    """Composite a month of 150 scenes in this process, and print its files and its peak memory in GiB."""
    from shapely import box

    from landloom.model.scene import Role, Scene, SceneFile

    assets = {name: SceneFile(href=str(Path(folder) / f"{name}.tif")) for name in RAPIDAI4EO_BANDS}
    layers = {Role.CLASSIFICATION: SceneFile(href=str(Path(folder) / "SCL.tif"))}
    start = datetime(2018, 1, 1, tzinfo=UTC)
    scenes = tuple(
        Scene(
            id=f"s{n:03d}",
            time=start + timedelta(hours=n),
            granule=None,
            epsg=TILE.zone.epsg,
            platform="a",
            orbit=n,
            footprint=box(0, 0, 1, 1),
            bands=assets,
            layers=layers,
        )
        for n in range(SCENES)
    )
    cells = TILE.samples()
    corners = [cells[0], cells[9], cells[9 * 40], cells[9 * 40 + 9]]
    outcome = TimestepTask(
        store=str(Path(folder) / "out"),
        layout=Layout(name="m", version="1.0"),
        layouts=("chips",),
        products=(product("s2"),),
        reducer=MedianReducer(count=False),
        bands=RAPIDAI4EO_BANDS,
        mask=PixelMask(dilate=0),
        resolution=10.0,
        samples=tuple(Sample.of_utm24(cell) for cell in corners),
        timesteps=Cadence.parse("month").timesteps(Period.parse("2018-01-01", "2018-02-01")),
        scenes=scenes,
    ).run()
    assert outcome.lineage is not None
    assert len(outcome.lineage.timesteps[0].scenes) == SCENES
    sys.stdout.write(f"{len(outcome.files)} {peak_gib()}\n")
