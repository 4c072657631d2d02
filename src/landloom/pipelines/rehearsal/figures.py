"""Figures of a rehearsal's page, as PNG bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.reports.figures import COLOURS, FAINT, INK, legend, new_figure, plain_axes, png

if TYPE_CHECKING:
    from landloom.pipelines.rehearsal.extrapolate import Extrapolated

_MOST: Final = 2048
"""Workers at the end of the axis."""


def hours_by_workers(whole: Extrapolated, measured: int) -> bytes:
    """Hours of the whole build against the number of workers, with what limits them.

    Args:
        whole: the whole recipe.
        measured: workers that were measured.
    """
    from matplotlib.ticker import FuncFormatter

    figure = new_figure(8, 3.6)
    axes = figure.add_subplot()
    counts = np.unique(np.geomspace(1, _MOST, 60).round().astype(int))
    hours = [whole.seconds(int(count)) / 3600 for count in counts]
    (line,) = axes.plot(counts, hours, color=COLOURS[0], linewidth=2)
    (here,) = axes.plot([measured], [whole.seconds(measured) / 3600], "o", color=COLOURS[1], markersize=7)
    network = axes.axhline(max(whole.limit, 1e-9) / 3600, color=FAINT, linewidth=1, linestyle="--")
    serial = axes.axhline(max(whole.serial, 1e-9) / 3600, color=COLOURS[2], linewidth=1, linestyle=":")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda _, __: ""))
    axes.set_xticks([1, 4, 16, 64, 256, 1024], ["1", "4", "16", "64", "256", "1,024"])
    axes.set_xlabel("workers", color=INK, fontsize=8)
    axes.set_ylabel("hours", color=INK, fontsize=8)
    names = ("whole build", "as many workers as measured", "bytes at the stated bandwidth", "coordinator alone")
    legend(axes, [line, here, network, serial], names, fontsize=8, frameon=False, loc="upper right")
    plain_axes(axes)
    return png(figure)
