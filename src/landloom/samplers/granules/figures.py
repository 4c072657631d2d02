"""A map of chosen granules, with their spread, as PNG bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.reports.figures import INK, legend, new_figure, png

if TYPE_CHECKING:
    from landloom.sampling.granules import ContinentReport, GranuleDraw, GranuleTable

COLOURS = ("#b3541e", "#7a5ba6", "#c23b7a", "#2f6db3", "#2f7f6d", "#8a7a1f", "#555555", "#c23b3b")
"""Colours of continents, in the order of their names."""


def draw_figure(table: GranuleTable, draw: GranuleDraw) -> bytes:
    """A map of all granules and the chosen ones; below it, spacing and discrepancy against random draws."""
    figure = new_figure(11, 8.4)
    rows: Any = figure.subfigures(2, 1, height_ratios=(2.6, 1))
    _map(rows[0].add_subplot(), table, draw)
    told = [one for one in draw.continents if one.drawn is not None and one.random is not None]
    for axes, (measure, words) in zip(rows[1].subplots(1, 2), _MEASURES, strict=True):
        _bars(axes, told, measure, words)
    return png(figure)


_MEASURES = (
    ("spacing", "mean distance to the nearest: more is better"),
    ("discrepancy", "star discrepancy: less is better"),
)


def _map(axes: Any, table: GranuleTable, draw: GranuleDraw) -> None:
    axes.scatter(table.longitude, table.latitude, s=1.2, c="#d5dbdd", linewidths=0)
    chosen = set(draw.granules)
    picked = np.array([one in chosen for one in table.ids])
    drawn = {}
    for position, name in enumerate(table.continents):
        own = picked & (table.continent == position)
        if own.any():
            drawn[f"{name} ({own.sum()})"] = axes.scatter(
                table.longitude[own],
                table.latitude[own],
                s=16,
                c=COLOURS[position % len(COLOURS)],
                marker="s",
                linewidths=0.4,
                edgecolors="white",
            )
    axes.set_aspect("equal")
    axes.set_xlabel("longitude", fontsize=8, color=INK)
    axes.set_ylabel("latitude", fontsize=8, color=INK)
    axes.tick_params(labelsize=8, colors=INK)
    axes.set_title(f"{len(draw.granules)} granules, draw {draw.method}", fontsize=10, color=INK)
    legend(axes, list(drawn.values()), list(drawn), loc="lower left", fontsize=8, framealpha=0.9)


def _bars(axes: Any, told: list[ContinentReport], measure: str, words: str) -> None:
    at = np.arange(len(told))
    pairs = (
        ("this draw", [one.drawn for one in told], "#2f7f6d"),
        ("median of 100 random draws", [one.random for one in told], "#b9c4c8"),
    )
    for offset, (label, spreads, colour) in zip((-0.2, 0.2), pairs, strict=True):
        axes.bar(at + offset, [getattr(one, measure) for one in spreads], 0.38, color=colour, label=label)
    names = [one.name.replace(" and ", " and\n").replace("America", "\nAmerica") for one in told]
    axes.set_xticks(at, names, fontsize=7)
    axes.tick_params(labelsize=7, colors=INK)
    axes.set_title(words, fontsize=8, color=INK)
    axes.set_ylim(0, 1.3 * max((max(b.get_height() for b in axes.patches), 1e-9)) if axes.patches else 1)
    axes.legend(fontsize=7, frameon=False, ncols=2, loc="upper center")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
