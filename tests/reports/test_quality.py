"""Shares as HTML: every number once, names escaped, the longest bar for the largest share."""

from __future__ import annotations

import re

import numpy as np
import pytest

from landloom.reports.quality import share_bars, share_table


def test_a_table_holds_every_share_and_leaves_cells_without_one_empty() -> None:
    page = share_table(["<a>", "b"], ["2018-01", "2018-02"], np.array([[0.0, 1.0], [np.nan, 0.256]]))
    assert re.findall(r">(\d*)</td>", page) == ["", "0", "100", "", "26"]  # the corner is empty, too
    assert "&lt;a&gt;" in page


@pytest.mark.parametrize(
    ("shares", "widths"), [([0.1, 0.4], [25.0, 100.0]), ([0.0, 0.0], [0.0, 0.0]), ([np.nan, 0.4], [100.0])]
)
def test_bars_are_in_proportion(shares: list[float], widths: list[float]) -> None:
    page = share_bars(["one", "two"], shares, "pixels")
    assert page.count("no data") == np.isnan(shares).sum()
    assert [float(width) for width in re.findall(r"width:([\d.]+)%", page)] == widths
