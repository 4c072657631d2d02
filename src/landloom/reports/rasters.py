"""Figures about parcels and their samples, as PNG bytes."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.model.rendering.values import Categorical, Continuous
from landloom.reports.figures import COLOURS, FAINT, INK, legend, new_figure, plain_axes, png

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from landloom.model.rendering.values import Rendering, ShownClass

_WRAPPED: Final = 34
"""Letters of a line of a name."""
_LISTED: Final = 8
"""Classes in the legend below a column, those that cover most first."""


def histogram(values: NDArray[np.float64], marks: Sequence[tuple[float, str]], axis: str, counted: str) -> bytes:
    """Histogram of values, with vertical marks; the last bin includes all larger values.

    Args:
        values: (n,) in any order.
        marks: position and text of each vertical line.
        axis: label of the x axis, with the unit.
        counted: label of the y axis.
    """
    top = max(float(np.percentile(values, 99)), *(position for position, _ in marks)) * 1.1
    figure = new_figure(8, 3.2)
    axes = figure.add_subplot()
    axes.hist(np.minimum(values, top), bins=np.linspace(0, top, 41).tolist(), color=COLOURS[0])
    for position, text in marks:
        axes.axvline(position, color=INK, linewidth=0.8, linestyle=":")
        axes.text(position, 0.98, f" {text}", transform=axes.get_xaxis_transform(), fontsize=8, color=INK, va="top")
    axes.set_xlim(0, top)
    axes.set_ylim(0, 1.15 * axes.get_ylim()[1])  # marks stand above the bars
    axes.set_xlabel(axis, color=INK, fontsize=8)
    axes.set_ylabel(counted, color=INK, fontsize=8)
    plain_axes(axes)
    return png(figure)


def class_picture(classes: NDArray[Any], shown: Categorical, title: str = "") -> bytes:
    """One large class map with a legend of the classes that occur and their shares.

    Args:
        classes: (y, x) codes.
        shown: names and colours; codes without one are drawn in light grey.
        title: title above the map.
    """
    figure = new_figure(8, 6)
    axes = figure.add_subplot()
    axes.imshow(coloured(classes, shown), interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title, fontsize=9, color=INK, loc="left")
    _legend(axes, class_shares(classes, shown)[:24], fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1))
    return png(figure)


def coloured(classes: NDArray[Any], shown: Categorical) -> NDArray[np.uint8]:
    """A class map as an RGB picture.

    Args:
        classes: (y, x) codes.
        shown: names and colours.

    Returns:
        (y, x, 3); codes without a class are light grey.

    Example:
        >>> from landloom.model.rendering.palettes import named_rendering
        >>> coloured(np.array([[1, 9]]), named_rendering([(1, "maize", "#2f8f81")])).tolist()
        [[[47, 143, 129], [238, 238, 238]]]
    """
    painted = shown.painted(classes)
    return np.where(painted[..., 3:] > 0, painted[..., :3], np.uint8(238))


def class_shares(classes: NDArray[Any], shown: Categorical) -> list[tuple[ShownClass, float]]:
    """Classes that occur, those that cover most first, with their share of all pixels.

    Example:
        >>> from landloom.model.rendering.palettes import named_rendering
        >>> rows = [(1, "maize", "#2f8f81"), (2, "wheat", "#d98032")]
        >>> [(one.name, share) for one, share in class_shares(np.array([2, 2, 1, 0]), named_rendering(rows))]
        [('wheat', 0.5), ('maize', 0.25)]
    """
    codes, counts = np.unique(classes, return_counts=True)
    found = dict(zip(codes.tolist(), (counts / max(classes.size, 1)).tolist(), strict=True))
    rows = [(one, found[one.code]) for one in shown.classes if one.code in found]
    return sorted(rows, key=lambda row: -row[1])


def _legend(axes: Any, rows: Sequence[tuple[ShownClass, float]], **options: Any) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=one.colour, edgecolor=FAINT, linewidth=0.4) for one, _ in rows]
    words = [f"{fill(one.name, _WRAPPED)}  {'< 1%' if share < 0.005 else f'{share:.0%}'}" for one, share in rows]
    legend(axes, handles, words, frameon=False, borderaxespad=0, **options)


def layer_rows(
    rows: Mapping[str, Mapping[str, NDArray[Any]]], shown: Mapping[str, Rendering], nodata: float | None = None
) -> bytes:
    """The layers of some samples: one row per sample, one column per layer, its legend or colour bar below.

    Args:
        rows: sample → layer → (y, x).
        shown: layer → how it is drawn.
        nodata: number that is no data in every layer; numbers that are not finite are none either.
    """
    layers = list(next(iter(rows.values())))
    heights = [1.6] * len(rows) + [1.5]
    figure = new_figure(1.75 * len(layers), 0.25 + sum(heights))
    grid = figure.subplots(len(heights), len(layers), squeeze=False, gridspec_kw={"height_ratios": heights})
    for place, name in enumerate(layers):
        stack = [arrays[name] for arrays in rows.values()]
        limits = _limits(stack, shown[name], nodata)
        for number, (axes, array) in enumerate(zip(grid[:-1, place], stack, strict=True)):
            axes.set_xticks([])
            axes.set_yticks([])
            for spine in axes.spines.values():
                spine.set_color(FAINT)
            axes.imshow(_painted(array, shown[name], limits, nodata), interpolation="nearest")
            axes.set_title("" if number else name, fontsize=8, color=INK, pad=3)
        grid[-1, place].set_axis_off()
        _key(figure, grid[-1, place], shown[name], np.concatenate([one.ravel() for one in stack]), limits)
    for axes, sample in zip(grid[:-1, 0], rows, strict=True):
        axes.set_xlabel(sample, fontsize=5, color=INK, labelpad=2)
    return png(figure)


def _data(array: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = np.isfinite(array) if nodata is None else np.isfinite(array) & (array != nodata)
    return known


def _limits(stack: Sequence[NDArray[Any]], shown: Rendering, nodata: float | None) -> tuple[float, float]:
    """Numbers of the first and last colour, which all samples have in common."""
    if isinstance(shown, Continuous) and shown.limits is not None:
        return shown.limits
    values = np.concatenate([array[_data(array, nodata)].ravel() for array in stack])
    if not len(values):
        return 0.0, 1.0
    low, high = (float(number) for number in np.percentile(values, (2, 98)))
    return low, high if high > low else low + 1.0


def _painted(
    array: NDArray[Any], shown: Rendering, limits: tuple[float, float], nodata: float | None
) -> NDArray[np.uint8]:
    """(y, x, 4) colours; what is no data, or has no class, is transparent."""
    known = _data(array, nodata)
    filled = np.where(known, array, 0)
    picture = shown.painted(filled, limits) if isinstance(shown, Continuous) else shown.painted(filled)
    picture[~known] = 0
    return picture


def _key(figure: Figure, axes: Any, shown: Rendering, values: NDArray[Any], limits: tuple[float, float]) -> None:
    """What the colours of a column mean."""
    if isinstance(shown, Categorical):
        _legend(axes, class_shares(values, shown)[:_LISTED], fontsize=6, loc="upper left", bbox_to_anchor=(0, 1))
    elif isinstance(shown, Continuous):
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import LinearSegmentedColormap, Normalize

        ramp = LinearSegmentedColormap.from_list(shown.ramp, [colour for _, colour in shown.stops])
        strip = axes.inset_axes((0.05, 0.85, 0.9, 0.1))
        bar = figure.colorbar(ScalarMappable(Normalize(*limits), ramp), cax=strip, orientation="horizontal")
        bar.ax.tick_params(labelsize=6, colors=INK, length=2)
        bar.set_label(shown.unit or "", fontsize=6, color=INK)
    else:
        axes.text(0, 0.95, "a colour for each, repeated", fontsize=6, color=INK, va="top", transform=axes.transAxes)


def small_multiples(pictures: Sequence[tuple[str, NDArray[np.uint8], float]], columns: int = 10) -> bytes:
    """One series: one picture per date in reading order, with the share of valid pixels below.

    Args:
        pictures: title, (y, x, 3) picture, share of valid pixels.
        columns: pictures per row.
    """
    rows = -(-len(pictures) // columns)
    figure = new_figure(1.0 * columns, 1.25 * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.ravel():
        axes.set_axis_off()
    for axes, (title, picture, valid) in zip(grid.ravel(), pictures, strict=False):
        axes.imshow(picture, interpolation="nearest")
        axes.set_title(title, fontsize=6, color=INK, pad=2)
        axes.text(
            0.5,
            -0.05,
            f"valid {valid:.0%}",
            fontsize=5.5,
            color=INK if valid > 0.5 else "#b8505d",
            ha="center",
            va="top",
            transform=axes.transAxes,
        )
    return png(figure)
