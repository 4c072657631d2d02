"""Errors at observations that were withheld: by method, band, month and length of the gap.

Whole scenes are withheld and filled; a method's value is compared with the observation itself, whose noise is part of
the error: beside it stands the noise floor, which no method can fall below. Errors are sums, so that those of
many windows are joined exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.imagery.clusters import fill_clr
from landloom.imagery.fill import fill_linear
from landloom.imagery.fusion.fuse import fuse
from landloom.imagery.fusion.sightings import Sightings
from landloom.imagery.whittaker import whittaker
from landloom.products.fused.judge import FUSED, GAPS, TUNED, gap_lengths, nearest_in_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

GAP_NAMES: Final = ("≤ 10 d", "11–30 d", "31–60 d", "> 60 d")
"""Classes of gaps, from the observation before to that after; one without either end is in the last."""
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
OTHERS: Final = ("nearest", "linear", "whittaker", "clr")
"""Methods that the fused series is compared with."""
WITHHELD: Final = "withheld"
"""Name of these errors among what a unit has measured."""
KNOTS: Final = 5.0
"""Days between the knots of smoothing."""
_SMOOTH: Final = tuple(f"whittaker {penalty:g}" for penalty in TUNED)
_CELLS: Final = (12, len(GAPS))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WithheldErrors:
    """Sums of errors in stored numbers, 10,000 × reflectance."""

    bands: tuple[str, ...]
    methods: tuple[str, ...]
    """`fused` first."""
    errors: NDArray[np.float64]
    """(method, band, month, gap, 3) number, sum and sum of squares of errors."""
    fits: NDArray[np.float64]
    """(band, month, gap, 4) of `fused`: number within 1 σ and 2 σ, sums of σ and of the CRPS; σ with noise."""
    noise: NDArray[np.float64]
    """(band) sum of the noise's variance over windows."""
    windows: int
    scenes: int
    """Withheld overpasses, once for each window."""
    screened: int
    """Withheld clear observations that were left out: with all scenes at hand they are taken for clouds or shadows."""
    alone: int
    """Withheld observations that were left out: their pixel has no other."""

    @classmethod
    def none(cls, bands: Iterable[str], methods: Iterable[str]) -> Self:
        """Of nothing."""
        bands, methods = tuple(bands), tuple(methods)
        return cls(
            bands=bands,
            methods=methods,
            errors=np.zeros((len(methods), len(bands), *_CELLS, 3)),
            fits=np.zeros((len(bands), *_CELLS, 4)),
            noise=np.zeros(len(bands)),
            windows=0,
            scenes=0,
            screened=0,
            alone=0,
        )

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        arrays: dict[str, Any] = {name: np.asarray(state[name], np.float64) for name in ("errors", "fits", "noise")}
        counts: dict[str, Any] = {name: int(state[name]) for name in ("windows", "scenes", "screened", "alone")}
        return cls(bands=tuple(state["bands"]), methods=tuple(state["methods"]), **arrays, **counts)

    def state(self) -> dict[str, Any]:
        """All sums as JSON values."""
        names = ("windows", "scenes", "screened", "alone")
        return {
            "bands": list(self.bands),
            "methods": list(self.methods),
            **{name: np.round(getattr(self, name), 3).tolist() for name in ("errors", "fits", "noise")},
            **{name: getattr(self, name) for name in names},
        }

    def __add__(self, other: WithheldErrors) -> WithheldErrors:
        return replace(
            self,
            errors=self.errors + other.errors,
            fits=self.fits + other.fits,
            noise=self.noise + other.noise,
            windows=self.windows + other.windows,
            scenes=self.scenes + other.scenes,
            screened=self.screened + other.screened,
            alone=self.alone + other.alone,
        )

    @property
    def count(self) -> int:
        """Number of withheld observations that were compared."""
        return int(self.errors[0, 0, ..., 0].sum()) if self.bands and self.methods else 0

    @property
    def floor(self) -> NDArray[np.float64]:
        """(band) standard deviation of an observation's noise."""
        return np.asarray(np.sqrt(self.noise / max(self.windows, 1)), np.float64)

    def rmse(self, method: str, month: int | None = None, gap: int | None = None) -> NDArray[np.float64]:
        """(band) root mean square error of a method; NaN without an observation.

        Args:
            method: its name.
            month: 1 to 12, to limit it to.
            gap: position in `GAP_NAMES`, to limit it to.
        """
        number, _, square = self._sums(method, month, gap)
        return np.asarray(np.sqrt(_ratio(square, number)), np.float64)

    def bias(self, method: str, month: int | None = None, gap: int | None = None) -> NDArray[np.float64]:
        """(band) mean error of a method, value minus observation; arguments as of `rmse`."""
        number, total, _ = self._sums(method, month, gap)
        return _ratio(total, number)

    def fit(self, month: int | None = None, gap: int | None = None) -> dict[str, NDArray[np.float64]]:
        """Share within 1 σ and 2 σ, mean σ and CRPS of the fused series, each (band)."""
        number = self._sums(self.methods[0], month, gap)[0]
        sums = np.moveaxis(_chosen(self.fits, month, gap), -1, 0)
        names = ("within_1_sigma", "within_2_sigma", "sigma", "crps")
        return {name: _ratio(one, number) for name, one in zip(names, sums, strict=True)}

    def number(self, month: int | None = None, gap: int | None = None) -> int:
        """Observations compared of a month or a class of gaps."""
        return int(self._sums(self.methods[0], month, gap)[0].max(initial=0))

    def _sums(self, method: str, month: int | None, gap: int | None) -> NDArray[np.float64]:
        return np.moveaxis(_chosen(self.errors[self.methods.index(method)], month, gap), -1, 0)

    def tuned(self) -> WithheldErrors:
        """With the best of the penalties of smoothing alone, in hindsight: that with the smallest error over all."""
        smooth = [name for name in self.methods if name.startswith("whittaker ")]
        if not smooth:
            return self
        best = min(smooth, key=lambda name: float(np.nan_to_num(self.rmse(name), nan=np.inf).sum()))
        kept = [name for name in self.methods if name == best or name not in smooth]
        errors = self.errors[[self.methods.index(name) for name in kept]]
        return replace(self, methods=tuple(name.partition(" ")[0] for name in kept), errors=errors)

    def document(self) -> dict[str, Any]:
        """As JSON values, errors in stored numbers; None where nothing was withheld."""
        own = self.tuned()
        months = [m for m in range(1, 13) if own.number(month=m)]
        gaps = [g for g in range(len(GAPS)) if own.number(gap=g)]
        return {
            "bands": list(own.bands),
            "windows": own.windows,
            "observations": own.count,
            "screened": own.screened,
            "alone": own.alone,
            "noise_floor": _plain(own.floor),
            "all": own.part(),
            "by_month": {str(m): own.part(month=m) for m in months},
            "by_gap": {GAP_NAMES[g]: own.part(gap=g) for g in gaps},
        }

    def part(self, month: int | None = None, gap: int | None = None) -> dict[str, Any]:
        """One part of the document: a month, a class of gaps, or all."""
        return {
            "observations": self.number(month, gap),
            "rmse": {name: _plain(self.rmse(name, month, gap)) for name in self.methods},
            "bias": {name: _plain(self.bias(name, month, gap)) for name in self.methods},
            **{name: _plain(values) for name, values in self.fit(month, gap).items()},
        }


def _chosen(sums: NDArray[np.float64], month: int | None, gap: int | None) -> NDArray[np.float64]:
    """(band, …) sums over months and gaps, of one month or one class of gaps if given."""
    months = slice(None) if month is None else slice(month - 1, month)
    gaps = slice(None) if gap is None else slice(gap, gap + 1)
    return np.asarray(sums[:, months, gaps].sum(axis=(1, 2)), np.float64)


def _ratio(total: NDArray[np.float64], number: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 4) for value in values]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WithheldCase:
    """A window of a place, with all overpasses."""

    first: Sightings
    """The reference sensor."""
    second: Sightings | None
    """Another sensor, of which nothing is withheld."""
    bands: tuple[str, ...]
    """Names, in the order of the stack."""
    months: NDArray[np.int64]
    """(time of the reference sensor) 1 to 12."""
    part: tuple[slice, slice]
    """Rows and columns to compare; the window beyond them gives the context."""
    origin: tuple[int, int] = (0, 0)
    """Row and column of the window on the raster of its zone."""


def withheld_errors(
    case: WithheldCase, held: NDArray[np.bool_], *, others: bool = True, used: NDArray[np.bool_] | None = None
) -> WithheldErrors:
    """Withhold overpasses of the reference sensor, fill, and compare.

    Args:
        case: the window.
        held: (time) overpasses to withhold.
        others: whether to run the other methods, too.
        used: (time, y, x) observations used with all overpasses at hand; found out by default.
    """
    first, second, part = case.first, case.second, case.part
    days = first.days
    used = used if used is not None else fuse(first, days, second, case.origin).used
    kept = Sightings(days=days[~held], stack=first.stack[~held], valid=first.valid[~held], footprint=first.footprint)
    made = fuse(kept, days, second, case.origin)
    inner = np.s_[..., part[0], part[1]]
    filled = {FUSED: made.series[held][inner].astype(np.float64)}
    if others:
        filled |= _others(kept, made.used, days[held], part)
    there = np.zeros_like(first.valid[inner])
    there[~held] = made.used[inner]
    seen = used[held][inner]
    where = seen & there.any(axis=0)
    gaps = np.searchsorted(GAPS, gap_lengths(there, days, held))
    month = np.broadcast_to((case.months[held] - 1)[:, None, None], where.shape)
    compared = _Compared(
        where=where,
        place=np.ravel_multi_index((month[where], gaps[where]), _CELLS),
        truth=first.stack[held][inner].astype(np.float64),
    )
    noise = made.noise.astype(np.float64)
    return WithheldErrors(
        bands=case.bands,
        methods=tuple(filled),
        errors=np.stack([compared.errors(series) for series in filled.values()]),
        fits=compared.fits(filled[FUSED], made.sigma[held][inner].astype(np.float64), noise),
        noise=noise**2,
        windows=1,
        scenes=int(held.sum()),
        screened=int(np.count_nonzero(first.valid[held][inner] & ~seen)),
        alone=int(np.count_nonzero(seen & ~where)),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Compared:
    """The withheld observations that values are compared with."""

    where: NDArray[np.bool_]
    """(date, y, x) those compared."""
    place: NDArray[np.int64]
    """(observation) number of its month and class of gaps."""
    truth: NDArray[np.float64]
    """(date, band, y, x)."""

    def errors(self, series: NDArray[np.float64]) -> NDArray[np.float64]:
        """(band, month, gap, 3) number, sum and sum of squares of a method's errors."""
        miss = np.moveaxis(series - self.truth, 1, 0)[:, self.where]
        return np.stack([self._binned(np.ones_like(one), one, one * one) for one in miss])

    def fits(
        self, series: NDArray[np.float64], sigma: NDArray[np.float64], noise: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(band, month, gap, 4) of uncertainty and noise together: an observation is the surface with noise."""
        miss = np.moveaxis(series - self.truth, 1, 0)[:, self.where]
        spread = np.moveaxis(np.hypot(sigma, noise[:, None, None]), 1, 0)[:, self.where]
        z = np.abs(miss) / np.maximum(spread, 1.0)
        parts = zip(z, spread, strict=True)
        return np.stack([self._binned(one <= 1, one <= 2, wide, _crps(one, wide)) for one, wide in parts])

    def _binned(self, *values: NDArray[Any]) -> NDArray[np.float64]:
        """(month, gap, value) sums."""
        size = _CELLS[0] * _CELLS[1]
        return np.stack([np.bincount(self.place, one, size).reshape(_CELLS) for one in values], axis=-1)


def _others(
    kept: Sightings, used: NDArray[np.bool_], wanted: NDArray[np.float64], part: tuple[slice, slice]
) -> dict[str, NDArray[np.float64]]:
    """(date, band, y, x) of the other methods, from the same observations without outliers."""
    stack, valid = np.ascontiguousarray(kept.stack[..., *part]), np.ascontiguousarray(used[..., *part])
    made: dict[str, NDArray[Any]] = {
        "nearest": nearest_in_time(stack, valid, kept.days, wanted),
        "linear": fill_linear(stack, valid, kept.days, wanted),
    }
    for name, penalty in zip(_SMOOTH, TUNED, strict=True):
        made[name] = _smoothed(stack, valid, kept.days, wanted, penalty)
    made["clr"] = fill_clr(kept.stack, used, kept.days, wanted)[..., *part]
    return {name: one.astype(np.float64) for name, one in made.items()}


def _smoothed(
    stack: NDArray[np.uint16],
    valid: NDArray[np.bool_],
    days: NDArray[np.float64],
    wanted: NDArray[np.float64],
    penalty: float,
) -> NDArray[np.float64]:
    """Whittaker smoothing on knots, which need equal steps, and linearly between them as the smoother itself."""
    knots = np.arange(np.floor(min(days.min(), wanted.min())), max(days.max(), wanted.max()) + 2 * KNOTS, KNOTS)
    smooth = whittaker(stack, valid, days, knots, penalty)
    before = np.clip(np.searchsorted(knots, wanted, side="right") - 1, 0, knots.size - 2)
    share = ((wanted - knots[before]) / KNOTS)[:, None, None, None]
    return np.asarray((1.0 - share) * smooth[before] + share * smooth[before + 1], np.float64)


def _crps(z: NDArray[np.float64], sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Continuous ranked probability score of a normal distribution."""
    from scipy.special import erf

    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    score: NDArray[np.float64] = sigma * (z * erf(z / np.sqrt(2)) + 2 * density - 1 / np.sqrt(np.pi))
    return score


HEADER: Final = ("error, 1e-4", "observations", "noise floor", FUSED, *OTHERS, "bias", "CRPS", "≤ 1 σ", "≤ 2 σ")
"""Header of `withheld_rows`; bias, CRPS and coverage are those of the fused series."""


def withheld_rows(errors: WithheldErrors) -> list[tuple[object, ...]]:
    """Rows of a table: all, each band, class of gaps and month; means over bands, in stored numbers."""
    own = errors.tuned()
    every = list(range(len(own.bands)))
    parts: list[tuple[str, list[int], int | None, int | None]] = [("all", every, None, None)]
    parts += [(name, [band], None, None) for band, name in enumerate(own.bands)]
    parts += [(f"gap {GAP_NAMES[g]}", every, None, g) for g in range(len(GAPS))]
    parts += [(MONTHS[m - 1], every, m, None) for m in range(1, 13)]
    return [_row(own, *part) for part in parts if own.number(*part[2:])]


def _row(own: WithheldErrors, name: str, bands: list[int], month: int | None, gap: int | None) -> tuple[object, ...]:
    fit = {key: float(values[bands].mean()) for key, values in own.fit(month, gap).items()}
    return (
        name,
        own.number(month, gap),
        f"{own.floor[bands].mean():.0f}",
        *(f"{own.rmse(method, month, gap)[bands].mean():.0f}" for method in own.methods),
        f"{own.bias(FUSED, month, gap)[bands].mean():+.0f}",
        f"{fit['crps']:.0f}",
        f"{fit['within_1_sigma']:.0%}",
        f"{fit['within_2_sigma']:.0%}",
    )
