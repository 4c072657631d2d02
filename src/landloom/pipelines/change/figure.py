"""The judge's year as a picture: series of three pixels with their breaks, and maps of dates found and true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.imagery.change.breaks import find_breaks
from landloom.imagery.change.indices import index_bands, normalised_difference
from landloom.imagery.fusion.noise import noise_levels
from landloom.pipelines.change.judge import GROWN, YEAR
from landloom.reports.figures import new_figure, png
from landloom.simulate.judge.change import CHANGE_BANDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from landloom.simulate.judge.change import ChangeCase

_MONTHS: Final = (90, 120, 151, 181, 212, 243, 273, 304)
_NAMES: Final = ("Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov")


def change_figure(case: ChangeCase) -> bytes:
    """PNG of a case: a field that is cut, forest that is cleared, land that is stable, and the maps."""
    from scipy.ndimage import minimum_filter

    year = (case.days >= YEAR[0]) & (case.days < YEAR[1])
    days, side = case.days[year], 2 * GROWN + 1
    clear = minimum_filter(case.clear[year].astype(np.uint8), size=(1, side, side), mode="nearest").astype(np.bool_)
    stack = case.pixels[year]
    values, variance = normalised_difference(stack, index_bands("ndvi", CHANGE_BANDS), noise_levels(stack, clear))
    found = find_breaks(values, variance, clear, days)
    canvas = new_figure(11, 5.2)
    grid = canvas.add_gridspec(3, 3, width_ratios=(1.3, 1, 1))
    event = np.isfinite(case.event)
    kinds = {"field": event & ~case.forest, "forest": case.forest, "stable land": ~event}
    for place, (name, where) in enumerate(kinds.items()):
        axes = canvas.add_subplot(grid[place, 0])
        y, x = _middle(where)
        seen = clear[:, y, x]
        axes.plot(days[seen], values[seen, y, x], "o", ms=3, color="#33691e")
        _lines(axes, float(case.event[y, x]), found.date[:, y, x])
        axes.set(xlim=YEAR, ylim=(-0.1, 1.0), ylabel="NDVI", title=name)
        axes.set_xticks(_MONTHS, _NAMES)
    shown: dict[str, NDArray[Any]] = {"found": found.date[0], "true": case.event}
    for place, (name, dates) in enumerate(shown.items()):
        axes = canvas.add_subplot(grid[:, place + 1])
        picture = axes.imshow(dates, vmin=_MONTHS[1], vmax=_MONTHS[-1], cmap="viridis")
        axes.set(title=f"date of change, {name}", xticks=[], yticks=[], anchor="N")
        bar = canvas.colorbar(picture, ax=axes, orientation="horizontal", fraction=0.05, pad=0.03)
        bar.set_ticks(list(_MONTHS[1:]), labels=list(_NAMES[1:]))
    return png(canvas)


def _middle(where: NDArray[np.bool_]) -> tuple[int, int]:
    """The pixel furthest from the edges of an area."""
    from scipy.ndimage import distance_transform_edt

    inside = distance_transform_edt(np.pad(where, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(int(np.argmax(inside)), where.shape)
    return int(y), int(x)


def _lines(axes: Axes, event: float, dates: NDArray[np.float32]) -> None:
    for n, date in enumerate(dates[np.isfinite(dates)]):
        axes.axvline(float(date), color="#c62828", lw=1.5, label="found" if n == 0 else None)
    if np.isfinite(event):
        axes.axvline(event, color="black", ls=":", lw=1.5, label="true")
        axes.legend(loc="lower left", fontsize=7, frameon=False)
