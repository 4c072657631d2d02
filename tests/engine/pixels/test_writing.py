"""Writing chips: whatever the order they come in and the layouts wanted, what is written reads back the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from landloom.corpus.layout import Layout
from landloom.corpus.manifest import FileEntry
from landloom.engine.pixels.reread import ChipSeries
from landloom.engine.pixels.writing import product_writer
from landloom.formats.geotiff import decode_geotiff
from landloom.formats.zarr.cubes import CubeReader
from landloom.model.ids import ChipId, GranuleId, TileId
from landloom.model.product import Product, product
from landloom.model.sample import Sample
from landloom.model.sensor import SENTINEL2
from landloom.model.time import Period, Timestep
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CELLS = tuple(Sample.of_utm24(cell) for cell in TileId.parse("33N_16E-243N").samples()[:18])
CHIPS = tuple(
    Sample(id=ChipId(GranuleId.parse("33TWL"), number), epsg=32633, bounds=(west, 5_000_000.0, west + 660, 5_000_660.0))
    for number, west in enumerate((500_040.0, 501_000.0))
)
START = datetime(2018, 1, 1, tzinfo=UTC)
STEPS = tuple(
    Timestep(day, f"{day:%Y-%m-%d}", Period(day, day + timedelta(days=1)))
    for day in (START + timedelta(days=5 * number) for number in range(3))
)
BANDS = (SENTINEL2["B05"], SENTINEL2["B11"])
NATIVE = replace(product("s2"), bands=BANDS, resolution=20)
SCENES = replace(NATIVE, key="s2_scenes", folder="S2-L2A", resolution=60)
PLAIN, GRANULES = Layout(name="a", version="1.0"), Layout(name="a", version="1.0", scheme="granule")


def cubes(samples: tuple[Sample, ...], item: Product, seed: int = 0) -> NDArray[Any]:
    """(sample, time, band, y, x) of random numbers."""
    grid = samples[0].grid(float(item.resolution or 10))
    shape = (len(samples), len(STEPS), len(item.bands), *grid.shape)
    return np.random.default_rng(seed).integers(1, 9_999, shape).astype(item.dtype)


def written(
    folder: str,
    array: NDArray[Any],
    layouts: tuple[str, ...],
    *,
    item: Product = NATIVE,
    samples: tuple[Sample, ...] = CELLS,
    layout: Layout = PLAIN,
    order: list[int] | None = None,
    observed: NDArray[np.bool_] | None = None,
) -> list[FileEntry]:
    """Write the chips that were observed, in an order."""
    there = np.ones(array.shape[:2], np.bool_) if observed is None else observed
    places = np.argwhere(there).tolist()
    with product_writer(
        store=folder, layout=layout, layouts=layouts, product=item, samples=samples, timesteps=STEPS, observed=observed
    ) as writer:
        for place in order or range(len(places)):
            sample, step = places[place]
            writer.write(sample, step, array[sample, step])
        return writer.finish()


def test_chips_lie_on_their_samples_grid_with_band_names(tmp_path: Path) -> None:
    array = cubes(CELLS, NATIVE)
    files = written(str(tmp_path), array, ("chips",))
    assert len(files) == len(CELLS) * len(STEPS)
    for row, sample in enumerate(CELLS):
        for column, step in enumerate(STEPS):
            data = (tmp_path / PLAIN.chip(sample.id, NATIVE, step.name)).read_bytes()
            chip, grid, info = decode_geotiff(data)
            np.testing.assert_array_equal(chip, array[row, column])
            assert (grid, info.nodata, info.bands) == (sample.grid(20), 0, ("B05", "B11"))


def test_a_band_is_a_file_where_the_layout_has_it_so(tmp_path: Path) -> None:
    array = cubes(CHIPS, SCENES)
    files = written(str(tmp_path), array, ("chips",), item=SCENES, samples=CHIPS, layout=GRANULES)
    assert len(files) == len(CHIPS) * len(STEPS) * len(BANDS)
    for place, band in enumerate(BANDS):
        key = GRANULES.chip(CHIPS[1].id, SCENES, STEPS[2].name, band.name)
        np.testing.assert_array_equal(decode_geotiff((tmp_path / key).read_bytes())[0][0], array[1, 2, place])


def test_cubes_are_zarr_as_zarr_reads_it_and_ours(tmp_path: Path) -> None:
    array = cubes(CELLS, NATIVE)
    written(str(tmp_path), array, ("cubes",))
    folder = PLAIN.cube(CELLS[0].id, NATIVE)
    opened: Any = zarr.open_group(str(tmp_path / folder), mode="r")
    np.testing.assert_array_equal(opened["data"][:], array)
    store = open_store(str(tmp_path))
    reader = CubeReader(store.get, store.get_range, f"{folder}/")
    assert reader.spec.timesteps == tuple(step.name for step in STEPS)
    assert reader.spec.times == tuple(step.stamp for step in STEPS)
    for row, sample in enumerate(CELLS):
        np.testing.assert_array_equal(reader.read(str(sample.id)), array[row])
        assert reader.grid(row) == sample.grid(20)


@settings(max_examples=10)
@given(st.permutations(range(len(CHIPS) * len(STEPS))))
def test_the_order_in_which_chips_come_changes_no_byte(order: list[int]) -> None:
    array, both = cubes(CHIPS, SCENES), ("chips", "cubes")
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        rest: dict[str, Any] = {"item": SCENES, "samples": CHIPS, "layout": GRANULES}
        first = written(one, array, both, **rest)
        second = written(other, array, both, **rest, order=order)
    assert sorted(first, key=lambda file: file.path) == sorted(second, key=lambda file: file.path)


def test_both_layouts_are_each_as_if_alone(tmp_path: Path) -> None:
    array = cubes(CELLS, NATIVE)
    both = {file.path: file for file in written(str(tmp_path / "both"), array, ("chips", "cubes"))}
    alone = [file for name in ("chips", "cubes") for file in written(str(tmp_path / name), array, (name,))]
    assert both == {file.path: file for file in alone}


def test_the_files_named_are_those_written(tmp_path: Path) -> None:
    files = written(str(tmp_path), cubes(CELLS, NATIVE), ("chips", "cubes"))
    there = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {file.path: file for file in files} == {path: FileEntry.of(path, data) for path, data in there.items()}


@settings(max_examples=20)
@given(st.integers(0, 2 ** (len(CHIPS) * len(STEPS)) - 1), st.sampled_from(["chips", "cubes"]))
def test_what_was_not_observed_is_no_chip_and_reads_as_nodata(bits: int, layout: str) -> None:
    observed = np.array([bits >> place & 1 for place in range(len(CHIPS) * len(STEPS))], np.bool_)
    observed = observed.reshape(len(CHIPS), len(STEPS))
    array = cubes(CHIPS, SCENES)
    wanted = np.where(observed[:, :, None, None, None], array, 0)
    names = [step.name for step in STEPS]
    with TemporaryDirectory() as folder:
        files = written(folder, array, (layout,), item=SCENES, samples=CHIPS, layout=GRANULES, observed=observed)
        store = open_store(folder)
        chips = ChipSeries(store, GRANULES, (layout,), SCENES, CHIPS)
        for row, sample in enumerate(CHIPS):
            np.testing.assert_array_equal(chips.read(sample, names, observed[row].tolist()), wanted[row])
        if layout == "chips":
            assert len(files) == int(observed.sum()) * len(BANDS)
        else:
            reader = CubeReader(store.get, store.get_range, f"{GRANULES.cube(CHIPS[0].id, SCENES)}/")
            assert reader.spec.observed == tuple(tuple(row) for row in observed.tolist())


def test_what_is_not_written_of_a_product_with_another_nodata_is_that(tmp_path: Path) -> None:
    item = replace(SCENES, nodata=9)
    observed = np.zeros((len(CHIPS), len(STEPS)), np.bool_)
    written(str(tmp_path), cubes(CHIPS, item), ("cubes",), item=item, samples=CHIPS, layout=GRANULES, observed=observed)
    store = open_store(str(tmp_path))
    reader = CubeReader(store.get, store.get_range, f"{GRANULES.cube(CHIPS[0].id, item)}/")
    assert (reader.read(str(CHIPS[0].id)) == 9).all()


def test_nothing_of_a_cube_is_written_before_the_end(tmp_path: Path) -> None:
    """And nothing at all where the work was given up."""
    array, writers = cubes(CHIPS, SCENES), []
    rest: dict[str, Any] = {"product": SCENES, "samples": CHIPS, "timesteps": STEPS, "layouts": ("cubes",)}

    def work() -> None:
        with product_writer(store=str(tmp_path), layout=GRANULES, **rest) as writer:
            writers.append(writer)
            writer.write(0, 0, array[0, 0])
            assert not list(tmp_path.iterdir())
            raise KeyError("given up")

    with pytest.raises(KeyError, match="given up"):
        work()
    assert not list(tmp_path.iterdir())
    with pytest.raises(RuntimeError, match="within its with block"):
        writers[0].finish()


@pytest.mark.parametrize("whole", [range(18), range(0, 18, 2), []], ids=["all", "some", "none"])
def test_whole_cubes_are_written_as_their_chips_are(tmp_path: Path, whole: range) -> None:
    array, layouts = cubes(CELLS, NATIVE), ("chips", "cubes")
    expected = written(str(tmp_path / "chips"), array[:17], layouts, samples=CELLS)
    options: dict[str, Any] = {"layout": PLAIN, "layouts": layouts, "product": NATIVE}
    store = str(tmp_path / "cubes")
    with product_writer(store=store, samples=CELLS, timesteps=STEPS, **options) as writer:
        for sample in range(17):  # the last has no chip
            if sample in whole:
                writer.write_cube(sample, array[sample])
            else:
                for step, chip in enumerate(array[sample]):
                    writer.write(sample, step, chip)
        files = writer.finish()
    assert sorted(files) == sorted(expected)


@pytest.mark.parametrize(
    ("layout", "steps"), [("chips", STEPS), ("cubes", STEPS), ("cubes", STEPS[:1]), ("parts", STEPS[:1])]
)
def test_a_timestep_that_is_begun_again_is_as_if_it_had_come_once(
    tmp_path: Path, layout: str, steps: tuple[Timestep, ...]
) -> None:
    """The first try has chips of more samples, and other numbers; none of them is stored."""
    array, other = cubes(CELLS, NATIVE), cubes(CELLS, NATIVE, seed=1)
    options: dict[str, Any] = {"layout": PLAIN, "layouts": (layout,), "product": NATIVE}

    def made(store: Path, tries: list[tuple[NDArray[Any], int]]) -> dict[str, bytes]:
        with product_writer(store=str(store), samples=CELLS, timesteps=steps, **options) as writer:
            for index in range(len(steps)):
                for numbers, count in tries:
                    writer.begin(index)
                    for sample in range(count):
                        writer.write(sample, index, numbers[sample, index])
                assert index or not list(store.rglob("*.*"))
                writer.complete()
            writer.finish()
        return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}

    twice = made(tmp_path / "twice", [(other, 18), (array, 16)])
    assert twice
    assert twice == made(tmp_path / "once", [(array, 16)])
