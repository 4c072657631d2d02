"""The figures of a report, as PNG bytes."""

from __future__ import annotations

import io
from functools import partial
from math import cos, radians
from textwrap import fill
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.model.rendering.palettes import distinct
from landloom.reports.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from matplotlib.ticker import Formatter
    from numpy.typing import NDArray

INK: Final = "#1d2a30"
FAINT: Final = "#9aa7ad"
COLOURS: Final = distinct(8)
"""Colours that people of any colour vision tell apart, in this order."""
DPI: Final = 130
MOST_TILES: Final = 40
"""Tiles that a figure has rows for."""
_WRAPPED: Final = 56
"""Letters of a line of a name."""
NODATA_GREY: Final = 222
"""Grey of pixels without data in true-colour pictures."""


def new_figure(width: float, height: float) -> Figure:
    """An empty figure with this width and height in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")


def as_text(figure: Figure) -> Figure:
    r"""Have every word of a figure drawn as it is written: `$` begins no formula, control characters steer nothing.

    Names of classes, strata and countries come from files; matplotlib reads `$\frac{a$` as mathematics, and fails.
    """
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, FixedFormatter | FuncFormatter):  # names, not numbers
                axis.set_major_formatter(FuncFormatter(partial(_plain_tick, formatter)))
    for text in figure.findobj(Text):
        if isinstance(text, Text):
            text.set_parse_math(False)
            text.set_text(plain(text.get_text()))
    return figure


def _plain_tick(formatter: Formatter, value: float, position: int | None = None) -> str:
    return plain(str(formatter(value, position)))


def legend(axes: Any, handles: Sequence[Any], names: Sequence[str], **options: Any) -> None:
    """A legend with just these names: matplotlib would leave out those that begin with an underscore."""
    shown = axes.legend(handles, [str(position) for position in range(len(names))], **options)
    for text, name in zip(shown.get_texts(), names, strict=True):
        text.set_text(name)


def png(figure: Figure) -> bytes:
    """A figure as PNG, with reproducible bytes."""
    buffer = io.BytesIO()
    as_text(figure).savefig(buffer, format="png", metadata={"Software": None}, bbox_inches="tight", pad_inches=0.08)
    return buffer.getvalue()


def plain_axes(axes: Any) -> None:
    """Keep only the left and bottom axes, in the colours of the page."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=8, length=3)


def sample_map(outlines: NDArray[np.float64], groups: Sequence[str]) -> bytes:
    """Footprints of all samples, coloured by group.

    Args:
        outlines: (n, corner, 2) longitude and latitude of their corners in degrees, one after the other.
        groups: (n,) stratum or split of each sample.
    """
    from matplotlib.collections import PolyCollection
    from matplotlib.patches import Patch

    (west, south), (east, north) = outlines.min(axis=(0, 1)), outlines.max(axis=(0, 1))
    stretch = 1 / cos(radians((south + north) / 2))
    span = max(east - west, (north - south) * stretch, 1e-3)
    height = float(np.clip(7 * (north - south) * stretch / span, 2.2, 7))
    figure = new_figure(8, height)
    axes = figure.add_subplot()
    names = sorted(set(groups))
    for index, name in enumerate(names):
        rows = [row for row, group in enumerate(groups) if group == name]
        colour = COLOURS[index % len(COLOURS)]
        axes.add_collection(PolyCollection(list(outlines[rows]), facecolor=colour, edgecolor="white", linewidth=0.4))
    pad = 0.05 * span
    axes.set_xlim(west - pad, east + pad)
    axes.set_ylim(south - pad / stretch, north + pad / stretch)
    axes.set_aspect(stretch)
    axes.grid(color="#e4e9eb", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.ticklabel_format(useOffset=False)
    axes.set_xlabel("longitude, °", color=INK, fontsize=8)
    axes.set_ylabel("latitude, °", color=INK, fontsize=8)
    handles = [Patch(color=COLOURS[position % len(COLOURS)]) for position in range(len(names))]
    legend(axes, handles, names, fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    plain_axes(axes)
    return png(figure)


def paired_bars(
    names: Sequence[str],
    wanted: Sequence[float],
    achieved: Sequence[float],
    unit: str,
    labels: tuple[str, str] = ("wanted", "achieved"),
) -> bytes:
    """Target and achieved values side by side, one row per name."""
    wrapped = [fill(name, _WRAPPED) for name in names]
    lines = max((name.count("\n") + 1 for name in wrapped), default=1)
    figure = new_figure(8, 1.1 + max(0.3, 0.15 * lines) * len(names))
    axes = figure.add_subplot()
    positions = np.arange(len(names))
    axes.barh(positions - 0.2, wanted, 0.36, color=FAINT, label=labels[0])
    axes.barh(positions + 0.2, achieved, 0.36, color=COLOURS[0], label=labels[1])
    axes.set_yticks(positions, wrapped)
    axes.invert_yaxis()
    axes.set_xlabel(unit, color=INK, fontsize=8)
    axes.legend(fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    plain_axes(axes)
    return png(figure)


def observation_grid(tiles: Sequence[str], timesteps: Sequence[str], means: NDArray[np.float64]) -> bytes:
    """Mean valid observations per tile and timestep; cells without observations are marked.

    Args:
        tiles: rows; of many, the MOST_TILES with the fewest observations are shown.
        timesteps: columns.
        means: (tile, timestep).
    """
    order = np.sort(np.argsort(means.mean(axis=1), kind="stable")[:MOST_TILES])
    tiles, means = [tiles[number] for number in order], means[order]
    figure = new_figure(8, 0.9 + 0.34 * len(tiles))
    axes = figure.add_subplot()
    shown = axes.imshow(means, cmap="YlGn", aspect="auto", vmin=0, vmax=max(float(means.max()), 1))
    axes.set_xticks(range(len(timesteps)), timesteps, rotation=45, ha="right")
    axes.set_yticks(range(len(tiles)), tiles)
    if means.size <= 600:
        for row in range(len(tiles)):
            for column in range(len(timesteps)):
                value = means[row, column]
                dark = value > 0.6 * max(float(means.max()), 1)
                axes.text(
                    column,
                    row,
                    "none" if value == 0 else f"{value:.1f}",
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="#b8505d" if value == 0 else "white" if dark else INK,
                )
    plain_axes(axes)
    scale = figure.colorbar(shown, ax=axes, shrink=0.9)
    scale.ax.tick_params(labelsize=7)
    scale.set_label("observations", fontsize=8, color=INK)
    return png(figure)


def chip_rows(rows: Mapping[str, Sequence[tuple[str, NDArray[np.uint8]]]]) -> bytes:
    """Small multiples: one row per sample, its chips in time order.

    Args:
        rows: sample → timestep and (y, x, 3) picture of each chip.
    """
    columns = max(len(row) for row in rows.values())
    width = max(8.0, 0.9 * columns)
    side = max(max(picture.shape[:2]) for row in rows.values() for _, picture in row)
    figure = new_figure(width, len(rows) * (width / columns + 0.25))
    # One pair of axes for all: a pair for each picture takes a hundred times as long to lay out.
    axes = figure.add_subplot()
    across, down = side * 1.08, side * (1.08 + 0.25 * columns / width)
    for line, (sample, chips) in enumerate(rows.items()):
        top = line * down
        for column, (timestep, picture) in enumerate(chips):
            left, (height, breadth) = column * across, picture.shape[:2]
            axes.imshow(picture, extent=(left, left + breadth, top + height, top), interpolation="nearest")
            axes.text(left + breadth / 2, top, timestep, fontsize=6, color=INK, ha="center", va="bottom")
        axes.text(0, top + side * 1.02, sample, fontsize=6, color=INK, va="top")
    axes.set_xlim(0, columns * across)
    axes.set_ylim(len(rows) * down, -0.15 * side)
    axes.set_axis_off()
    return png(figure)


def true_colour(chip: NDArray[Any], red: int, green: int, blue: int) -> NDArray[np.uint8]:
    """True-colour picture of a chip: reflectance 0 to 0.25, brightened; nodata is light grey.

    Args:
        chip: (band, y, x) reflectance × 10,000, 0 is nodata.
        red: position of the red band.
        green: position of the green band.
        blue: position of the blue band.
    """
    stack = np.stack([chip[red], chip[green], chip[blue]], axis=-1).astype(np.float32)
    bright = np.clip(stack / 2500, 0, 1) ** (1 / 1.6)
    picture: NDArray[np.uint8] = (bright * 255).astype(np.uint8)
    picture[(stack == 0).all(axis=-1)] = NODATA_GREY
    return picture
