"""Charts of any size, with names that matplotlib would take for formulas, and without values."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.reports.charts import MOST_ROWS, confusion_matrix, error_grid, interval_dots, stacked_bars, value_maps

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


def test_error_grids_leave_cells_without_numbers_empty() -> None:
    values = np.array([[12.0, np.nan], [300.0, 0.5]])
    made = error_grid(["gap $a", "all"], ["Jan", "Feb"], values, np.array([[3, 0], [1_000, 2]]), "error")
    assert made.startswith(PNG)
    assert error_grid(["a"], ["b"], np.array([[np.nan]]), np.array([[0]]), "error").startswith(PNG)
