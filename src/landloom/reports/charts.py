"""Charts of a campaign, as PNG bytes: bars, shares with intervals, confusion matrices, values on a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.reports.figures import COLOURS, FAINT, INK, legend, new_figure, plain_axes, png

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

MOST_ROWS: Final = 60
"""Rows of a chart; a note says how many more there are."""
_LONGEST: Final = 34


def stacked_bars(names: Sequence[str], parts: Mapping[str, Sequence[float]], axis: str) -> bytes:
    """A horizontal bar for each name, made of parts.

    Args:
        names: of the bars, from the top.
        parts: name of a part → its length in each bar.
        axis: label of the x axis, with the unit.
    """
    from matplotlib.patches import Patch

    figure, axes, positions = _rows(names)
    start = np.zeros(len(positions))
    for number, values in enumerate(parts.values()):
        lengths = np.asarray(values, np.float64)[: len(positions)]
        axes.barh(positions, lengths, 0.7, left=start, color=COLOURS[number % len(COLOURS)])
        start = start + lengths
    if len(parts) > 1:
        handles = [Patch(color=COLOURS[number % len(COLOURS)]) for number in range(len(parts))]
        options = {"fontsize": 8, "frameon": False, "loc": "lower left", "bbox_to_anchor": (0, 1)}
        legend(axes, handles, list(parts), ncols=min(len(parts), 4), **options)
    axes.set_xlabel(axis, color=INK, fontsize=8)
    return png(figure)


def interval_dots(
    names: Sequence[str],
    values: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    axis: str,
    *,
    limits: tuple[float, float] | None = (-0.02, 1.02),
    mark: float | None = None,
) -> bytes:
    """A value with its interval for each name; names without a value keep an empty row.

    Args:
        names: of the rows, from the top.
        values: or NaN.
        lows: lower ends; NaN for no interval.
        highs: upper ends.
        axis: label of the x axis.
        limits: of the x axis, by default those of shares; None for those of the values.
        mark: where a vertical line stands, as at 0 for differences.
    """
    figure, axes, positions = _rows(names)
    middle, low, high = (np.asarray(one, np.float64)[: len(positions)] for one in (values, lows, highs))
    shown, known = ~np.isnan(middle), ~np.isnan(middle) & ~np.isnan(low)
    if mark is not None:
        axes.axvline(mark, color=FAINT, linewidth=0.8, linestyle=":")
    axes.hlines(positions[known], low[known], high[known], color=FAINT, linewidth=2.5)
    axes.plot(middle[shown], positions[shown], "o", color=COLOURS[0], markersize=5)
    if limits is not None:
        axes.set_xlim(*limits)
    axes.set_xlabel(axis, color=INK, fontsize=8)
    return png(figure)


def reliability_curves(curves: Mapping[str, NDArray[np.float64]], axis: str) -> bytes:
    """Share that is right against confidence; on the diagonal both are equal.

    Args:
        curves: name → (bin, 5) confidence, share that is right, its lower and upper end (NaN for no interval), and the
            share of all in the bin, which is the size of its point.
        axis: label of the y axis.
    """
    figure = new_figure(5.6, 4.6)
    axes = figure.add_subplot()
    axes.plot([0, 100], [0, 100], color=FAINT, linewidth=1, zorder=0)
    for number, (name, rows) in enumerate(curves.items()):
        confidence, right, low, high = 100 * rows[:, :4].T
        spread = np.nan_to_num(np.stack([np.maximum(right - low, 0), np.maximum(high - right, 0)]))
        colour = COLOURS[number % len(COLOURS)]
        axes.errorbar(confidence, right, spread, color=colour, linewidth=0.8, capsize=2, marker="none", alpha=0.7)
        axes.scatter(confidence, right, 8 + 160 * rows[:, 4], color=colour, label=name, zorder=3)
    axes.set_xlim(0, 102)
    axes.set_ylim(0, 102)
    axes.set_xlabel("confidence, %", fontsize=8, color=INK)
    axes.set_ylabel(axis, fontsize=8, color=INK)
    axes.legend(fontsize=8, frameon=False, loc="upper left")
    plain_axes(axes)
    return png(figure)


def confusion_matrix(
    names: Sequence[str], counts: NDArray[np.int64] | NDArray[np.float64], columns: str = "label"
) -> bytes:
    """A confusion matrix: shares of each row in colour, and as numbers where there is room.

    Args:
        names: of the classes.
        counts: (class, class) reference in rows, label in columns.
        columns: what the columns are.
    """
    side = len(names)
    sums = counts.sum(axis=1, keepdims=True)
    shares = counts / np.where(sums > 0, sums, 1)
    figure = new_figure(2.4 + 0.42 * side, 1.6 + 0.42 * side)
    axes = figure.add_subplot()
    axes.imshow(shares, vmin=0, vmax=1, cmap="Greens")
    short = [name[:_LONGEST] for name in names]
    axes.set_xticks(range(side), short, rotation=45, ha="right", fontsize=7)
    axes.set_yticks(range(side), short, fontsize=7)
    axes.set_xlabel(columns, color=INK, fontsize=8)
    axes.set_ylabel("reference", color=INK, fontsize=8)
    for row, column in np.argwhere(counts > 0).tolist() if side <= 30 else []:
        share = float(shares[row, column])
        colour = "white" if share > 0.6 else INK
        axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=7, color=colour)
    return png(figure)


def error_grid(
    rows: Sequence[str], columns: Sequence[str], values: NDArray[np.float64], counts: NDArray[np.int64], unit: str
) -> bytes:
    """Errors by two properties, each with the number behind it; cells without any are empty.

    Args:
        rows: names, from the top.
        columns: names, from the left.
        values: (row, column) errors; NaN for none.
        counts: (row, column) numbers.
        unit: label of the scale.
    """
    figure = new_figure(2.2 + 0.62 * len(columns), 1.2 + 0.42 * len(rows))
    axes = figure.add_subplot()
    most = max(float(np.nanmax(values, initial=0.0)), 1e-9)
    shown = axes.imshow(np.ma.masked_invalid(values), cmap="YlOrBr", aspect="auto", vmin=0, vmax=most)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    for row, column in np.argwhere(np.isfinite(values)).tolist():
        value, count = float(values[row, column]), int(counts[row, column])
        colour = "white" if value > 0.6 * most else INK
        place: dict[str, Any] = {"ha": "center", "va": "center", "color": colour}
        axes.text(column, row - 0.14, f"{value:.0f}" if most > 10 else f"{value:.1f}", fontsize=8, **place)
        axes.text(column, row + 0.24, f"{count:,}", fontsize=5.5, **place)
    plain_axes(axes)
    bar = figure.colorbar(shown, ax=axes, shrink=0.9)
    bar.ax.tick_params(labelsize=7)
    bar.set_label(unit, fontsize=7, color=INK)
    return png(figure)


def value_maps(maps: Mapping[str, NDArray[np.float64]], title: str, columns: int = 6) -> bytes:
    """Small maps of values from 0 to 1, all on one scale; NaN is grey.

    Args:
        maps: caption → (y, x) values.
        title: of the scale.
        columns: maps in a row.
    """
    shown = dict(list(maps.items())[:MOST_ROWS])
    rows = max(-(-len(shown) // columns), 1)
    figure = new_figure(1.4 * columns + 1, 1.65 * rows + 0.4)
    grid = figure.subplots(rows, columns, squeeze=False)
    picture: Any = None
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, (caption, values) in zip(grid.flat, shown.items(), strict=False):
        axes.set_facecolor("#eeeeee")
        picture = axes.imshow(values, vmin=0, vmax=1, cmap="magma_r", interpolation="nearest")
        axes.set_title(caption[:_LONGEST], fontsize=6, color=INK)
    if picture is not None:
        bar = figure.colorbar(picture, ax=grid, shrink=0.8)
        bar.set_label(title, fontsize=8, color=INK)
    return png(figure)


def _rows(names: Sequence[str]) -> tuple[Any, Any, NDArray[np.int64]]:
    """A figure with a row for each name, its axes, and the positions of the rows."""
    shown = [name[:_LONGEST] for name in names[:MOST_ROWS]]
    figure = new_figure(8, 1.1 + 0.3 * max(len(shown), 1))
    axes = figure.add_subplot()
    positions = np.arange(len(shown))
    axes.set_yticks(positions, shown)
    axes.set_ylim(max(len(shown), 1) - 0.5, -0.5)
    if len(names) > MOST_ROWS:
        axes.set_title(f"the first {MOST_ROWS} of {len(names):,}", fontsize=8, color=INK, loc="right")
    plain_axes(axes)
    return figure, axes, positions
