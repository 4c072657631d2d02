"""Breaks on the judge's years with dated changes, beside other people's programs.

Every method gets the same clear observations of three years and is judged in the year between. The others run on every
twelfth pixel each way, with the best of several settings in hindsight, to their advantage. What is found at the
ploughing of a field, 18 days after its harvest, counts as false; what is found at New Year, when the simulated crops
change at a stroke, counts neither way, for every method. The learned head was trained on other worlds, and gets the
observations of one year.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.util import find_spec
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.imagery.change.breaks import BreakTest, find_breaks
from landloom.imagery.change.indices import index_bands, normalised_difference
from landloom.imagery.change.scores import TOLERANCE, score_breaks
from landloom.imagery.fusion.noise import noise_levels
from landloom.model.sensor import REFLECTANCE_SCALE
from landloom.pipelines.change.peers import CONFIRMED, PEERS, absent, peer_breaks
from landloom.simulate.judge.change import CHANGE_BANDS, judge_change, usable
from landloom.simulate.judge.composites import JUDGE_SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.engine.run import Listener
    from landloom.imagery.change.breaks import Breaks
    from landloom.imagery.change.scores import BreakScores
    from landloom.simulate.judge.change import ChangeCase
    from landloom.training.change.head import ChangeHead

OURS: Final = "landloom"
ONE_YEAR: Final = "landloom, one year"
HEAD: Final = "learned head, one year"
SOME: Final = "landloom, their pixels"
STRIDE: Final = 12
"""Pixels between those that the peers run on, which take milliseconds for each."""
YEAR: Final = (0.0, 365.0)
_MOST: Final = 12
HEADER: Final = ("change", "F1", "precision", "recall", "of clearings", "false on stable", "days off")
LIMITS: Final = {
    "change_f1": (0.85, True, "F1 of harvests and clearings within 15 days, median of the seeds"),
    "change_f1_one_year": (0.85, True, "the same with the observations of one year only"),
    "change_stable": (0.01, False, "share of stable pixels with a break, median of the seeds"),
    "change_head_f1": (0.85, True, "F1 of the learned head with the observations of one year"),
    "change_head_stable": (0.01, False, "share of stable pixels with a break of the learned head"),
    "change_lead": (0.05, True, "F1 above that of the best of COLD and S-CCD on the same pixels, median of the seeds"),
}
"""Value → limit, whether it is a minimum, and description."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodScores:
    """One method on one seed."""

    scores: BreakScores
    clearings: float | None
    """Share of the clearings that were found; None without any."""
    days: float | None
    """Median distance of found dates from the truth; None if nothing was found."""
    magnitude: float | None = None
    """Median error of the change of the index at found dates, of methods that give it."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        told = self.scores
        shares = {"f1": told.f1, "precision": told.precision, "recall": told.recall, "false_share": told.false_share}
        plain = {name: value if np.isfinite(value) else None for name, value in shares.items()}
        others = {"clearings": self.clearings, "days": self.days, "magnitude": self.magnitude}
        return asdict(told) | plain | others


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedChange:
    """All methods on one seed."""

    seed: int
    methods: Mapping[str, MethodScores]

    def values(self) -> dict[str, float]:
        """The values that have bars; on a seed where nothing changes, only the share of stable pixels."""
        ours, alone = self.methods[OURS].scores, self.methods[ONE_YEAR].scores
        found = {"change_f1": ours.f1, "change_f1_one_year": alone.f1, "change_stable": ours.false_share}
        if HEAD in self.methods:
            head = self.methods[HEAD].scores
            found |= {"change_head_f1": head.f1, "change_head_stable": head.false_share}
        peers = [one.scores.f1 for name, one in self.methods.items() if name in PEERS]
        if peers:
            found["change_lead"] = self.methods[SOME].scores.f1 - max(peers)
        return {name: value for name, value in found.items() if np.isfinite(value)}

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {"seed": self.seed, "methods": {name: one.document() for name, one in self.methods.items()}}


def evaluate_change(seeds: Sequence[int] = JUDGE_SEEDS, listener: Listener | None = None) -> list[JudgedChange]:
    """Judge all methods on some seeds; the head is trained first."""
    head = None
    if find_spec("torch") is not None:
        from landloom.training.change.taught import taught_head  # noqa: PLC0415 - the extra `training`

        head = taught_head(done=lambda step: None if listener is None else listener.advanced(f"training: {step}", None))
    judged = []
    for seed in seeds:
        judged.append(judge_seed(judge_change(seed), seed, head))
        if listener is not None:
            listener.advanced(f"seed {seed}", None)
    return judged


def change_medians(judged: Sequence[JudgedChange]) -> dict[str, float]:
    """Medians over seeds of the values that have bars."""
    values = [one.values() for one in judged]
    known = {name: [one[name] for one in values if name in one] for name in LIMITS}
    return {name: median(found) for name, found in known.items() if found}


def change_table(judged: Sequence[JudgedChange]) -> list[tuple[object, ...]]:
    """Rows of a table: each method's figures, medians of the seeds."""
    rows: list[tuple[object, ...]] = []
    for name in judged[0].methods:
        every = [one.methods[name] for one in judged]
        told = [one.scores for one in every]
        clearings = [one.clearings for one in every if one.clearings is not None]
        days = [one.days for one in every if one.days is not None]
        shares = [_median(getattr(one, field) for one in told) for field in ("f1", "precision", "recall")]
        rows.append(
            (
                name,
                *(f"{value:.3f}" for value in shares),
                f"{median(clearings):.3f}" if clearings else "–",
                f"{median(one.false_share for one in told):.2%}",
                f"{median(days):.1f}" if days else "–",
            )
        )
    return rows


def change_summary(judged: Sequence[JudgedChange]) -> str:
    """What the figures rest on, and which peers are absent."""
    own = [one.methods[OURS] for one in judged]
    errors = [one.magnitude for one in own if one.magnitude is not None]
    events = sum(one.scores.hits + one.scores.missed for one in own)
    still = sum(not one.scores.hits + one.scores.missed for one in own)
    return (
        f"{events:,} changed and {sum(one.scores.stable for one in own):,} stable pixels of {len(judged)} seeds; "
        f"median error of the change of NDVI {_median(errors):.3f}."
        + (f" On {still} of the seeds nothing changes." if still else "")
        + "".join(f" {name} is not installed and not compared." for name in absent())
        + (" The learned head needs the extra training, and is not compared." if HEAD not in judged[0].methods else "")
    )


def _median(values: Iterable[float]) -> float:
    """Of the numbers among them; not a number without any."""
    known = [value for value in values if np.isfinite(value)]
    return median(known) if known else float("nan")


def judge_seed(case: ChangeCase, seed: int, head: ChangeHead | None = None) -> JudgedChange:
    """All methods on one case.

    Args:
        case: years with changes.
        seed: that they are of.
        head: learned on others; None if it is not judged.
    """
    valid = usable(case.clear)
    noise = noise_levels(case.pixels, valid)
    year = (case.days >= YEAR[0]) & (case.days < YEAR[1])
    methods = {OURS: _ours(case, valid, noise, np.ones_like(year)), ONE_YEAR: _ours(case, valid, noise, year)}
    if head is not None:
        methods[HEAD] = _learned(case, valid[year], head, year)
    if not absent():
        some = np.s_[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]
        methods[SOME] = _ours(case, valid, noise, np.ones_like(year), some)
        methods |= {name: _peer(case, valid, name, some) for name in PEERS}
    return JudgedChange(seed=seed, methods=methods)


def _ours(
    case: ChangeCase,
    valid: NDArray[np.bool_],
    noise: NDArray[np.float32],
    dates: NDArray[np.bool_],
    part: tuple[slice, slice] = np.s_[:, :],
) -> MethodScores:
    pair = index_bands("ndvi", CHANGE_BANDS)
    index, variance = normalised_difference(case.pixels[dates][:, :, *part], pair, noise)
    found = find_breaks(index, variance, valid[dates][:, *part], case.days[dates], BreakTest(most=_MOST))
    return _scored(case, found.date, part, found)


def _learned(case: ChangeCase, valid: NDArray[np.bool_], head: ChangeHead, year: NDArray[np.bool_]) -> MethodScores:
    image = case.pixels[year].astype(np.float32) / np.float32(REFLECTANCE_SCALE)
    found = head.breaks(image, case.days[year].astype(np.int64), valid, _MOST)
    return _scored(case, found.date, np.s_[:, :], found)


def _peer(case: ChangeCase, valid: NDArray[np.bool_], name: str, part: tuple[slice, slice]) -> MethodScores:
    """A peer, with its best settings in hindsight."""
    stack, seen = case.pixels[:, :, *part], valid[:, *part]
    shape = seen.shape[1:]
    tried = [
        peer_breaks(
            name,
            stack.reshape(*stack.shape[:2], -1),
            seen.reshape(len(seen), -1),
            case.days,
            confirmed,
            losses=losses,
        )
        for confirmed in CONFIRMED
        for losses in (False, True)
    ]
    scored = [_scored(case, one.reshape(-1, *shape), part) for one in tried]
    return max(scored, key=lambda one: one.scores.f1)


def _scored(
    case: ChangeCase, date: NDArray[np.float32], part: tuple[slice, slice], found: Breaks | None = None
) -> MethodScores:
    event, forest = case.event[part], case.forest[part]
    new_year = (np.abs(date - YEAR[0]) <= TOLERANCE) | (np.abs(date - YEAR[1]) <= TOLERANCE)
    date = np.where(new_year, np.nan, date)
    scores, which = score_breaks(date, event, YEAR)
    hit = which >= 0
    picked = np.maximum(which, 0)[None]
    off = np.abs(np.take_along_axis(date, picked, axis=0)[0] - event)[hit]
    magnitude = None
    if found is not None and hit.any():
        change = np.take_along_axis(found.change, picked, axis=0)[0]
        magnitude = float(np.median(np.abs(change - _true_change(case)[part])[hit]))
    return MethodScores(
        scores=scores,
        clearings=float(hit[forest].mean()) if forest.any() else None,
        days=float(np.median(off)) if off.size else None,
        magnitude=magnitude,
    )


def _true_change(case: ChangeCase) -> NDArray[np.float64]:
    """(y, x) change of NDVI; 0 where nothing changes."""
    high, low = index_bands("ndvi", CHANGE_BANDS)
    before, after = (
        (one[high] - one[low]) / np.maximum(one[high] + one[low], 1.0)
        for one in (case.before.astype(np.float64), case.after.astype(np.float64))
    )
    difference: NDArray[np.float64] = after - before
    return difference
