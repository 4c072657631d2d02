"""Counts of values in cells against numpy."""

from __future__ import annotations

import numpy as np

from landloom.labels.histogram import count_values


def test_counts_are_bincounts_also_at_the_border() -> None:
    raster = np.random.default_rng(0).integers(0, 256, (97, 83), np.uint8)
    rows, columns = np.array([0, 90, -3, 40, 500]), np.array([0, 80, -2, 11, 0])
    counts = count_values(raster, rows, columns, 13, 9)
    for place, (row, column) in enumerate(zip(rows, columns, strict=True)):
        part = raster[max(row, 0) : max(row + 13, 0), max(column, 0) : max(column + 9, 0)]
        assert counts[place].tolist() == np.bincount(part.ravel(), minlength=256).tolist()
