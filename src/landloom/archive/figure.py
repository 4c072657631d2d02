"""The calendar of a choice of scenes, as `landloom scenes` shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from landloom.reports.figures import as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from landloom.archive.choice import Candidate, SceneChoice
    from landloom.model.time import Period

MOST_ROWS = 60
"""Largest number of granules drawn; a taller figure is not readable."""


def calendar_figure(choice: SceneChoice, period: Period) -> Figure:
    """Draw a row per granule over time: every candidate coloured by cloud, the chosen ones large and outlined.

    Months for which a policy found no scene are shaded. Drawn without pyplot, so without windows and global state.

    Args:
        choice: the candidates and which are chosen.
        period: extent of the time axis.

    Returns:
        A matplotlib figure; `figure.savefig("scenes.png")` writes it.

    Example:
        >>> from landloom.archive.choice import Candidate, SceneChoice
        >>> from landloom.model.time import Period, parse_instant
        >>> row = Candidate(id="a", time=parse_instant("2018-05-01"), use=True, granule="33TWL", cloud_cover=3.5)
        >>> figure = calendar_figure(SceneChoice(candidates=(row,)), Period.year(2018))
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['33TWL (1 of 1)']
    """
    from matplotlib.figure import Figure

    granules = sorted({candidate.granule or "" for candidate in choice.candidates})[:MOST_ROWS]
    figure = Figure(figsize=(11, 1.6 + 0.32 * max(1, len(granules))), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlim(period.start, period.end)  # type: ignore[arg-type]
    axes.set_ylim(max(1, len(granules)) - 0.5, -0.5)
    labels = []
    for row, granule in enumerate(granules):
        mine = [candidate for candidate in choice.candidates if (candidate.granule or "") == granule]
        labels.append(f"{granule or 'granule not stated'} ({sum(one.use for one in mine)} of {len(mine)})")
        _row(axes, mine, row)
        _gaps(axes, [month for name, month in choice.gaps if (name or "") == granule], row)
    axes.set_yticks(range(len(granules)), labels)
    axes.grid(visible=True, axis="x", alpha=0.3)
    _legend(figure, axes)
    return as_text(figure)


def _row(axes: Axes, candidates: Sequence[Candidate], row: int) -> None:
    for used, size, edge in ((False, 14, "none"), (True, 60, "black")):
        mine = [candidate for candidate in candidates if candidate.use is used]
        axes.scatter(
            [candidate.time for candidate in mine],  # type: ignore[arg-type]
            [row] * len(mine),
            c=[100.0 if candidate.cloud_cover is None else candidate.cloud_cover for candidate in mine],
            s=size,
            cmap="cividis",
            vmin=0,
            vmax=100,
            edgecolors=edge,
            zorder=3 if used else 2,
        )


def _gaps(axes: Axes, months: Sequence[str], row: int) -> None:
    for month in months:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
        last = (first + timedelta(days=32)).replace(day=1)
        axes.fill_between([first, last], row - 0.4, row + 0.4, color="tab:red", alpha=0.25, linewidth=0)  # type: ignore[arg-type]


def _legend(figure: Figure, axes: Axes) -> None:
    from matplotlib.collections import PathCollection

    if axes.collections:
        points = next(drawn for drawn in axes.collections if isinstance(drawn, PathCollection))
        figure.colorbar(points, ax=axes, label="cloud cover, %", pad=0.01, fraction=0.03)
    axes.set_title("Scenes: outlined = chosen, red = month without a scene", loc="left", fontsize=10)
