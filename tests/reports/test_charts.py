"""Charts of any size, with names that matplotlib would take for formulas, and without values."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.reports.charts import MOST_ROWS, confusion_matrix, interval_dots, stacked_bars, value_maps

PNG = b"\x89PNG\r\n\x1a\n"
NAMES = ["water", "$\\frac{a$", "_hidden", "<script>"]


@pytest.mark.parametrize("count", [0, 1, 4, MOST_ROWS + 5])
def test_charts_of_any_size(count: int) -> None:
    names = [NAMES[number % 4] for number in range(count)]
    numbers = np.linspace(0, 1, count).tolist()
    nothing = [float("nan")] * count
    for made in (
        stacked_bars(names, {"done": numbers, "$open": numbers}, "tasks"),
        stacked_bars(names, {"done": numbers}, "tasks"),
        interval_dots(names, nothing, numbers, numbers, "accuracy"),
        interval_dots(names, numbers, numbers, numbers, "accuracy"),
        value_maps({f"{number}{names[number]}": np.eye(3) * np.nan for number in range(count)}, "disagreement"),
    ):
        assert made.startswith(PNG)


@pytest.mark.parametrize("side", [1, 7, 31])
def test_confusion_matrices(side: int) -> None:
    counts = np.arange(side * side, dtype=np.int64).reshape(side, side)
    assert confusion_matrix(["$x" + str(n) for n in range(side)], counts).startswith(PNG)
    assert confusion_matrix(["y"] * side, counts) == confusion_matrix(["y"] * side, counts), "same bytes"
