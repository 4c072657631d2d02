"""Figures about parcels and their samples, as PNG bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.reports.figures import COLOURS, FAINT, INK, legend, new_figure, plain_axes, png

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

CLASS_COLOURS: Final = (
    *COLOURS,
    "#c9b458",
    "#5fae57",
    "#9c4f79",
    "#4f6f8f",
    "#c98a6b",
    "#6f8f4f",
    "#8f6f4f",
    "#4fa39a",
)
"""Colours of classes in the order of their codes; repeated if there are more classes."""


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
    axes.set_xlabel(axis, color=INK, fontsize=8)
    axes.set_ylabel(counted, color=INK, fontsize=8)
    plain_axes(axes)
    return png(figure)


def class_picture(classes: NDArray[Any], names: Mapping[int, str], title: str = "") -> bytes:
    """One large class map with its legend.

    Args:
        classes: (y, x) codes.
        names: code → name; codes without one are drawn in light grey.
        title: title above the map.
    """
    figure = new_figure(8, 6)
    axes = figure.add_subplot()
    axes.imshow(coloured(classes, names), interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title, fontsize=9, color=INK, loc="left")
    _legend(axes, names)
    return png(figure)


def coloured(classes: NDArray[Any], names: Mapping[int, str]) -> NDArray[np.uint8]:
    """A class map as an RGB picture.

    Args:
        classes: (y, x) codes.
        names: code → name.

    Returns:
        (y, x, 3); codes without a name are light grey.

    Example:
        >>> coloured(np.array([[1, 9]]), {1: "maize"}).tolist()
        [[[47, 127, 109], [238, 238, 238]]]
    """
    picture = np.full((*classes.shape, 3), 238, np.uint8)
    for position, code in enumerate(sorted(names)):
        colour = CLASS_COLOURS[position % len(CLASS_COLOURS)]
        picture[classes == code] = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return picture


def _legend(axes: Any, names: Mapping[int, str]) -> None:
    from matplotlib.patches import Patch

    codes = sorted(names)[: 2 * len(CLASS_COLOURS)]
    handles = [Patch(color=CLASS_COLOURS[position % len(CLASS_COLOURS)]) for position in range(len(codes))]
    words = [f"{code} {names[code]}"[:34] for code in codes]
    legend(axes, handles, words, fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))


def layer_rows(rows: Mapping[str, Mapping[str, NDArray[Any]]], names: Mapping[int, str]) -> bytes:
    """The label layers of some samples: one row per sample, one column per layer.

    Args:
        rows: sample → layer → (y, x).
        names: class code → name.
    """
    layers = list(next(iter(rows.values())))
    figure = new_figure(1.45 * len(layers), 0.25 + 1.6 * len(rows))
    grid = figure.subplots(len(rows), len(layers), squeeze=False)
    for number, (line, (sample, arrays)) in enumerate(zip(grid, rows.items(), strict=True)):
        for position, (axes, name) in enumerate(zip(line, layers, strict=True)):
            axes.set_xticks([])
            axes.set_yticks([])
            for spine in axes.spines.values():
                spine.set_color(FAINT)
            _draw_layer(axes, name, arrays[name], names)
            axes.set_title("" if number else name, fontsize=8, color=INK, pad=3)
            if position == 0:
                axes.set_xlabel(sample, fontsize=5, color=INK, labelpad=2)
    return png(figure)


def _draw_layer(axes: Any, name: str, array: NDArray[Any], names: Mapping[int, str]) -> None:
    if name == "classes" and array.dtype.kind != "f":
        axes.imshow(coloured(array, names), interpolation="nearest")
    elif name == "ids":
        found = np.unique(array[array > 0])
        shades = np.searchsorted(found, array) * 7 % 20
        axes.imshow(np.ma.masked_where(array == 0, shades), cmap="tab20", vmin=0, vmax=19, interpolation="nearest")
    else:
        limits = {"ratios": (0, 1), "masks": (0, 2), "ambiguity": (0, 15)}.get(name, (None, None))
        colours = "viridis" if name in {"ratios", "distances"} else "magma_r"
        axes.imshow(array, cmap=colours, vmin=limits[0], vmax=limits[1], interpolation="nearest")


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
