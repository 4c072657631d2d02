"""Figures of a consensus, as PNG bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.reports.charts import reliability_curves
from landloom.reports.figures import COLOURS, INK, legend, new_figure, plain_axes, png

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.annotate.consensus.quality import Quality
    from landloom.annotate.tasks.values import ClassChoice

_SHADE: Final = 0.55
"""Opacity of the labels over a picture."""
_BARS: Final = 20


def class_shares(classes: Sequence[ClassChoice], shares: Sequence[float]) -> bytes:
    """The distribution of classes: a bar for each, in percent of the labelled pixels."""
    figure = new_figure(8, 0.9 + 0.34 * len(classes))
    axes = figure.add_subplot()
    places = np.arange(len(classes))
    bars = axes.barh(places, [100 * share for share in shares], 0.7, color=[one.colour for one in classes])
    for bar in bars:
        bar.set_edgecolor("#9aa7ad")
        bar.set_linewidth(0.5)
    for place, share in enumerate(shares):
        axes.text(100 * share + 0.6, place, f"{share:.1%}", va="center", fontsize=8, color=INK)
    axes.set_yticks(places, [f"{one.code} {one.name}" for one in classes])
    axes.set_xlim(0, 100 * max(*shares, 0.01) * 1.12)
    axes.invert_yaxis()
    axes.set_xlabel("% of the labelled pixels", fontsize=8, color=INK)
    plain_axes(axes)
    return png(figure)


def confidence_shares(rows: Mapping[str, tuple[NDArray[np.float64], NDArray[np.int64]]]) -> bytes:
    """The distribution of confidence: share of the pixels in bins of 5 %, for several methods side by side.

    Args:
        rows: name → (n,) confidence and (n,) pixels.
    """
    figure = new_figure(8, 3.0)
    axes = figure.add_subplot()
    edges = np.linspace(0, 1, _BARS + 1)
    width = 100 / _BARS * 0.84 / len(rows)
    for number, (name, (confidence, count)) in enumerate(rows.items()):
        sums, _ = np.histogram(np.clip(confidence, 0, 1 - 1e-9), edges, weights=count)
        left = 100 * edges[:-1] + 0.4 + width * number
        axes.bar(left, 100 * sums / max(count.sum(), 1), width, align="edge", color=COLOURS[number], label=name)
    axes.set_xlim(0, 100)
    axes.set_xlabel("confidence, %", fontsize=8, color=INK)
    axes.set_ylabel("% of the pixels", fontsize=8, color=INK)
    axes.legend(fontsize=8, frameon=False, loc="upper left")
    plain_axes(axes)
    return png(figure)


def reliability(rows: Mapping[str, Quality]) -> bytes:
    """Share of right pixels against confidence, with 95 % intervals over tasks; on the diagonal both are equal."""
    curves = {
        f"{name}: ECE {quality.ece:.3f}": np.array(
            [
                (one.confidence, one.right.value, one.right.low, one.right.high, one.right.pixels)
                for one in quality.reliability
            ]
        ).reshape(-1, 5)
        / [1, 1, 1, 1, max(quality.accuracy.pixels, 1)]
        for name, quality in rows.items()
    }
    return reliability_curves(curves, "% right on reference tasks")


def confusion(matrix: NDArray[np.int64], classes: Sequence[ClassChoice], columns: str) -> bytes:
    """A confusion matrix in percent of its rows, which are the reference.

    Args:
        matrix: (reference, label) pixels.
        classes: of both.
        columns: what the columns are.
    """
    figure = new_figure(6.4, 1.3 + 0.36 * len(classes))
    axes = figure.add_subplot()
    shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Greens", vmin=0, vmax=100, aspect="auto")
    axes.set_xticks(range(len(classes)), [str(one.code) for one in classes], fontsize=8)
    axes.set_yticks(range(len(classes)), [f"{one.code} {one.name}" for one in classes], fontsize=8)
    axes.set_xlabel(columns, fontsize=8, color=INK)
    axes.set_ylabel("reference", fontsize=8, color=INK)
    for row, column in np.ndindex(*matrix.shape):
        if matrix[row, column]:
            share = shares[row, column]
            colour = "white" if share > 60 else INK
            axes.text(column, row, f"{share:.1f}", ha="center", va="center", fontsize=7.5, color=colour)
    return png(figure)


def sample_chips(
    rows: Mapping[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]], classes: Sequence[ClassChoice]
) -> bytes:
    """Chips: a picture, the labels shaded over it, and the confidence.

    Args:
        rows: chip → (y, x, 3) picture, and (2, y, x) class and confidence in percent.
        classes: of the labels.
    """
    figure = new_figure(8.2, 0.6 + 2.55 * len(rows))
    grid = figure.subplots(len(rows), 3, squeeze=False)
    present: set[int] = set()
    for number, (line, (chip, (picture, labels))) in enumerate(zip(grid, rows.items(), strict=True)):
        present |= set(np.unique(labels[0]).tolist())
        shaded = overlay(picture, labels[0], classes)
        for axes, title, shown in zip(line, ("imagery", "labels", "confidence"), (picture, shaded, None), strict=True):
            axes.set_xticks([])
            axes.set_yticks([])
            if not number:
                axes.set_title(title, fontsize=8, color=INK, pad=3)
            if shown is not None:
                axes.imshow(shown, interpolation="nearest")
            else:
                masked = np.ma.masked_where(labels[0] == 0, labels[1])
                drawn = axes.imshow(masked, cmap="magma", vmin=0, vmax=100, interpolation="nearest")
                figure.colorbar(drawn, ax=axes, shrink=0.8).ax.tick_params(labelsize=6)
        line[0].set_ylabel(chip, fontsize=7, color=INK)
    _legend(figure, [one for one in classes if one.code in present])
    return png(figure)


def overlay(picture: NDArray[np.uint8], labels: NDArray[np.uint8], classes: Sequence[ClassChoice]) -> NDArray[np.uint8]:
    """Labels as transparent colours over a picture; pixels without a label stay.

    Args:
        picture: (y, x, 3).
        labels: (y, x) codes.
        classes: of the labels.
    """
    colours = np.zeros((256, 3))
    for one in classes:
        colours[one.code] = [int(one.colour[start : start + 2], 16) for start in (1, 3, 5)]
    mixed = (1 - _SHADE) * picture + _SHADE * colours[labels]
    return np.where(labels[..., None] > 0, mixed, picture).astype(np.uint8)


def _legend(figure: Any, classes: Sequence[ClassChoice]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=one.colour, edgecolor="#9aa7ad") for one in classes]
    words = [f"{one.code} {one.name}" for one in classes]
    legend(figure, handles, words, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
