"""Draws without randomness: every candidate, or listed cells."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from landloom.errors import InvalidInputError
from landloom.sampling.candidates import Candidates
from landloom.sampling.overlap import independent, overlapping_pairs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from landloom.model.ids import SampleId


def draw_all(candidates: Candidates) -> NDArray[np.int64]:
    """Every candidate, except those that overlap a kept cell of another zone.

    Returns:
        (sample,) ascending indices among the candidates.

    Example:
        >>> import shapely
        >>> from landloom.sampling.zone_cells import candidate_cells
        >>> cells = candidate_cells(shapely.box(11.985, 52.0, 12.015, 52.01))
        >>> len(cells), len(draw_all(cells))
        (7, 5)
    """
    return np.flatnonzero(independent(candidates))


def draw_list(ids: Iterable[SampleId]) -> list[SampleId]:
    """The listed cells, in id order.

    Raises:
        InvalidInputError: a cell is listed twice, or two overlap across a zone border; lists all such cells.

    Example:
        >>> from landloom.model.ids import SampleId
        >>> [str(i) for i in draw_list(map(SampleId.parse, ["33N_16E-243N_29_02", "33N_16E-243N_29_01"]))]
        ['33N_16E-243N_29_01', '33N_16E-243N_29_02']
    """
    listed = sorted(ids)
    twice = sorted({a for a, b in pairwise(listed) if a == b})
    if twice:
        raise InvalidInputError(f"got cells more than once: {', '.join(map(str, twice))}")
    pairs = overlapping_pairs(Candidates.of_ids(listed))
    if len(pairs):
        named = ", ".join(f"{listed[a]} and {listed[b]}" for a, b in pairs.tolist())
        raise InvalidInputError(f"got cells that overlap across a zone border: {named}; expected one of each pair")
    return listed
