"""Agreement between annotators: Krippendorff's alpha, Fleiss' and Cohen's kappa, overall and by class."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.annotate.answers.patterns import Patterns


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Agreement of two annotators."""

    first: int | str
    second: int | str
    pixels: int
    """Pixels that both labelled."""
    agreed: float
    """Share of them with the same label."""
    kappa: float
    """Cohen's (1960); NaN if both gave one and the same class only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Agreement of all annotators; NaN where it is not defined."""

    pixels: int
    """Pixels with at least two labels."""
    unanimous: float
    """Share of them on which all agree."""
    alpha: float
    """Krippendorff's alpha for nominal data (2011, Computing Krippendorff's alpha-reliability)."""
    kappa: float
    """Fleiss' kappa (1971), generalised to pixels with different numbers of labels."""
    by_class: dict[int, float]
    """Code of a class → alpha of that class against all others; classes nobody chose are absent."""
    pairs: tuple[Pair, ...]
    """Of all pairs with common pixels."""

    @classmethod
    def of(cls, patterns: Patterns) -> Self:
        """Measure agreement on all pixels with at least two labels."""
        votes = patterns.votes()
        several = votes.sum(axis=1) >= 2
        votes, count = votes[several], patterns.count[several].astype(np.float64)
        pixels = int(count.sum())
        same = (votes > 0).sum(axis=1) == 1
        table = coincidences(votes, count)
        chosen = np.flatnonzero(table.sum(axis=1))
        return cls(
            pixels=pixels,
            unanimous=float(count[same].sum() / pixels) if pixels else float("nan"),
            alpha=krippendorff_alpha(table),
            kappa=fleiss_kappa(votes, count),
            by_class={patterns.classes[at]: krippendorff_alpha(_against_all(table, at)) for at in chosen.tolist()},
            pairs=tuple(_pairs(patterns)),
        )

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "pixels": self.pixels,
            "unanimous": _or_none(self.unanimous),
            "krippendorff_alpha": _or_none(self.alpha),
            "fleiss_kappa": _or_none(self.kappa),
            "by_class": {str(code): _or_none(value) for code, value in self.by_class.items()},
            "pairs": [
                {
                    "annotators": [one.first, one.second],
                    "pixels": one.pixels,
                    "agreed": one.agreed,
                    "kappa": _or_none(one.kappa),
                }
                for one in self.pairs
            ],
        }


def coincidences(votes: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    """Krippendorff's table of coincidences.

    Args:
        votes: (n, k) labels for each class; rows sum to 2 or more.
        count: (n,) pixels of each row.

    Returns:
        (k, k) pairs of labels within pixels; its sum is the number of labels.
    """
    weight = count / np.maximum(votes.sum(axis=1) - 1, 1)
    table: NDArray[np.float64] = (votes * weight[:, None]).T @ votes
    table[np.diag_indices_from(table)] -= (votes * weight[:, None]).sum(axis=0)
    return table


def krippendorff_alpha(table: NDArray[np.float64]) -> float:
    """Alpha for nominal data from a table of coincidences; NaN if fewer than two classes occur.

    Example:
        >>> round(krippendorff_alpha(np.array([[4.0, 1.0], [1.0, 4.0]])), 3)
        0.64
    """
    sums, total = table.sum(axis=1), float(table.sum())
    expected = total * total - float((sums * sums).sum())
    if expected <= 0:
        return float("nan")
    return 1 - (total - float(np.trace(table))) * (total - 1) / expected


def fleiss_kappa(votes: NDArray[np.float64], count: NDArray[np.float64]) -> float:
    """Fleiss' kappa; NaN if fewer than two classes occur.

    Args:
        votes: (n, k) labels for each class; rows sum to 2 or more.
        count: (n,) pixels of each row.
    """
    raters = votes.sum(axis=1)
    if not count.sum():
        return float("nan")
    agreed = float((count * ((votes * (votes - 1)).sum(axis=1) / (raters * (raters - 1)))).sum() / count.sum())
    shares = (votes * count[:, None]).sum(axis=0) / float((raters * count).sum())
    return _kappa(agreed, float((shares * shares).sum()))


def _against_all(table: NDArray[np.float64], at: int) -> NDArray[np.float64]:
    own, row = table[at, at], table[at].sum()
    return np.array([[own, row - own], [row - own, table.sum() - 2 * row + own]])


def _kappa(agreed: float, chance: float) -> float:
    return (agreed - chance) / (1 - chance) if chance < 1 else float("nan")


def _pairs(patterns: Patterns) -> list[Pair]:
    size = len(patterns.classes)
    found: dict[tuple[int, ...], NDArray[np.float64]] = {}
    for one, other in combinations(range(patterns.labels.shape[1]), 2):
        both = (patterns.labels[:, one] >= 0) & (patterns.labels[:, other] >= 0)
        who = np.stack([patterns.who[both, one], patterns.who[both, other]])
        labels = np.stack([patterns.labels[both, one], patterns.labels[both, other]]).astype(np.int64)
        swapped = who[0] > who[1]
        who[:, swapped], labels[:, swapped] = who[::-1, swapped], labels[::-1, swapped]
        for key in np.unique(who, axis=1).T.tolist():
            own = (who[0] == key[0]) & (who[1] == key[1])
            table = np.bincount(
                labels[0, own] * size + labels[1, own], weights=patterns.count[both][own], minlength=size * size
            ).reshape(size, size)
            found[tuple(key)] = found.get(tuple(key), np.zeros((size, size))) + table
    return [_pair(patterns, key, table) for key, table in sorted(found.items())]


def _pair(patterns: Patterns, key: tuple[int, ...], table: NDArray[np.float64]) -> Pair:
    total = float(table.sum())
    agreed = float(np.trace(table)) / total
    chance = float(table.sum(axis=0) @ table.sum(axis=1)) / total**2
    first, second = (patterns.annotators[at] for at in key)
    return Pair(first=first, second=second, pixels=int(total), agreed=agreed, kappa=_kappa(agreed, chance))


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value
