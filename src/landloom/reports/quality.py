"""Shares of a corpus as HTML: a coloured table, and bars. They need no figure, and fit into any window."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.reports.page import scrolling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_LOW: Final = (255, 247, 222)
_HIGH: Final = (95, 175, 150)
"""Dark numbers can be read on all colours between them."""


def share_table(rows: Sequence[str], columns: Sequence[str], shares: NDArray[np.float64]) -> str:
    """A table of shares, in colour and as whole percentages.

    Args:
        rows: names, from the top.
        columns: names, from the left.
        shares: (row, column), 0 to 1; NaN for none.

    Example:
        >>> "<td" in share_table(["32N"], ["2018-01"], np.array([[0.5]]))
        True
    """
    header = "<td></td>" + "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    lines = [
        f"<tr><th>{html.escape(name)}</th>{''.join(_cell(float(share)) for share in row)}</tr>"
        for name, row in zip(rows, shares, strict=True)
    ]
    return scrolling(f'<table class="shares"><tr>{header}</tr>{"".join(lines)}</table>')


def tint(share: float) -> str:
    """The style of a cell whose colour shows a share, 0 to 1.

    Example:
        >>> tint(0.0), tint(1.0)
        ('background:rgb(255,247,222)', 'background:rgb(95,175,150)')
    """
    colour = ",".join(f"{low + share * (high - low):.0f}" for low, high in zip(_LOW, _HIGH, strict=True))
    return f"background:rgb({colour})"


def _cell(share: float) -> str:
    return f'<td style="{tint(share)}">{100 * share:.0f}</td>' if np.isfinite(share) else "<td></td>"


def share_bars(names: Sequence[str], shares: Sequence[float], unit: str) -> str:
    """A bar for each share, as long as it is in relation to the largest.

    Args:
        names: in order.
        shares: 0 to 1; NaN for none.
        unit: of what they are shares.

    Example:
        >>> share_bars(["0", "1"], [0.25, 0.75], "pixels").count("<tr>")
        2
    """
    most = max([*(share for share in shares if np.isfinite(share)), 1e-9])
    lines = "".join(
        f"<tr><th>{html.escape(name)}</th>{_bar(share, most)}</tr>" for name, share in zip(names, shares, strict=True)
    )
    return f'<table class="bars"><caption>{html.escape(unit)}</caption>{lines}</table>'


def _bar(share: float, most: float) -> str:
    if not np.isfinite(share):
        return '<td></td><td class="n">no data</td>'
    drawn = f'<td class="bar"><div><div style="width:{100 * share / most:.1f}%"></div></div></td>'
    return f'{drawn}<td class="n">{100 * share:.1f} %</td>'
