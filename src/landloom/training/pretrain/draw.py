"""Unlabelled samples for pretraining: at a stated distance from all labelled ones, with a proof."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.errors import InvalidInputError, InvalidValueError, counted
from landloom.training.splits.distances import Footprints, near_pairs, nearer, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.query.index.sidecar import Rows, Sidecar


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawProof:
    """What was measured on drawn samples, without a look at how they were drawn."""

    distance: float
    """Least distance from every labelled sample that was asked for, in metres."""
    labelled: int
    """Labelled samples."""
    drawn: int
    """Drawn samples."""
    near: int
    """Samples without a label that lie nearer than the distance, and so were not drawn."""
    pairs: int
    """Pairs of a drawn and a labelled sample that may be nearer, all of which were measured, and the nearest ones."""
    violations: int
    """Pairs among them that are nearer."""
    nearest: float
    """Distance in metres of the nearest two."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def draw_distant(
    sidecar: Sidecar,
    labelled: Rows,
    distance: float,
    *,
    among: Rows | None = None,
    count: int | None = None,
    seed: int = 0,
) -> tuple[Rows, DrawProof]:
    """Draw samples that are at least so far from every labelled sample, footprint to footprint.

    Args:
        sidecar: index of the corpus.
        labelled: rows of all samples whose labels are used anywhere: to train, to validate, to test.
        distance: in metres.
        among: rows that are drawn from; by default all of the corpus.
        count: of samples at most; by default all that are far enough.
        seed: of the draw.

    Returns:
        Ascending rows, and what was measured on them.

    Raises:
        InvalidInputError: no labelled sample, a negative distance, or no sample that is far enough.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> corpus = example_corpus()
        >>> rows, proof = draw_distant(corpus.sidecar, corpus.query(split="test").rows, 3000)
        >>> len(rows), proof.violations, proof.nearest >= 3000
        (1, 0, True)
    """
    if not len(labelled):
        raise InvalidInputError("got no labelled sample to keep a distance from, expected at least one")
    if not 0 <= distance < np.inf or (count is not None and count < 1):
        raise InvalidInputError(
            f"got a distance of {distance} m and {count} samples, expected 0 or more, and 1 or more"
        )
    places = Footprints.of_degrees(sidecar.corners(np.arange(len(sidecar), dtype=np.int32)))
    pool = np.arange(len(sidecar)) if among is None else np.unique(among).astype(np.int64)
    owned = np.unique(labelled).astype(np.int64)
    free = np.setdiff1d(pool, owned)
    near = nearer(places, free, owned, distance) if len(free) else np.zeros(0, np.bool_)
    far = free[~near]
    if not len(far):
        raise InvalidInputError(
            f"got {counted(len(free), 'sample')} without a label, none of them {distance:g} m or more from all "
            f"{counted(len(owned), 'labelled sample')}; a smaller distance or fewer labelled samples are possible"
        )
    if count is not None and count < len(far):
        far = np.sort(np.random.default_rng(seed).choice(far, count, replace=False))
    proof = prove_distant(places, far, owned, distance, int(near.sum()))
    return far.astype(np.int32), proof


def prove_distant(
    places: Footprints, drawn: NDArray[np.int64], labelled: NDArray[np.int64], distance: float, near: int
) -> DrawProof:
    """Measure drawn samples against the labelled ones.

    Args:
        places: footprints of all samples.
        drawn: rows, at least one.
        labelled: rows, at least one.
        distance: in metres.
        near: samples that were not drawn because they lie nearer.

    Raises:
        InvalidValueError: a sample is both.
    """
    if len(np.intersect1d(drawn, labelled)):
        raise InvalidValueError("got a sample that is drawn and labelled, expected none")
    group = np.full(len(places.centres), -1)
    group[drawn], group[labelled] = 0, 1
    pairs = violations = 0
    for _, found in near_pairs(places, group, distance):
        pairs += len(found[0])
        violations += int((places.distances(*found) < distance).sum())
    closest, measured = nearest(places, drawn, labelled)
    return DrawProof(
        distance=distance,
        labelled=len(labelled),
        drawn=len(drawn),
        near=near,
        pairs=pairs + measured,
        violations=violations,
        nearest=round(closest, 1),
    )
