"""Cells sorted into lattices: each in one block, at its place."""

from __future__ import annotations

from landloom.labels.cell_blocks import blocks_of
from landloom.model.ids import SampleId


def test_cells_of_a_tile_share_a_block() -> None:
    tile = [SampleId.parse(f"33N_16E-243N_{r:02d}_{c:02d}").grid(10) for r in (1, 40) for c in (1, 40)]
    blocks = list(blocks_of(tile))
    assert len(blocks) == 1
    assert blocks[0].pixels.tolist() == [0, 39, 39 * 40, 1599]
    assert len(list(blocks_of([tile[0], tile[0].window(1, 0, 60, 60)]))) == 2
