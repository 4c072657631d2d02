"""The gap between splits: which samples it costs, and the proof that it holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.sampling.balance import jensen_shannon
from landloom.training.splits.distances import near_pairs, nearer, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.training.splits.distances import Footprints


IN_GAP: Final = -1
"""In place of a split: the sample lies within the gap."""
OUTSIDE: Final = -2
"""In place of a split: the sample lies in no block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPart:
    """One split."""

    name: str
    samples: int
    classes: Mapping[str, float]
    """Class → share of the area of the split."""
    divergence: float
    """Jensen–Shannon divergence of its class shares from those of all samples, in bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitProof:
    """What was measured on a finished split."""

    gap: float
    """Least distance between samples of different splits that was asked for, in metres."""
    pairs: int
    """Pairs of samples of different splits that may be nearer than the gap, all of which were measured."""
    violations: int
    """Pairs among them that are nearer."""
    nearest: Mapping[str, float]
    """`train | val` → distance in metres of the nearest two samples of two splits."""
    parts: tuple[SplitPart, ...]
    """The splits."""
    gap_samples: int
    """Samples that belong to no split because they lie within the gap."""
    outside: int
    """Samples that belong to no split because they lie in no block."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def within_gap(places: Footprints, split: NDArray[np.int64], shares: Sequence[float], gap: float) -> NDArray[np.bool_]:
    """Samples that must leave their split so that no two samples of different splits are nearer than the gap.

    Of two that are, the one of the split with the larger share leaves: test and validation keep their samples.

    Args:
        places: footprints.
        split: (n,) number of each sample's split, below 0 for none.
        shares: share of each split; of two equal ones the later leaves.
        gap: in metres.
    """
    leave = np.zeros(len(split), np.bool_)
    rows = [np.flatnonzero(split == number) for number in range(len(shares))]
    for first, second in combinations(range(len(shares)), 2):
        if gap > 0 and len(rows[first]) and len(rows[second]):
            larger, smaller = (first, second) if shares[first] > shares[second] else (second, first)
            leave[rows[larger][nearer(places, rows[larger], rows[smaller], gap)]] = True
    return leave


def prove(
    places: Footprints,
    split: NDArray[np.int64],
    names: Sequence[str],
    gap: float,
    classes: Mapping[str, NDArray[np.float64]],
) -> SplitProof:
    """Measure a split, without a look at how it was made.

    Args:
        places: footprints.
        split: (n,) number of each sample's split, `IN_GAP` or `OUTSIDE` for none.
        names: of the splits; each has a sample.
        gap: in metres.
        classes: class → (n,) share of each sample's area.
    """
    pairs = violations = 0
    for _, found in near_pairs(places, split, gap):
        pairs += len(found[0])
        violations += int((places.distances(*found) < gap).sum())
    rows = [np.flatnonzero(split == number) for number in range(len(names))]
    closest = {}
    for first, second in combinations(range(len(names)), 2):
        distance, measured = nearest(places, rows[first], rows[second])
        closest[f"{names[first]} | {names[second]}"] = round(distance, 1)
        pairs += measured
    return SplitProof(
        gap=gap,
        pairs=pairs,
        violations=violations,
        nearest=closest,
        parts=tuple(_part(name, own, classes) for name, own in zip(names, rows, strict=True)),
        gap_samples=int((split == -1).sum()),
        outside=int((split == -2).sum()),
    )


def _part(name: str, rows: NDArray[np.int64], classes: Mapping[str, NDArray[np.float64]]) -> SplitPart:
    own = {key: float(values[rows].sum()) for key, values in classes.items()}
    whole = [float(values.sum()) for values in classes.values()]
    return SplitPart(
        name=name,
        samples=len(rows),
        classes={key: area / len(rows) for key, area in own.items()},
        divergence=jensen_shannon(list(own.values()), whole) if sum(own.values()) > 0 else 0.0,
    )
