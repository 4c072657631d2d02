"""Fused series on the judge with two sensors: whole scenes are withheld, filled, and compared with the truth.

Every method gets the same observations: clear by the grown classification, without the outliers that the fused series
screens. Smoothing is tuned on the judged seed itself, to its advantage.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.imagery.clusters import fill_clr
from landloom.imagery.fill import fill_linear
from landloom.imagery.fusion.fuse import fuse
from landloom.imagery.fusion.sightings import Sightings
from landloom.imagery.harmonic import fill_harmonic
from landloom.imagery.whittaker import LAMBDAS, whittaker
from landloom.products.fused.peers import SCCD, WHITSMOOTH, absent, robust_whittaker, state_space
from landloom.products.fused.section import DILATE
from landloom.simulate.judge.composites import JUDGE_SEEDS
from landloom.simulate.judge.fusion import FUSION_BANDS, judge_fusion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.engine.run import Listener
    from landloom.imagery.fusion.fuse import FusedSeries
    from landloom.simulate.judge.fusion import FusionCase, SensorYear

GAPS: Final = (10.0, 30.0, 60.0, np.inf)
"""Longest gaps in days of the classes that errors are told by."""
NEAR_BREAK: Final = 3.0
"""Days from an abrupt change within which its error is judged."""
TUNED: Final = (0.1, *LAMBDAS)
"""Penalties that smoothing is tuned over."""
FUSED, ALONE = "fused", "fused, one sensor"
LINE: Final = "line between truths"
_DRAWS: Final = 2_000
_SOME: Final = np.s_[:, :, 1::3, 1::3]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """Errors of one seed: method → arrays of withheld dates."""

    seed: int
    square: Mapping[str, NDArray[np.float64]]
    """Method → (date, band, y, x) squared errors; not a number where a method has no value."""
    bias: Mapping[str, NDArray[np.float64]]
    """Method → (band) mean errors."""
    months: NDArray[np.int64]
    """(date) month of each date."""
    gap: NDArray[np.float64]
    """(date, y, x) days between the observations before and after."""
    near_break: Mapping[str, float]
    """Method → root mean square error within `NEAR_BREAK` of an abrupt change on withheld dates, mean over bands;
    empty where nothing changes abruptly then."""
    near_break_anywhere: Mapping[str, float]
    """The same on all dates, those with observations included: more pixels, but no bar."""
    ratio: NDArray[np.float64]
    """(date, band, y, x) error of the fused series over its σ."""
    sigma: NDArray[np.float64]
    """(date, band, y, x) its σ."""
    breaks: Mapping[str, NDArray[np.float64]]
    """Method → (field, band) mean squared errors near its abrupt change on withheld dates, and as `LINE` those of
    straight lines between the truth itself on the scenes before and after."""
    fields: NDArray[np.float64]
    """(field) pixels and dates behind each of these."""
    agreement: float
    """Share of used observations within 2 σ of surface and noise together."""
    flagged: float
    """Share of truly clear observations that were taken for outliers."""

    def rmse(self, method: str, where: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """(band) root mean square error of a method, in stored numbers.

        Args:
            method: its name.
            where: (date, y, x) to limit it to; all by default.

        Returns:
            Not a number where the method has no value there.
        """
        chosen = np.ones_like(self.gap, np.bool_) if where is None else where
        bands = [square[chosen] for square in np.moveaxis(self.square[method], 1, 0)]
        known = [one[np.isfinite(one)] for one in bands]
        return np.array([np.sqrt(one.mean()) if one.size else np.nan for one in known])

    def best(self, where: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """(band) error of the best other method, that with the smallest mean over bands relative to linear."""
        line = self.rmse("linear", where)
        others = [self.rmse(name, where) for name in self.square if name not in {FUSED, ALONE}]
        others = [one for one in others if np.isfinite(one).all()]
        return min(others, key=lambda one: float(np.mean(one / line)))

    @property
    def crps(self) -> float:
        """Continuous ranked probability score of the fused series, in stored numbers."""
        from scipy.special import erf

        z = self.ratio
        density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
        score = self.sigma * (z * erf(z / np.sqrt(2)) + 2 * density - 1 / np.sqrt(np.pi))
        return float(score.mean())

    def values(self) -> dict[str, float]:
        """The values that have bars."""
        long, line = self.gap > GAPS[2], np.ones_like(self.gap, dtype=np.bool_)
        fused, best = self.rmse(FUSED), self.best()
        far = long if long.any() else line
        months = [self.rmse(FUSED, self._of(m)).mean() / self.rmse(ALONE, self._of(m)).mean() for m in set(self.months)]
        return {
            "fused_rmse": float(np.mean(fused / best)),
            "fused_worst_band": float(np.max(fused / best)),
            "fused_long_gap": float(np.mean(self.rmse(FUSED, far) / self.best(far))),
            **({"fused_break": self.near_break[FUSED] / self.near_break["whittaker"]} if self.near_break else {}),
            "fused_cover_1": abs(float((np.abs(self.ratio) <= 1).mean()) - 0.68),
            "fused_cover_2": abs(float((np.abs(self.ratio) <= 2).mean()) - 0.95),
            "fused_second": float(np.mean(fused / self.rmse(ALONE))),
            "fused_second_month": float(max(months)),
            "fused_agreement": self.agreement,
            "fused_flagged": self.flagged,
        }

    def _of(self, month: int) -> NDArray[np.bool_]:
        return np.broadcast_to((self.months == month)[:, None, None], self.gap.shape)

    def document(self) -> dict[str, Any]:
        """As JSON values: errors by band, month and gap, in stored numbers, and the values that have bars."""
        classes = zip((0.0, *GAPS[:-1]), GAPS, strict=True)
        gaps = {f"{low:.0f}-{high:.0f}": (self.gap > low) & (self.gap <= high) for low, high in classes}
        return {
            "seed": self.seed,
            "bands": list(FUSION_BANDS),
            "rmse": {name: _plain(self.rmse(name)) for name in self.square},
            "bias": {name: _plain(one) for name, one in self.bias.items()},
            "by_gap": {
                label: {name: _plain(self.rmse(name, where)) for name in self.square} | {"share": float(where.mean())}
                for label, where in gaps.items()
                if where.any()
            },
            "by_month": {
                str(m): {name: _plain(self.rmse(name, self._of(m))) for name in self.square}
                for m in sorted({int(one) for one in self.months})
            },
            "coverage": [float((np.abs(self.ratio) <= k).mean()) for k in (1, 2)],
            "sigma": float(self.sigma.mean()),
            "crps": self.crps,
            "near_break": dict(self.near_break),
            "near_break_anywhere": dict(self.near_break_anywhere),
            "near_break_fields": int(self.fields.size),
            "absent": list(absent()),
            **self.values(),
        }


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    return [float(one) if np.isfinite(one) else None for one in values]


LIMITS: Final = {
    "fused_rmse": (0.85, False, "error at withheld dates, relative to the best other method, mean over bands"),
    "fused_worst_band": (1.0, False, "the same in the worst band"),
    "fused_long_gap": (0.70, False, "the same in gaps of more than 60 days, mean over bands"),
    "fused_break": (
        0.70,
        False,
        "the same within 3 days of an abrupt change, relative to Whittaker smoothing",
    ),
    "fused_cover_1": (0.06, False, "distance from 68 % of the share of truth within 1 σ"),
    "fused_cover_2": (0.04, False, "distance from 95 % of the share of truth within 2 σ"),
    "fused_second": (0.97, False, "error with the second sensor, relative to that without"),
    "fused_second_month": (1.02, False, "the same in the worst month"),
    "fused_agreement": (0.95, True, "share of used observations within 2 σ of surface and noise"),
    "fused_flagged": (0.02, False, "share of clear observations taken for outliers"),
}
"""Value → limit, whether it is a minimum, and description."""


def evaluate_fused(seeds: Sequence[int] = JUDGE_SEEDS, listener: Listener | None = None) -> list[Judged]:
    """Judge all methods on some seeds."""
    judged = []
    for seed in seeds:
        judged.append(judge_seed(seed))
        if listener is not None:
            listener.advanced(f"seed {seed}", None)
    return judged


def medians(judged: Sequence[Judged]) -> dict[str, float]:
    """Medians over seeds of the values that have bars."""
    values = [one.values() for one in judged]
    known = {name: [one[name] for one in values if name in one] for name in LIMITS}
    return {name: median(found) for name, found in known.items() if found}


def fused_table(judged: Sequence[Judged]) -> list[tuple[object, ...]]:
    """Rows of a table: each method's median error by band and by gap, in stored numbers."""
    rows: list[tuple[object, ...]] = []
    for name in judged[0].square:
        bands = np.median([one.rmse(name) for one in judged], axis=0)
        long = [one.rmse(name, one.gap > GAPS[2]).mean() for one in judged if (one.gap > GAPS[2]).any()]
        rows.append((name, *(f"{value:.0f}" for value in bands), f"{median(long):.0f}" if long else "–"))
    return rows


def judge_seed(seed: int) -> Judged:
    """Withhold, fill with every method, compare."""
    case = judge_fusion(seed)
    held, days = case.withheld, case.first.days
    valid = _grown(case.first, 2)
    kept = Sightings(days=days[~held], stack=case.first.pixels[~held], valid=valid[~held])
    alone, both = fuse(kept, days), fuse(kept, days, _second(case))
    used = np.zeros_like(valid)
    used[~held] = alone.used
    filled = _others(case, used) | {ALONE: alone.series, FUSED: both.series}
    error = {name: one[held].astype(np.float64) - case.truth[held] for name, one in filled.items()}
    breaks, fields = _breaks(case, filled | {LINE: _line_between(case)}, held)
    sigma = both.sigma[held].astype(np.float64)
    clear = valid[~held] & ~case.first.cloudy[~held]
    return Judged(
        seed=seed,
        square={name: one**2 for name, one in error.items()},
        bias={name: np.nanmean(one, axis=(0, 2, 3)) for name, one in error.items()},
        months=((days[held] + 0.5) // 30.4375).astype(np.int64) + 1,
        gap=gap_lengths(used, days, held),
        near_break=_near_break(case, filled, held),
        breaks=breaks,
        fields=fields,
        near_break_anywhere=_near_break(case, filled, np.ones_like(held)),
        ratio=error[FUSED] / np.maximum(sigma, 1.0),
        sigma=sigma,
        agreement=_agreement(kept, both, held),
        flagged=float((clear & ~both.used).sum() / max(clear.sum(), 1)),
    )


def _grown(year: SensorYear, pixels: int) -> NDArray[np.bool_]:
    """Clear pixels, with unusable areas grown as by the recipe's default.

    Args:
        year: of a sensor.
        pixels: of its grid for a pixel of the classification.
    """
    from scipy.ndimage import minimum_filter

    side = 2 * DILATE * pixels + 1
    grown = minimum_filter(year.clear.astype(np.uint8), size=(1, side, side), mode="nearest")
    return np.asarray(grown, np.bool_)


def _second(case: FusionCase) -> Sightings:
    from scipy.ndimage import minimum_filter

    factor = case.grid.width // case.second.pixels.shape[-1]
    side = 2 * (-(-DILATE * 2 // factor)) + 1
    clear = minimum_filter(case.second.clear.astype(np.uint8), size=(1, side, side), mode="nearest")
    return Sightings(
        days=case.second.days,
        stack=case.second.pixels,
        valid=clear.astype(np.bool_),
        footprint=factor,
        rows=np.arange(case.grid.height) // factor,
        columns=np.arange(case.grid.width) // factor,
    )


def _others(case: FusionCase, used: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """The other methods, at all dates; peers as far as they are installed."""
    stack, days, held = case.first.pixels, case.first.days, case.withheld
    truth = case.truth[held].astype(np.float64)

    def tuned(smooth: Callable[[NDArray[np.uint16], NDArray[np.bool_], float], NDArray[Any]]) -> NDArray[Any]:
        """With the penalty that is best on some pixels."""
        few = [smooth(stack[_SOME], used[_SOME[:1] + _SOME[2:]], one)[held] - truth[_SOME] for one in TUNED]
        best = int(np.argmin([np.square(one).mean(axis=(0, 2, 3)).sum() for one in few]))
        return smooth(stack, used, TUNED[best])

    missing = absent()
    peers: dict[str, NDArray[Any]] = {}
    if WHITSMOOTH not in missing:
        peers[WHITSMOOTH] = tuned(lambda values, valid, one: robust_whittaker(values, valid, days, one))
    if SCCD not in missing:
        peers[SCCD] = state_space(stack, used, days, days)
    return peers | {
        "nearest": nearest_in_time(stack, used, days, days),
        "linear": fill_linear(stack, used, days, days),
        "whittaker": tuned(lambda values, valid, one: whittaker(values, valid, days, days, one)),
        "harmonic": fill_harmonic(stack, used, days, days, trend=False),
        "clr": fill_clr(stack, used, days, days),
    }


def _near_break(case: FusionCase, filled: Mapping[str, NDArray[Any]], dates: NDArray[np.bool_]) -> dict[str, float]:
    square, pixels = _breaks(case, filled, dates)
    found: dict[str, float] = {}
    for name, one in square.items():
        known = np.isfinite(one[:, 0])
        if known.any():
            found[name] = float(np.sqrt(np.average(one[known], axis=0, weights=pixels[known])).mean())
    return found


def _breaks(
    case: FusionCase, filled: Mapping[str, NDArray[Any]], dates: NDArray[np.bool_]
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """Method → (field, band) mean squared errors within `NEAR_BREAK` of an abrupt change, and (field) their numbers."""
    near = np.abs(case.first.days[dates, None, None] - case.harvest[None]) <= NEAR_BREAK
    _, field = np.unique(np.broadcast_to(case.harvest, near.shape)[near], return_inverse=True)
    pixels = np.bincount(field).astype(np.float64)
    found: dict[str, NDArray[np.float64]] = {}
    for name, one in filled.items():
        square = np.moveaxis(np.square(one[dates].astype(np.float64) - case.truth[dates]), 1, -1)[near]
        known = np.isfinite(square[:, 0])
        number = np.bincount(field[known], minlength=pixels.size)
        total = [np.bincount(field[known], square[known, b], pixels.size) for b in range(square.shape[1])]
        found[name] = np.stack(total, axis=1) / np.where(number > 0, number, np.nan)[:, None]
    return found, pixels


def _line_between(case: FusionCase) -> NDArray[np.float64]:
    """Straight lines between the truth on the scenes before and after each, at the scene; at an end the truth."""
    made = case.truth.astype(np.float64)
    days = case.first.days
    share = ((days[1:-1] - days[:-2]) / (days[2:] - days[:-2]))[:, None, None, None]
    made[1:-1] = (1 - share) * case.truth[:-2] + share * case.truth[2:]
    return made


def break_summary(judged: Sequence[Judged]) -> str:
    """What errors near abrupt changes rest on: fields, the range of the ratio, and what a cloudless sky would leave."""
    some = [one for one in judged if one.fields.size]
    if not some:
        return "No field changes abruptly near a withheld scene."
    pixels = np.concatenate([one.fields for one in some])
    square = {name: np.concatenate([one.breaks[name] for one in some]) for name in (FUSED, "whittaker", LINE)}
    rng = np.random.default_rng(0)

    def ratio(chosen: NDArray[np.int64], name: str) -> float:
        weight = pixels[chosen, None]
        ours, theirs = ((weight * square[one][chosen]).sum(axis=0) for one in (name, "whittaker"))
        return float(np.sqrt(ours).mean() / np.sqrt(theirs).mean())

    every = np.arange(pixels.size)
    low, high = np.quantile([ratio(rng.choice(every, every.size), FUSED) for _ in range(_DRAWS)], [0.025, 0.975])
    return (
        f"Near abrupt changes, {pixels.size} fields of {len(some)} seeds together: {ratio(every, FUSED):.2f} of "
        f"Whittaker smoothing (95 % of resampled fields {low:.2f} to {high:.2f}); straight lines between the truth on "
        f"the scenes before and after: {ratio(every, LINE):.2f}."
    )


def nearest_in_time(
    stack: NDArray[np.uint16], valid: NDArray[np.bool_], days: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.uint16]:
    """The value of the closest valid date; the earlier of two; 0 without any."""
    made = np.zeros((wanted.size, *stack.shape[1:]), np.uint16)
    for n, day in enumerate(wanted):
        open_pixels = np.ones(stack.shape[2:], np.bool_)
        for t in np.argsort(np.abs(days - day), kind="stable"):
            take = open_pixels & valid[t]
            made[n][:, take] = stack[t][:, take]
            open_pixels &= ~take
    return made


def gap_lengths(used: NDArray[np.bool_], days: NDArray[np.float64], held: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(held date, y, x) days from the observation before to that after; infinite at an open end.

    Args:
        used: (time, y, x); False at held dates.
        days: (time) ascending.
        held: (time).
    """
    gaps = []
    for t in np.flatnonzero(held):
        before = np.where(used[:t], days[:t, None, None], -np.inf).max(axis=0, initial=-np.inf)
        after = np.where(used[t:], days[t:, None, None], np.inf).min(axis=0, initial=np.inf)
        gaps.append(after - before)
    return np.stack(gaps)


def _agreement(kept: Sightings, made: FusedSeries, held: NDArray[np.bool_]) -> float:
    miss = np.abs(kept.stack.astype(np.float32) - made.series[~held])
    bound = 2 * np.hypot(made.sigma[~held].astype(np.float32), made.noise[None, :, None, None])
    within = np.moveaxis(miss <= bound, 1, -1)[made.used]
    return float(within.mean())
