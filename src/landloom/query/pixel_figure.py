"""The picture of a pixel's series, a panel per band with its uncertainty and one of quality; its numbers as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.model.time import format_instant
from landloom.query.pixel_series import CLOUD, CLOUDS, DAYS, REFERENCES, SYNTHETIC, TRACEABILITY
from landloom.reports.figures import COLOURS, FAINT, INK, as_text, legend, new_figure, plain_axes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from landloom.query.pixel_series import PixelSeries

PANEL: Final = 1.25
"""Height of a band's panel in inches."""
_COLOURS: Final = {"blue": "#3568b8", "green": "#3d8f4e", "red": "#b8443f", "nir": "#7a4f9c"}
_SKY: Final = {1: "#8f9aa3", 2: "#3b4650", 3: "#c5b23f"}
_LAYERS: Final = (SYNTHETIC, DAYS, CLOUD, TRACEABILITY, REFERENCES)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observations:
    """Real observations of a pixel, read again from an archive; in time order."""

    times: tuple[datetime, ...]
    scenes: tuple[str, ...]
    """Ids, joined by `+` where scenes share an overpass."""
    values: NDArray[np.float64]
    """(time, band) in the unit and band order of the series; NaN without data."""
    clear: NDArray[np.bool_]
    """(time) clear by the mask."""
    second: NDArray[np.bool_]
    """(time) of a second sensor, in its own bandpasses."""


def pixel_figure(
    series: PixelSeries, seen: Observations | None = None, *, bands: Sequence[str] = (), width: float = 10.0
) -> Figure:
    """Draw the series of a pixel.

    Args:
        series: of the pixel.
        seen: its observations, if they were read again.
        bands: to draw; by default all.
        width: of the figure in inches.
    """
    from matplotlib import dates as mdates

    shown = [n for n, band in enumerate(series.bands) if not bands or band in bands]
    heights = [PANEL] * len(shown) + ([1.0] if series.quality else [])
    figure = new_figure(width, sum(heights) + 1.1)
    panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axes, n in zip(panels, shown, strict=False):
        _draw_band(axes, series, n, seen)
    if series.quality:
        _draw_quality(panels[-1], series)
    dates: Any = mdates  # untyped
    locator = dates.AutoDateLocator(minticks=max(int(width * 0.5), 2), maxticks=max(int(width * 1.2), 6))
    panels[-1].xaxis.set_major_locator(locator)
    panels[-1].xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    panels[-1].xaxis.get_offset_text().set(size=8, color=INK)
    title = f"{series.sample}, row {series.row}, column {series.column}"
    figure.suptitle(f"{title}\n{series.title}", fontsize=9, color=INK, x=0.01, ha="left")
    _draw_legend(figure, series, seen, columns=max(int(width / 2), 2))
    return figure


def write_picture(figure: Figure, path: Path) -> None:
    """Save a figure in the format of the file's ending, with reproducible bytes."""
    import matplotlib as mpl

    metadata: dict[str, Any] = {"Software": None} if path.suffix.lower() == ".png" else {"Date": None}
    if path.suffix.lower() == ".pdf":
        metadata = {"CreationDate": None}
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({"svg.hashsalt": "landloom"}):
        as_text(figure).savefig(path, metadata=metadata, bbox_inches="tight", pad_inches=0.08)


def _draw_band(axes: Any, series: PixelSeries, n: int, seen: Observations | None) -> None:
    times, values, band = _numbers(series.times), series.values[:, n], series.bands[n]
    colour = _colour(band, n)
    if series.sigma is not None:
        sigma = series.sigma[:, n]
        for factor, alpha in ((2, 0.14), (1, 0.26)):
            lower, upper = values - factor * sigma, values + factor * sigma
            axes.fill_between(times, lower, upper, color=colour, alpha=alpha, linewidth=0)
    axes.plot(times, values, color=colour, linewidth=1.1)
    real = series.observed & np.isfinite(values)
    axes.plot(times[real], values[real], "o", color=colour, markersize=2.8)
    low, high = _limits(series, n, seen)
    if seen is not None:
        own, days = seen.values[:, n], _numbers(seen.times)
        masked = ~seen.clear & np.isfinite(own)
        axes.plot(days[masked], np.clip(own[masked], low, high), "x", color=FAINT, markersize=3.2, markeredgewidth=0.8)
        for marker, from_sensor in (("o", ~seen.second), ("D", seen.second)):
            clear = seen.clear & from_sensor
            axes.plot(days[clear], own[clear], marker, mfc="none", mec=INK, markersize=4.0, markeredgewidth=0.8)
    axes.set_ylim(low, high)
    axes.set_ylabel(band, color=colour, fontsize=8)
    axes.grid(axis="y", color="#e4e9eb", linewidth=0.6)
    axes.set_axisbelow(True)
    plain_axes(axes)


def _limits(series: PixelSeries, n: int, seen: Observations | None) -> tuple[float, float]:
    """Room for the series, twice its uncertainty and clear observations; clouds do not stretch a panel."""
    values = series.values[:, n]
    spread = np.zeros_like(values) if series.sigma is None else 2 * np.nan_to_num(series.sigma[:, n])
    parts = [values - spread, values + spread]
    if seen is not None:
        parts.append(seen.values[seen.clear, n])
    every = np.concatenate(parts)
    every = every[np.isfinite(every)]
    if not every.size:
        return 0.0, 1.0
    low, high = float(every.min()), float(every.max())
    room = max(0.06 * (high - low), 1e-3 * max(abs(high), 1e-3))
    return low - room, high + room


def _draw_quality(axes: Any, series: PixelSeries) -> None:
    times = _numbers(series.times)
    if SYNTHETIC in series.quality:
        share = series.quality[SYNTHETIC]
        axes.fill_between(times, 0, share, color=COLOURS[1], alpha=0.35, linewidth=0, step="mid")
        axes.set_ylim(-24, 106)
        axes.set_yticks([0, 50, 100])
        axes.set_ylabel("% synthetic", color=INK, fontsize=8)
    else:
        name, layer = next(iter(series.quality.items()))
        axes.plot(times, layer, "s", color=COLOURS[0], markersize=3)
        axes.set_ylim(bottom=0)
        axes.set_ylabel(name, color=INK, fontsize=8)
    for code, colour in _SKY.items():
        there = series.quality.get(CLOUD, np.empty(0)) == code
        if there.any():
            axes.plot(times[there], np.full(there.sum(), -14.0), "s", color=colour, markersize=3.0)
    days = [one.time for one in series.overpasses.values()]
    if days:
        axes.plot(_numbers(days), np.full(len(days), 101.0), "|", color=INK, markersize=5, markeredgewidth=0.9)
    plain_axes(axes)


def _draw_legend(figure: Figure, series: PixelSeries, seen: Observations | None, columns: int) -> None:
    handles, names = list(zip(*_entries(series, seen), strict=True))
    options = {"fontsize": 7.5, "frameon": False, "loc": "outside lower left", "ncols": columns}
    legend(figure, handles, names, handlelength=1.4, columnspacing=1.2, **options)


def _entries(series: PixelSeries, seen: Observations | None) -> Iterator[tuple[Any, str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    dot: dict[str, Any] = {"linestyle": "none", "color": INK}
    yield Line2D([], [], color=INK, linewidth=1.1), "series"
    if series.sigma is not None:
        yield Patch(color=INK, alpha=0.3), "± 1 σ, ± 2 σ"
    if SYNTHETIC in series.quality:
        yield Line2D([], [], marker="o", markersize=3, **dot), "timestep with a real observation"
        yield Patch(color=COLOURS[1], alpha=0.35), "synthetic share"
    if series.overpasses:
        yield Line2D([], [], marker="|", markersize=6, **dot), "dates of observations behind it"
    if seen is not None:
        yield Line2D([], [], marker="o", mfc="none", markersize=4, **dot), "observation, clear"
        if seen.second.any():
            yield Line2D([], [], marker="D", mfc="none", markersize=3.6, **dot), "of the second sensor, as measured"
        if not seen.clear.all():
            yield Line2D([], [], marker="x", markersize=4, linestyle="none", color=FAINT), "observation, masked"
    for code, colour in _SKY.items():
        if (series.quality.get(CLOUD, np.empty(0)) == code).any():
            yield Line2D([], [], marker="s", markersize=3.5, linestyle="none", color=colour), CLOUDS[code]


def _numbers(times: Sequence[datetime]) -> NDArray[np.float64]:
    """Days since 1970, matplotlib's dates."""
    return np.array([time.timestamp() / 86_400 for time in times], np.float64)


def _colour(band: str, n: int) -> str:
    return _COLOURS.get(band, COLOURS[n % len(COLOURS)])


def pixel_csv(series: PixelSeries, seen: Observations | None = None) -> str:
    """The numbers of a pixel as CSV: a row per timestep, then one per observation that was read again.

    Columns: `kind` (series or observation), `step`, `datetime`, each band, each band with `_sigma`, the quality layers,
    `observed` (True: the timestep holds a real observation, or the observation is clear), `scenes`. Empty is nodata.
    """
    text = io.StringIO()
    layers = [name for name in _LAYERS if name in series.quality]
    layers += [name for name in series.quality if name not in layers]
    sigmas = [] if series.sigma is None else [f"{band}_sigma" for band in series.bands]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["kind", "step", "datetime", *series.bands, *sigmas, *layers, "observed", "scenes"])
    for t, (step, time) in enumerate(zip(series.steps, series.times, strict=True)):
        behind = series.overpass(t)
        spread = [] if series.sigma is None else series.sigma[t]
        numbers = [*series.values[t], *spread, *(series.quality[name][t] for name in layers)]
        scenes = "" if behind is None else "+".join(behind.scenes)
        writer.writerow(["series", step, format_instant(time), *map(_cell, numbers), bool(series.observed[t]), scenes])
    if seen is not None:
        blank = [""] * (len(sigmas) + len(layers))
        for time, own, clear, scenes in zip(seen.times, seen.values, seen.clear, seen.scenes, strict=True):
            row = [*map(_cell, own), *blank, bool(clear), scenes]
            writer.writerow(["observation", "", format_instant(time), *row])
    return text.getvalue()


def _cell(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.6g}"
