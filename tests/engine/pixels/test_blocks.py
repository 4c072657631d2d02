"""Blocks and strips: every sample once, every row once, no more in memory than allowed."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from landloom.engine.pixels.blocks import blocks, strips
from landloom.model.grid import Grid
from landloom.model.ids import TileId
from landloom.model.sample import Sample

CELLS = [Sample.of_utm24(cell) for cell in TileId.parse("33N_16E-243N").samples()]
METRES = st.sampled_from([10.0, 20.0, 60.0])


@given(st.integers(0, 2**16), st.integers(1, 60), METRES, st.sampled_from([60, 120, 600]))
def test_every_sample_lies_in_one_block_that_is_tight_around_its_own(
    seed: int, count: int, metres: float, side: int
) -> None:
    samples = random.Random(seed).sample(CELLS, count)  # noqa: S311 - samples, not secrets
    found = blocks(samples, metres, side)
    assert sorted(place for block in found for place in block.samples) == list(range(count))
    for block in found:
        own = [samples[place].grid(metres) for place in block.samples]
        assert block.grid.bounds == (
            min(grid.west for grid in own),
            min(grid.south for grid in own),
            max(grid.east for grid in own),
            max(grid.north for grid in own),
        )
        assert max(block.grid.shape) * metres <= side * metres + 600
        for grid in own:
            row, column = grid.offset_in(block.grid)
            assert block.grid.window(row, column, *grid.shape) == grid


@given(st.integers(0, 2**16))
def test_grids_that_are_known_are_those_that_would_be_made(seed: int) -> None:
    samples = random.Random(seed).sample(CELLS, 20)  # noqa: S311 - samples, not secrets
    assert blocks(samples, 20.0, 600, [sample.grid(20.0) for sample in samples]) == blocks(samples, 20.0, 600)


@given(METRES, st.integers(1, 12), st.integers(0, 40), st.integers(0, 12), st.integers(1, 10**8))
def test_strips_are_the_grid_cut_between_whole_rows_of_60_m(
    metres: float, side: int, observations: int, bands: int, budget: int
) -> None:
    grid = Grid.of_bounds(32633, (0, 0, 600 * side, 600 * side), metres)
    found = list(strips(grid, observations, bands, budget))
    step = round(60 / metres)
    assert [row for row, _ in found] == [sum(one.height for _, one in found[:place]) for place in range(len(found))]
    assert sum(one.height for _, one in found) == grid.height
    for row, strip in found:
        assert strip == grid.window(row, 0, strip.height, grid.width)
        assert row % step == 0
        fits = observations * bands * 2 * grid.width * strip.height <= budget
        assert fits or strip.height <= step, "a strip of one row of 60 m is read whatever the budget"
