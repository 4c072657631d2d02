"""Draws without chance: every candidate, or cells named one by one."""

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
    """Every candidate, but for those that overlap a cell of another zone that is kept.

    Returns:
        (sample,) ascending positions among the candidates.

    Example:
        >>> import shapely
        >>> from landloom.sampling.zone_cells import candidate_cells
        >>> cells = candidate_cells(shapely.box(11.985, 52.0, 12.015, 52.01))
        >>> len(cells), len(draw_all(cells))
        (7, 5)
    """
    return np.flatnonzero(independent(candidates))


def draw_list(ids: Iterable[SampleId]) -> list[SampleId]:
    """Named cells, in id order.

    Raises:
        InvalidInputError: a cell is named twice, or two overlap across a border of zones; all such are listed.

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
        raise InvalidInputError(f"got cells that overlap across a border of zones: {named}; expected one of each pair")
    return listed
