"""Figures of guess labels, as PNG bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.model.rendering.palettes import class_colours
from landloom.model.taxonomy import taxonomy
from landloom.reports.figures import INK, legend, new_figure, png

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

COLOURS: Final = ("#f2f2f2", *class_colours(taxonomy("landcovernet")).values())
"""Colours of the LandCoverNet classes 0 to 7."""


def chip_maps(rows: Mapping[str, Mapping[str, NDArray[Any]]], names: Mapping[int, str]) -> bytes:
    """One row per chip: pictures unchanged, class maps in class colours, confidence with a colour bar.

    Args:
        rows: chip → title → (y, x, 3) picture, or (y, x) class map, or `confidence` in percent.
        names: class → name.
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    columns = list(next(iter(rows.values())))
    figure = new_figure(8.6, 0.7 + 2.1 * len(rows))
    grid = figure.subplots(len(rows), len(columns), squeeze=False)
    present: set[int] = set()
    for line, (chip, layers) in zip(grid, rows.items(), strict=True):
        for axes, (title, layer) in zip(line, layers.items(), strict=True):
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_title(title, fontsize=8, color=INK, pad=3)
            if layer.ndim == 3:
                axes.imshow(layer)
            elif title == "confidence":
                shown = axes.imshow(layer, cmap="viridis", vmin=0, vmax=100)
                bar = figure.colorbar(shown, ax=axes, orientation="horizontal", shrink=0.8, pad=0.02, aspect=30)
                bar.set_label("% probable", fontsize=6, color=INK)
                bar.ax.tick_params(labelsize=6, colors=INK, length=2)
            else:
                present |= set(np.unique(layer).tolist())
                axes.imshow(layer, cmap=ListedColormap(COLOURS), vmin=-0.5, vmax=7.5, interpolation="nearest")
        line[0].set_ylabel(chip, fontsize=8, color=INK)
    handles = [Patch(facecolor=COLOURS[code], edgecolor="#9aa7ad") for code in sorted(present)]
    words = [f"{code} {names[code]}" for code in sorted(present)]
    legend(figure, handles, words, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return png(figure)


def confusion(matrix: NDArray[np.int64], names: Sequence[str]) -> bytes:
    """A confusion matrix in percent of its rows."""
    figure = new_figure(6.4, 1.4 + 0.42 * len(names))
    axes = figure.add_subplot()
    shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Greens", vmin=0, vmax=100, aspect="auto")
    axes.set_xticks(range(len(names)), [name.split(" ", 1)[0] for name in names], fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xlabel("guess", fontsize=8, color=INK)
    for row, column in np.ndindex(*matrix.shape):
        share = shares[row, column]
        if matrix[row, column]:
            axes.text(
                column, row, f"{share:.1f}", ha="center", va="center", fontsize=8, color="white" if share > 60 else INK
            )
    return png(figure)


def importances(bands: Mapping[str, float], months: Mapping[str, float]) -> bytes:
    """Shares of the forest's decisions by band, and by month."""
    figure = new_figure(8, 2.4)
    for axes, (title, shares) in zip(figure.subplots(1, 2), (("band", bands), ("month", months)), strict=True):
        axes.bar(range(len(shares)), [100 * share for share in shares.values()], color="#2f7f6d")
        axes.set_xticks(range(len(shares)), list(shares), rotation=90, fontsize=7)
        axes.tick_params(labelsize=7, colors=INK)
        axes.set_ylabel("% of the decisions", fontsize=7, color=INK)
        axes.set_title(f"by {title}", fontsize=8, color=INK)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    return png(figure)
