"""Differences between the judge's two sensors on the same day, after each step of harmonisation.

The first sensor's scenes of those days are withheld from every fit, and so are the second one's from that of
bandpasses: what is compared was not fitted. The published coefficients are those between MSI and OLI, which the
simulated sensors are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.imagery.fusion.second import fit_bandpass
from landloom.imagery.harmonise.normalise import Line, Normalised, expected_at, normalise
from landloom.imagery.harmonise.published import published_lines
from landloom.model.sensor import LANDSAT_C2_L2
from landloom.products.fused.directed import FIRST, SECOND, directed
from landloom.products.fused.section import DILATE
from landloom.simulate.judge.composites import JUDGE_SEEDS
from landloom.simulate.judge.fusion import judge_fusion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.engine.run import Listener
    from landloom.simulate.judge.fusion import FusionCase

DIRECTED: Final = ("seen at angles", "nadir by c-factor")
"""Steps on the sensors as if each had seen the ground at its own angles, before the others."""
STEPS: Final = ("as delivered", "published coefficients", "fitted bandpasses", "each scene")
"""In their order; fitted bandpasses replace the published ones, and scenes are normalised after them."""
LEAST: Final = 50
"""Pixels from which a pair of scenes is compared."""
_BANDS: Final = ("B2", "B3", "B4", "B5")


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedSteps:
    """Differences of one seed."""

    seed: int
    pairs: int
    """Days on which both sensors show enough of the same pixels clearly."""
    absolute: Mapping[str, tuple[float, ...]]
    """Step → (band) mean absolute difference, in stored numbers."""
    bias: Mapping[str, tuple[float, ...]]
    """Step → (band) mean size of the difference of whole scenes."""
    scenes: tuple[Normalised, ...]
    """Lines of the scenes that are compared."""

    @property
    def directed(self) -> float:
        """Difference after the c-factor relative to that as seen at angles, mean over bands."""
        return self._relative(*DIRECTED)

    @property
    def relative(self) -> float:
        """Difference after all steps relative to that before, mean over bands."""
        return self._relative(STEPS[0], STEPS[-1])

    def _relative(self, before: str, after: str) -> float:
        first, last = (np.array(self.absolute[step]) for step in (before, after))
        return float(np.mean(last / first))

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "seed": self.seed,
            "pairs": self.pairs,
            "absolute": {step: list(values) for step, values in self.absolute.items()},
            "bias": {step: list(values) for step, values in self.bias.items()},
            "references": [one.references for one in self.scenes],
            "residuals": [[band.residual for band in one.bands] for one in self.scenes],
            "own": [[band.is_own for band in one.bands] for one in self.scenes],
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sensor:
    """A sensor's year on the coarser sensor's pixels."""

    days: NDArray[np.float64]
    stack: NDArray[np.float32]
    clear: NDArray[np.bool_]

    def part(self, some: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.bool_]]:
        return self.days[some], self.stack[some], self.clear[some]


def evaluate_steps(seeds: Sequence[int] = JUDGE_SEEDS, listener: Listener | None = None) -> list[JudgedSteps]:
    """Compare the sensors of some seeds."""
    judged = []
    for seed in seeds:
        judged.append(judge_steps(seed))
        if listener is not None:
            listener.advanced(f"seed {seed}", None)
    return judged


def steps_table(judged: Sequence[JudgedSteps]) -> list[tuple[object, ...]]:
    """Rows of a table: mean absolute difference and bias by band after each step, medians over seeds."""
    rows: list[tuple[object, ...]] = []
    for step in (*DIRECTED, *STEPS):
        middles = (np.median([one[step] for one in told], axis=0) for told in _told(judged))
        rows.append((step, *(f"{value:.0f} ({bias:.0f})" for value, bias in zip(*middles, strict=True))))
    return rows


def _told(judged: Sequence[JudgedSteps]) -> tuple[list[Mapping[str, tuple[float, ...]]], ...]:
    return [one.absolute for one in judged], [one.bias for one in judged]


def judge_steps(seed: int) -> JudgedSteps:
    """Harmonise the second sensor step by step.

    Args:
        seed: of the judge.
    """
    case = judge_fusion(seed)
    first, second = _coarse(case), _second(case)
    held_first, held_second = np.isin(first.days, second.days), np.isin(second.days, first.days)
    reference = first.part(~held_first)
    made = dict(zip(STEPS, _stages(second, held_second, reference), strict=False))
    scenes = []
    made[STEPS[-1]] = made[STEPS[2]].copy()
    for t in np.flatnonzero(held_second):
        found = normalise(float(second.days[t]), made[STEPS[2]][t], second.clear[t], reference, [Line()] * len(_BANDS))
        scenes.append(found)
        for band, one in enumerate(found.bands):
            made[STEPS[-1]][t, band] = one.line.apply(made[STEPS[2]][t, band])
    pairs = [(int(np.flatnonzero(first.days == second.days[t])[0]), int(t)) for t in np.flatnonzero(held_second)]
    pairs = [(i, t) for i, t in pairs if (first.clear[i] & second.clear[t]).sum() >= LEAST]
    shown = {step: (first.stack, stack) for step, stack in made.items()}
    sensors = (first, FIRST), (second, SECOND)
    seen = zip(*(directed(one.stack, one.days, views, seed) for one, views in sensors), strict=True)
    shown |= dict(zip(DIRECTED, seen, strict=True))
    missed = {
        step: [(theirs[t] - ours[i])[:, first.clear[i] & second.clear[t]] for i, t in pairs]
        for step, (ours, theirs) in shown.items()
    }
    return JudgedSteps(
        seed=seed,
        pairs=len(pairs),
        absolute={step: _mean([np.abs(one).mean(axis=1) for one in found]) for step, found in missed.items()},
        bias={step: _mean([np.abs(np.median(one, axis=1)) for one in found]) for step, found in missed.items()},
        scenes=tuple(scenes),
    )


def _stages(
    second: _Sensor,
    held: NDArray[np.bool_],
    reference: tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.bool_]],
) -> tuple[NDArray[np.float32], ...]:
    """As delivered, with published coefficients, and with fitted bandpasses."""
    lines = published_lines([LANDSAT_C2_L2.bands[name] for name in _BANDS], "oli", "msi")
    published = np.stack([np.asarray(line.apply(second.stack[:, b])) for b, line in enumerate(lines)], axis=1)
    days, stack, clear = second.part(~held)
    seen = [expected_at(float(day), *reference) for day in days]
    usable = np.stack([known for _, known, _ in seen]) & clear
    bandpass = fit_bandpass(stack, np.stack([values for values, _, _ in seen]), usable)
    return second.stack, published, bandpass.apply(second.stack)


def _coarse(case: FusionCase) -> _Sensor:
    """The first sensor, averaged over the second one's pixels."""
    from scipy.ndimage import minimum_filter

    times, bands, height, width = case.first.pixels.shape
    step = width // case.second.pixels.shape[-1]
    side = 2 * 2 * DILATE + 1
    clear = minimum_filter(case.first.clear.astype(np.uint8), size=(1, side, side), mode="nearest").astype(np.bool_)
    parts = case.first.pixels.astype(np.float32).reshape(times, bands, height // step, step, width // step, step)
    whole = clear.reshape(times, height // step, step, width // step, step).all(axis=(2, 4))
    return _Sensor(days=case.first.days, stack=parts.mean(axis=(3, 5)), clear=whole)


def _second(case: FusionCase) -> _Sensor:
    from scipy.ndimage import minimum_filter

    side = 2 * 2 * DILATE // 3 + 1
    clear = minimum_filter(case.second.clear.astype(np.uint8), size=(1, side, side), mode="nearest").astype(np.bool_)
    return _Sensor(days=case.second.days, stack=case.second.pixels.astype(np.float32), clear=clear)


def _mean(found: Sequence[NDArray[np.floating]]) -> tuple[float, ...]:
    values = np.mean(found, axis=0) if found else np.full(len(_BANDS), np.nan)
    return tuple(float(one) for one in values)
