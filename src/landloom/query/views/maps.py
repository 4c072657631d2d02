"""Samples on a map of longitude and latitude."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from landloom.errors import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from landloom.query.index.sidecar import Rows, Sidecar

_NAMED: Final = 40
"""Values that a legend names at most."""


class Placed(Protocol):
    """Selected samples: what a map needs of a selection."""

    @property
    def sidecar(self) -> Sidecar:
        """The corpus's index."""
        ...

    @property
    def rows(self) -> Rows:
        """Rows of the samples."""
        ...

    def counts(self, by: str) -> dict[str | None, int]:
        """Number of samples by zone, tile, stratum or split."""
        ...


def draw_map(chosen: Placed, by: str | None, axes: Axes) -> Axes:
    """Draw samples as dots, coloured by zone, tile, stratum or split.

    Args:
        chosen: the samples.
        by: what colours them; None for one colour.
        axes: to draw into.
    """
    from landloom.reports.figures import as_text, legend

    count = len(chosen.rows)
    middles = chosen.sidecar.corners(chosen.rows).mean(axis=1)
    if by is None:
        axes.scatter(middles[:, 0], middles[:, 1], s=4)
    else:
        from landloom.query.cql2.columns import RowColumns

        words = RowColumns(chosen.sidecar, chosen.rows).words(by)
        values = sorted(chosen.counts(by), key=str)
        drawn = []
        for value in values:
            own = np.array([word == value for word in words.texts], dtype=bool)[words.codes]
            grey = "0.8" if value is None else None
            dots = axes.scatter(middles[own, 0], middles[own, 1], s=4, color=grey, zorder=2 if grey is None else 1)
            drawn.append(dots)
        if count and len(values) <= _NAMED:
            names = ["none" if value is None else str(value) for value in values]
            legend(axes, drawn, names, title=by, markerscale=3, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    if count:
        axes.set_aspect(1 / np.cos(np.radians(middles[:, 1].mean())))
    axes.set_xlabel("longitude, °")
    axes.set_ylabel("latitude, °")
    axes.set_title(counted(count, "sample"))
    if (figure := axes.get_figure(root=True)) is not None:
        as_text(figure)
    return axes
