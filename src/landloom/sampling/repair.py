"""Swaps that add missing classes to a draw, at constant country counts and the least cost in class shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.sampling.balance import class_sums

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from landloom.sampling.candidates import Candidates

_TRIES: Final = 48
"""Cells that are evaluated for every missing class."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Swaps:
    """A draw during repair."""

    cells: Candidates
    targets: NDArray[np.float64]
    chosen: NDArray[np.int64]
    groups: NDArray[np.int32] | None
    rng: np.random.Generator

    def missing_classes(self) -> list[int]:
        """Classes that occur among the candidates but not in the draw, rarest first."""
        fractions = self.cells.labelled()
        present = np.bincount(fractions.indices, minlength=fractions.shape[1])
        absent = np.flatnonzero((present > 0) & (self._class_counts() == 0))
        return [int(c) for c in absent[np.argsort(present[absent], kind="stable")]]

    def missing_groups(self, pool: NDArray[np.bool_]) -> list[int]:
        """Groups that occur in the pool but not in the draw."""
        if self.groups is None:
            return []
        return [int(g) for g in np.setdiff1d(self.groups[pool], self.groups[self.chosen])]

    def _class_counts(self) -> NDArray[np.int64]:
        fractions = self.cells.labelled()
        return np.bincount(fractions[self.chosen].indices, minlength=fractions.shape[1])

    def _needed(self) -> NDArray[np.bool_]:
        """(sample,) True if the draw would lose a class or a group with the sample."""
        part = self.cells.labelled()[self.chosen]
        single = (self._class_counts() == 1)[part.indices]
        needed = np.add.reduceat(single, part.indptr[:-1]) > 0
        if self.groups is not None:
            own = self.groups[self.chosen]
            needed |= np.bincount(own)[own] == 1
        return needed

    def bring(self, incoming: NDArray[np.int64]) -> bool:
        """Swap in the cell of these with the least cost; False if no swap is possible."""
        drawn = np.unique(self.cells.country[self.chosen])
        incoming = incoming[np.isin(self.cells.country[incoming], drawn)]
        if len(incoming) > _TRIES:
            incoming = np.sort(self.rng.choice(incoming, _TRIES, replace=False))
        needed = self._needed()
        best: tuple[float, int, int] = np.inf, -1, -1
        for country in np.unique(self.cells.country[incoming]).tolist():
            mine = self.cells.country[self.chosen] == country
            loose = np.flatnonzero(mine & ~needed)
            if len(loose):
                own = incoming[self.cells.country[incoming] == country]
                best = min(best, self._best(country, own, self.chosen[mine], loose))
        if best[1] < 0:
            return False
        self.chosen[best[2]] = best[1]
        self.chosen.sort()
        return True

    def _best(
        self, country: int, incoming: NDArray[np.int64], mine: NDArray[np.int64], loose: NDArray[np.int64]
    ) -> tuple[float, int, int]:
        """Cost (change of the chi-square distance of shares), incoming cell, index of the outgoing one."""
        fractions = self.cells.labelled()
        target, count = self.targets[country], len(mine)
        weight = np.divide(1.0, target, out=np.zeros_like(target), where=target > 0) / count**2
        excess = class_sums(fractions, mine) / 1e6 - count * target
        going = fractions[self.chosen[loose]].astype(np.float64) / 1e6
        squares = going.power(2) @ weight
        best = np.inf, -1, -1
        for cell in incoming.tolist():
            coming = fractions[[cell]].toarray()[0] / 1e6
            shifted = excess + coming
            fixed = float((weight * (shifted**2 - excess**2)).sum())
            costs = squares - 2 * (going @ (weight * shifted)) + fixed
            at = int(np.argmin(costs))
            best = min(best, (float(costs[at]), cell, int(loose[at])))
        return best


def cover(
    cells: Candidates,
    pool: NDArray[np.bool_],
    chosen: NDArray[np.int64],
    targets: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    groups: NDArray[np.int32] | None = None,
) -> NDArray[np.int64]:
    """Swap cells until every class, and every group of the pool, is in the draw, as far as quotas allow.

    No swap removes the last cell of a class or of a group.

    Args:
        cells: candidates with class fractions.
        pool: (cell,) which may be drawn; no two of them overlap.
        chosen: (sample,) ascending indices of a draw from the pool.
        targets: (country, class) shares that the draw should keep.
        rng: chooses the cells that are evaluated.
        groups: (cell,) group number, such as the tile; None for none.

    Returns:
        (sample,) ascending indices, with the same number per country.

    Example:
        >>> from scipy.sparse import csr_array
        >>> from landloom.sampling.candidates import Candidates
        >>> from landloom.model.ids import TileId
        >>> cells = Candidates.of_ids(TileId.parse("33N_16E-243N").samples()[:3])
        >>> cells = cells.with_fractions(csr_array(np.array([[0, 10**6], [0, 10**6], [10**6, 0]])))
        >>> targets = np.array([[1 / 3, 2 / 3]])
        >>> cover(cells, np.ones(3, bool), np.array([0, 1]), targets, np.random.default_rng(1)).tolist()
        [1, 2]
    """
    swaps = _Swaps(cells=cells, targets=targets, chosen=chosen.copy(), groups=groups, rng=rng)
    fractions = cells.labelled()

    def of_class(code: int) -> NDArray[np.int64]:
        rows = np.searchsorted(fractions.indptr, np.flatnonzero(fractions.indices == code), side="right") - 1
        return rows[pool[rows]].astype(np.int64)

    def of_group(group: int) -> NDArray[np.int64]:
        return np.flatnonzero(pool & (groups == group))

    _bring_all(swaps.missing_classes, of_class, swaps)
    _bring_all(lambda: swaps.missing_groups(pool), of_group, swaps)
    return swaps.chosen


def _bring_all(missing: Callable[[], list[int]], of: Callable[[int], NDArray[np.int64]], swaps: _Swaps) -> None:
    hopeless: set[int] = set()
    while left := [item for item in missing() if item not in hopeless]:
        if not swaps.bring(of(left[0])):
            hopeless.add(left[0])
