"""Models compared on one split: their scores, and the differences of every two, on the same blocks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from landloom.errors import InvalidInputError
from landloom.training.evaluation.intervals import RESAMPLES, Estimate, difference, draws
from landloom.training.evaluation.measures import OVERALL, SMALLER
from landloom.training.evaluation.scores import ModelScores, require_same_rows
from landloom.training.evaluation.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landloom.training.evaluation.predictions import Predictions
    from landloom.training.evaluation.scores import Shift


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """The difference of two models on the same blocks."""

    first: str
    second: str
    differences: Mapping[str, Estimate]
    """Name of a measure → first minus second."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        rows = {name: one.document() | {"differs": one.differs} for name, one in self.differences.items()}
        return {"first": self.first, "second": self.second, "differences": rows}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leaderboard:
    """Models from the best to the worst, by one measure."""

    split: str
    by: str
    """Name of the measure."""
    corpus: str
    """Digest of the corpus; empty if not known."""
    split_set: str
    """Digest of the split set; empty if not known."""
    models: tuple[ModelScores, ...]
    paired: tuple[Paired, ...]
    """Every two models, the better one first."""

    @classmethod
    def of(
        cls,
        models: Mapping[str, Sequence[Predictions]],
        split: str,
        *,
        by: str = "macro_f1",
        mapped: Mapping[str, float] | None = None,
        shifts: Mapping[str, Shift] | None = None,
        seed: int = 0,
        resamples: int = RESAMPLES,
    ) -> Self:
        """Compare models.

        Args:
            models: name → predictions of each seed, all of the same rows.
            split: that they are of.
            by: measure that orders them.
            mapped: class → mapped area; with a single model only.
            shifts: name → scores outside of the training region.
            seed: of the bootstrap.
            resamples: of the bootstrap.

        Raises:
            InvalidInputError: predictions of different corpora, split sets, classes or samples; an unknown measure.
        """
        if by not in OVERALL:
            raise InvalidInputError(f"got the measure {by!r}, expected one of {', '.join(OVERALL)}")
        if mapped is not None and len(models) > 1:
            raise InvalidInputError("got mapped areas for several models, expected one: each maps areas of its own")
        parts = [(f"{name}, seed {place}", one) for name, own in models.items() for place, one in enumerate(own)]
        require_same_rows(dict(parts))
        scored = [
            ModelScores.of(name, own, mapped=mapped, shift=(shifts or {}).get(name), seed=seed, resamples=resamples)
            for name, own in models.items()
        ]
        if any(by not in one.overall for one in scored):
            raise InvalidInputError(f"got the measure {by!r}, expected one that these predictions have")
        sign = 1 if by in SMALLER else -1
        scored.sort(key=lambda one: (sign * one.overall[by].value, one.name))
        first = parts[0][1]
        return cls(
            split=split,
            by=by,
            corpus=first.corpus,
            split_set=first.split_set,
            models=tuple(scored),
            paired=tuple(_paired([one.name for one in scored], models, seed, resamples)),
        )

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        names = ("split", "by", "corpus", "split_set")
        return {name: getattr(self, name) for name in names} | {
            "models": [one.document() for one in self.models],
            "paired": [one.document() for one in self.paired],
        }


def _paired(
    order: Sequence[str], models: Mapping[str, Sequence[Predictions]], seed: int, resamples: int
) -> list[Paired]:
    blocks = np.unique(models[order[0]][0].block)
    sums = {name: [Sums.by_block(one, blocks.tolist()) for one in models[name]] for name in order}
    times = draws(len(blocks), seed, resamples)
    found = []
    for first, second in combinations(order, 2):
        rows = {name: difference(sums[first], sums[second], own, times) for name, own in OVERALL.items()}
        rows = {name: one for name, one in rows.items() if not np.isnan(one.value)}
        found.append(Paired(first=first, second=second, differences=rows))
    return found
