"""Class profiles: the mean series of each class, which annotators compare a pixel with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from landloom.pipelines.annotation.series import ChipSeries

STEPS: Final = 24
"""Instants of a profile where chips have different dates: the middles of equal parts of the period."""
FEWEST: Final = 50
"""Pixels of a class below which it has no profile, and clear ones below which a date has no mean."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profiles:
    """Mean reflectance of classes over time."""

    times: tuple[datetime, ...]
    """UTC, in time order."""
    bands: tuple[str, ...]
    classes: Mapping[int, NDArray[np.float64]]
    """Class code → (time, band) mean of 10,000 × reflectance; NaN where too little of the class was seen clearly."""

    def document(self) -> dict[str, Any]:
        """As JSON values; null where nothing was seen."""
        return {
            "times": [time.isoformat().replace("+00:00", "Z") for time in self.times],
            "bands": list(self.bands),
            "classes": {
                str(code): [[None if np.isnan(v) else round(v, 1) for v in row] for row in means.tolist()]
                for code, means in self.classes.items()
            },
        }


def class_profiles(
    chips: Iterable[str],
    read: Callable[[str], ChipSeries],
    labels: Callable[[str], NDArray[np.uint8] | None],
    bands: Sequence[str],
) -> Profiles:
    """Mean series of each class over some chips, from their clear observations.

    Args:
        chips: ids of a sample of chips.
        read: reads the series of a chip.
        labels: (y, x) class codes of a chip, from the guess or from references; 0 where unlabelled, None without any.
        bands: names of the bands of the series.

    Returns:
        Profiles at the dates of the chips, or, where those differ between chips, at the middles of `STEPS` equal parts
        of the period. Without any label there are no classes.
    """
    series: list[tuple[ChipSeries, NDArray[np.uint8]]] = []
    for chip in chips:
        own = labels(chip)
        if own is not None and own.any():
            found = read(chip)
            if own.shape != found.valid.shape[1:]:
                raise InvalidValueError(f"{chip}: got labels of {own.shape} pixels, expected {found.valid.shape[1:]}")
            series.append((found, own))
    times, place = _axis([one.times for one, _ in series])
    sums: dict[int, NDArray[np.float64]] = {}
    counts: dict[int, NDArray[np.float64]] = {}
    pixels: dict[int, int] = {}
    for (one, own), steps in zip(series, place, strict=True):
        for code in np.unique(own[own > 0]).tolist():
            inside = own == code
            seen = one.valid[:, inside]
            values = (one.reflectance[:, :, inside] * seen[:, None]).sum(axis=2, dtype=np.float64)
            total = sums.setdefault(code, np.zeros((len(times), len(bands))))
            count = counts.setdefault(code, np.zeros(len(times)))
            np.add.at(total, steps, values)
            np.add.at(count, steps, seen.sum(axis=1))
            pixels[code] = pixels.get(code, 0) + int(inside.sum())
    means = {
        code: np.where(counts[code][:, None] >= FEWEST, sums[code] / np.maximum(counts[code], 1)[:, None], np.nan)
        for code in sorted(sums)
        if pixels[code] >= FEWEST
    }
    return Profiles(times=times, bands=tuple(bands), classes=means)


def _axis(times: Sequence[tuple[datetime, ...]]) -> tuple[tuple[datetime, ...], list[NDArray[np.int64]]]:
    """One time axis for all chips, and the step of each of their dates."""
    if len(set(times)) <= 1:
        own = times[0] if times else ()
        return own, [np.arange(len(own)) for _ in times]
    first, last = min(own[0] for own in times if own), max(own[-1] for own in times if own)
    span = (last - first) / STEPS
    axis = tuple(first + (number + 0.5) * span for number in range(STEPS))
    steps = [np.array([min(int((time - first) / span), STEPS - 1) for time in own], np.int64) for own in times]
    return axis, steps
