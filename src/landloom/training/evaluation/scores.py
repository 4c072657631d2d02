"""The scores of one model on one split: overall, by class, by country and stratum, calibrated, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.errors import InvalidInputError
from landloom.training.evaluation.areas import AreaAdjusted
from landloom.training.evaluation.intervals import FEW_BLOCKS, RESAMPLES, Estimate, contrast, draws, estimates
from landloom.training.evaluation.measures import BY_CLASS, OVERALL
from landloom.training.evaluation.sums import BINS, Sums

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.training.evaluation.predictions import Predictions

GROUPS: Final = ("country", "stratum")
"""Columns by which scores are broken down."""
OF_GROUPS: Final = ("accuracy", "macro_f1")
"""Measures of groups, and of inside against outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Rows whose confidence lies in one bin."""

    low: float
    high: float
    confidence: float
    """Mean of the bin."""
    right: float
    """Share of them that are right."""
    weight: float

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {"bin": [self.low, self.high]} | {
            name: getattr(self, name) for name in ("confidence", "right", "weight")
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupScores:
    """Scores of the rows of one country or stratum, of a region that was trained on, or of one that was not."""

    samples: int
    blocks: int
    scores: Mapping[str, Estimate]
    """Name of a measure of `OF_GROUPS` → estimate."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        scores = {name: one.document() for name, one in self.scores.items()}
        return {"samples": self.samples, "blocks": self.blocks, "scores": scores}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Scores where the model was trained against scores elsewhere."""

    inside: GroupScores
    outside: GroupScores
    loss: Mapping[str, Estimate]
    """Name of a measure → inside minus outside."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        loss = {name: one.document() for name, one in self.loss.items()}
        return {"inside": self.inside.document(), "outside": self.outside.document(), "loss": loss}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelScores:
    """All scores of a model, the mean of its seeds.

    Example:
        >>> from landloom.training.evaluation.predictions import Predictions
        >>> made = Predictions.of(
        ...     id=["a", "b", "c"], truth=[0, 1, 1], probabilities=[[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]],
        ...     classes=["field", "forest"], block=[0, 1, 2], split="test",
        ... )
        >>> scores = ModelScores.of("forest", [made])
        >>> {name: round(scores.overall[name].value, 2) for name in ("accuracy", "macro_f1", "brier")}
        {'accuracy': 0.67, 'macro_f1': 0.67, 'brier': 0.27}
    """

    name: str
    seeds: int
    classes: tuple[str, ...]
    samples: int
    """Different ids."""
    weight: float
    """Rows, or pixels."""
    blocks: int
    overall: Mapping[str, Estimate]
    """Name of a measure → estimate."""
    by_class: Mapping[str, tuple[Estimate, ...]]
    """Name of a measure → estimate for each class."""
    table: NDArray[np.float64]
    """(class, class) weight by true and predicted class."""
    reliability: tuple[ReliabilityBin, ...]
    """Bins with rows, ascending."""
    groups: Mapping[str, Mapping[str, GroupScores]]
    """`country` or `stratum` → its value → scores."""
    adjusted: AreaAdjusted | None
    """Area-adjusted estimates, if mapped areas are known."""
    shift: Shift | None
    """Scores outside of the training region, if one was named."""
    notes: tuple[str, ...]
    """What the scores do not say."""

    @classmethod
    def of(
        cls,
        name: str,
        seeds: Sequence[Predictions],
        *,
        mapped: Mapping[str, float] | None = None,
        shift: Shift | None = None,
        seed: int = 0,
        resamples: int = RESAMPLES,
    ) -> Self:
        """Score a model.

        Args:
            name: of the model.
            seeds: predictions of the same rows by the same model trained with other seeds; one is enough.
            mapped: class → area that the model mapped as it, in any unit, for area-adjusted estimates.
            shift: scores inside and outside of the training region, by `shift_of`.
            seed: of the bootstrap.
            resamples: of the bootstrap.

        Raises:
            InvalidInputError: no rows, other rows than those of the first seed, or areas of other classes.
        """
        require_same_rows({f"{name}, seed {place}": one for place, one in enumerate(seeds)})
        first = seeds[0]
        sums = [Sums.by_block(one) for one in seeds]
        times = draws(len(sums[0].squares), seed, resamples)
        total = [one.total for one in sums]
        table = np.mean([one.table for one in total], axis=0)
        overall = {key: estimates(sums, measure, times)[0] for key, measure in OVERALL.items()}
        return cls(
            name=name,
            seeds=len(seeds),
            classes=first.classes,
            samples=len(set(first.id)),
            weight=float(first.weight.sum()),
            blocks=len(sums[0].squares),
            overall={key: one for key, one in overall.items() if not np.isnan(one.value)},
            by_class={key: tuple(estimates(sums, measure, times)) for key, measure in BY_CLASS.items()},
            table=table,
            reliability=_reliability(total),
            groups=_groups(seeds, seed, resamples),
            adjusted=None if mapped is None else AreaAdjusted.of(table, _areas(mapped, first.classes)),
            shift=shift,
            notes=tuple(_notes(seeds, len(sums[0].squares), mapped)),
        )

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "seeds": self.seeds,
            "samples": self.samples,
            "weight": self.weight,
            "blocks": self.blocks,
            "scores": {key: one.document() for key, one in self.overall.items()},
            "classes": {
                word: {key: values[place].document() for key, values in self.by_class.items()}
                for place, word in enumerate(self.classes)
            },
            "confusion": self.table.tolist(),
            "reliability": [one.document() for one in self.reliability],
            "groups": {
                column: {word: one.document() for word, one in rows.items()} for column, rows in self.groups.items()
            },
            "area_adjusted": None if self.adjusted is None else self.adjusted.document(self.classes),
            "shift": None if self.shift is None else self.shift.document(),
            "notes": list(self.notes),
        }


def require_same_rows(parts: Mapping[str, Predictions]) -> None:
    """Refuse predictions that cannot be compared: of other classes, samples, truth, blocks, corpora or splits.

    Args:
        parts: name for messages → predictions.

    Raises:
        InvalidInputError: the first two that differ, and in what.
    """
    names = list(parts)
    if not names or not len(parts[names[0]]):
        raise InvalidInputError("got no predictions, expected at least one row")
    first = parts[names[0]]
    known = _content(first)
    for name in names[1:]:
        other = parts[name]
        for word, what in (
            ("corpus", "of the corpus"),
            ("split_set", "of the split set"),
            ("classes", "with the classes"),
        ):
            if getattr(other, word) != getattr(first, word):
                got, expected = getattr(other, word) or "none", getattr(first, word) or "none"
                raise InvalidInputError(f"{name}: got predictions {what} {got}, expected {expected} as of {names[0]}")
        own = _content(other)
        if own != known:
            apart = sorted({key[0] for key in set(own.items()) ^ set(known.items())}, key=lambda key: key[0])
            key = apart[0]
            sample = f"{key[0]} with the class {first.classes[key[1]]}"
            raise InvalidInputError(
                f"{name}: got other samples, truth or blocks than {names[0]}, first at {sample}: "
                f"{_told(own.get(key))}, expected {_told(known.get(key))}"
            )


def _content(predictions: Predictions) -> dict[tuple[str, int], tuple[float, int]]:
    """(id, true class) → weight and block; grouped pixels of one sample are one."""
    found: dict[tuple[str, int], tuple[float, int]] = {}
    rows = zip(predictions.id, predictions.truth.tolist(), predictions.weight.tolist(), strict=True)
    for (word, truth, weight), block in zip(rows, predictions.block.tolist(), strict=True):
        found[word, truth] = (found.get((word, truth), (0.0, block))[0] + weight, block)
    return {key: (round(weight, 6), block) for key, (weight, block) in found.items()}


def _told(one: tuple[float, int] | None) -> str:
    return "no row" if one is None else f"weight {one[0]:g} in block {one[1]}"


def shift_of(inside: Sequence[Predictions], outside: Sequence[Predictions], seed: int = 0) -> Shift:
    """Compare scores inside of the training region with those outside.

    Args:
        inside: predictions of held-out samples of the region, one for each seed of the model.
        outside: predictions of samples elsewhere.
        seed: of the bootstrap.

    Raises:
        InvalidInputError: one of them has no rows.
    """
    for name, own in (("inside", inside), ("outside", outside)):
        if not own or not len(own[0]):
            raise InvalidInputError(f"got no predictions {name} of the training region, expected at least one")
    sums = [[Sums.by_block(one) for one in own] for own in (inside, outside)]
    return Shift(
        inside=_group(inside, seed, RESAMPLES),
        outside=_group(outside, seed, RESAMPLES),
        loss={name: contrast(sums[0], sums[1], OVERALL[name], seed) for name in OF_GROUPS},
    )


def _group(seeds: Sequence[Predictions], seed: int, resamples: int) -> GroupScores:
    sums = [Sums.by_block(one) for one in seeds]
    times = draws(len(sums[0].squares), seed, resamples)
    scores = {name: estimates(sums, OVERALL[name], times)[0] for name in OF_GROUPS}
    return GroupScores(samples=len(set(seeds[0].id)), blocks=len(sums[0].squares), scores=scores)


def _groups(seeds: Sequence[Predictions], seed: int, resamples: int) -> dict[str, dict[str, GroupScores]]:
    found: dict[str, dict[str, GroupScores]] = {}
    for column in GROUPS:
        words = [getattr(one, column) for one in seeds]
        if any(own is None for own in words):
            continue
        names = sorted(set(words[0]) - {""})
        places = [np.array(own) for own in words]
        found[column] = {
            name: _group([one.rows(own == name) for one, own in zip(seeds, places, strict=True)], seed, resamples)
            for name in names
        }
    return {column: rows for column, rows in found.items() if rows}


def _reliability(total: Sequence[Sums]) -> tuple[ReliabilityBin, ...]:
    weight, confidence, right = (
        np.sum([getattr(one, name) for one in total], axis=0) for name in ("confident", "confidence", "right")
    )
    return tuple(
        ReliabilityBin(
            low=place / BINS,
            high=(place + 1) / BINS,
            confidence=float(confidence[place] / weight[place]),
            right=float(right[place] / weight[place]),
            weight=float(weight[place] / len(total)),
        )
        for place in np.flatnonzero(weight).tolist()
    )


def _areas(mapped: Mapping[str, float], classes: Sequence[str]) -> list[float]:
    unknown = sorted(set(mapped) - set(classes))
    if unknown:
        raise InvalidInputError(f"got a mapped area of {', '.join(unknown)}, expected classes of {', '.join(classes)}")
    return [float(mapped.get(name, 0)) for name in classes]


def _notes(seeds: Sequence[Predictions], blocks: int, mapped: Mapping[str, float] | None) -> list[str]:
    found = []
    if blocks < 2:
        found.append("All samples are in one block: there are no intervals.")
    elif blocks < FEW_BLOCKS:
        found.append(f"There are only {blocks} blocks: intervals by bootstrap over so few are too narrow.")
    if mapped is not None and any((one.weight != 1).any() for one in seeds):
        found.append(
            "Rows are pixels or have weights: the standard errors of area-adjusted estimates assume independent "
            "samples, and are too small here."
        )
    absent = [name for place, name in enumerate(seeds[0].classes) if not (seeds[0].truth == place).any()]
    if absent:
        found.append(f"Classes without any sample in this split: {', '.join(absent)}.")
    return found
