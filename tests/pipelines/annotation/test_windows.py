"""Windows of tasks: the pixels of the chip, padded by nodata, from a bounded memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.annotate.tasks.values import TaskWindow
from landloom.errors import InvalidInputError, NotFoundError
from landloom.pipelines.annotation.windows import WindowReader
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from tests.chips import World

CHIP = "32UPA_00"


@pytest.fixture(scope="module")
def reader(world: World, tmp_path_factory: pytest.TempPathFactory) -> WindowReader:
    return WindowReader(Corpus.open(world.folder, cache=tmp_path_factory.mktemp("cache")), context=24)


@given(row=st.integers(0, 52), column=st.integers(0, 52), height=st.integers(1, 8), width=st.integers(1, 8))
def test_a_window_is_cut_around_its_task(
    world: World, reader: WindowReader, row: int, column: int, height: int, width: int
) -> None:
    window = reader.window(TaskWindow(chip=CHIP, row=row, column=column, height=height, width=width))
    assert window.reflectance.shape == (4, 3, 24, 24)
    rows, columns = window.task
    inside = world.series[CHIP][..., row : row + height, column : column + width]
    np.testing.assert_array_equal(window.reflectance[..., rows, columns], inside)
    padded = np.pad(world.series[CHIP], ((0, 0), (0, 0), (24, 24), (24, 24)))
    top, left = row - window.row + 24, column - window.column + 24
    np.testing.assert_array_equal(window.reflectance, padded[..., top : top + 24, left : left + 24])
    assert not window.valid[(window.reflectance == 0).all(axis=1)].any()
    np.testing.assert_allclose(window.clear, window.valid[:, rows, columns].mean(axis=(1, 2)))


def test_a_chip_no_larger_than_the_context_is_shown_whole(world: World) -> None:
    window = WindowReader(world.folder, context=96).window(TaskWindow(chip=CHIP, row=30, column=0, height=30, width=30))
    assert window.reflectance.shape == (4, 3, 60, 60)
    assert (window.row, window.column) == (30, 0)


def test_the_payload_holds_reflectance_then_valid(reader: WindowReader) -> None:
    window = reader.window(TaskWindow(chip=CHIP, row=0, column=0, height=8, width=8))
    payload = window.payload()
    first = np.frombuffer(payload[: window.reflectance.nbytes], "<u2").reshape(window.reflectance.shape)
    np.testing.assert_array_equal(first, window.reflectance)
    rest = np.frombuffer(payload[window.reflectance.nbytes :], np.uint8).reshape(window.valid.shape)
    np.testing.assert_array_equal(rest, window.valid)


@pytest.mark.parametrize(
    ("task", "kind", "message"),
    [
        (TaskWindow(chip=CHIP, row=56, column=0, height=8, width=8), InvalidInputError, "up to row 64"),
        (TaskWindow(chip="32UPA_77", row=0, column=0, height=8, width=8), NotFoundError, "no sample '32UPA_77'"),
    ],
)
def test_tasks_outside_the_corpus_are_refused(
    reader: WindowReader, task: TaskWindow, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        reader.window(task)


def test_memory_is_bounded_and_the_latest_chips_stay(world: World, corpus: Corpus) -> None:
    one = WindowReader(corpus).chip(CHIP).size
    reader = WindowReader(corpus, cache_bytes=2 * one)
    chips = sorted(world.series)
    for chip in chips:
        reader.chip(chip)
        assert reader.kept_bytes <= 2 * one
    assert reader.chip(chips[-1]) is reader.chip(chips[-1])
    kept = reader.chip(chips[-2])
    reader.chip(chips[0])  # the least recently used one goes
    assert reader.chip(chips[-2]) is kept
    small = WindowReader(corpus, cache_bytes=one - 1)
    assert small.chip(CHIP) is not small.chip(CHIP)


def test_threads_share_one_reading(corpus: Corpus) -> None:
    reader = WindowReader(corpus)
    tasks = [TaskWindow(chip=CHIP, row=8 * n, column=8 * n, height=8, width=8) for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(reader.window, tasks))
    assert reader.kept_bytes == reader.chip(CHIP).size


def test_superpixels_of_a_task_count_from_1(reader: WindowReader) -> None:
    task = TaskWindow(chip=CHIP, row=20, column=20, height=16, width=16)
    found = reader.superpixels(task, 6)
    assert found.shape == (16, 16)
    assert found.dtype == np.uint16
    assert set(np.unique(found)) == set(range(1, int(found.max()) + 1))
    np.testing.assert_array_equal(found, reader.superpixels(task, 6))
