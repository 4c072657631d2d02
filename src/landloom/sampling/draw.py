"""The RapidAI4EO draw: quotas by country, class shares kept within each, no overlap, every class covered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from zlib import crc32

import numpy as np

from landloom.errors import InvalidInputError, NotFoundError
from landloom.sampling.achieved import Draw, country_shares, report
from landloom.sampling.balance import class_sums, dominant_class, inclusion, jensen_shannon, systematic
from landloom.sampling.cluster import choose_tiles
from landloom.sampling.overlap import independent
from landloom.sampling.repair import cover

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from landloom.sampling.candidates import Candidates

STARTS: Final = 64
"""Systematic draws that are compared in each country; the one closest to the country's class shares is kept."""


def draw(candidates: Candidates, total: int, quotas: Mapping[str, int], seed: int, *, tiles: int | None = None) -> Draw:
    """Choose samples so that country counts equal quotas and classes are as frequent as in each country.

    Cells of each country are sorted by dominant class, then place, and sampled systematically; of several starts the
    one whose class shares are closest to the country's is kept. Missing classes are then swapped in.

    Args:
        candidates: cells with class fractions; without any, only the place counts.
        total: number of samples.
        quotas: country → samples, summing to `total`; other countries get none.
        seed: of every random choice.
        tiles: concentrate the samples in exactly this many 24 km tiles.

    Raises:
        InvalidInputError: quotas that do not sum to the total, or that cannot be met; lists every such country.
        NotFoundError: a quota for a country that is not among the candidates' countries.

    Example:
        >>> import shapely
        >>> from landloom.sampling.zone_cells import candidate_cells
        >>> cells = candidate_cells(shapely.box(11.9, 52.0, 12.1, 52.1), [("A", shapely.box(0, 0, 20, 90))])
        >>> found = draw(cells, 20, {"A": 20}, seed=1)
        >>> len(found.indices), found.countries[0].achieved, found.missing
        (20, 20, ())
    """
    cells = candidates if candidates.fractions is not None else replace(candidates, fractions=_one_class(candidates))
    wanted = _wanted(cells, total, quotas)
    free = independent(cells)
    _check_room(cells, np.bincount(cells.country[free], minlength=len(wanted)), wanted)
    targets = country_shares(cells)
    pool = free
    if tiles is not None:
        pool = free & choose_tiles(cells, free, wanted, targets, tiles, np.random.default_rng([seed, 1]))
    chosen = _choose(cells, np.flatnonzero(pool), wanted, targets, seed)
    groups = None if tiles is None else cells.tile_index()
    rng = np.random.default_rng([seed, 2])
    chosen = cover(cells, pool, chosen, targets, rng, groups=groups)
    return report(cells, chosen, wanted, targets, overlapping=int((~free).sum()))


def _one_class(candidates: Candidates) -> csr_array:
    from scipy.sparse import csr_array

    return csr_array(np.full((len(candidates), 1), 1_000_000, dtype=np.uint32))


def _wanted(candidates: Candidates, total: int, quotas: Mapping[str, int]) -> NDArray[np.int64]:
    for name in quotas:
        if name not in candidates.countries:
            raise NotFoundError.of("country", name, candidates.countries)
    if sum(quotas.values()) != total or min(quotas.values(), default=0) < 0:
        raise InvalidInputError(f"got quotas that sum to {sum(quotas.values())}, expected {total}, none negative")
    return np.array([quotas.get(name, 0) for name in candidates.countries], dtype=np.int64)


def _check_room(candidates: Candidates, room: NDArray[np.int64], wanted: NDArray[np.int64]) -> None:
    short = [f"{candidates.countries[i]} ({wanted[i]} of {room[i]})" for i in np.flatnonzero(room < wanted)]
    if short:
        raise InvalidInputError(f"got quotas above the number of cells that do not overlap: {', '.join(short)}")


def _choose(
    cells: Candidates,
    pool: NDArray[np.int64],
    wanted: NDArray[np.int64],
    targets: NDArray[np.float64],
    seed: int,
) -> NDArray[np.int64]:
    """Ascending indices of a balanced draw from the pool, country by country."""
    fractions = cells.labelled()
    by_country = pool[np.argsort(cells.country[pool], kind="stable")]
    bounds = np.searchsorted(cells.country[by_country], np.arange(len(wanted) + 1))
    chosen = [np.empty(0, dtype=np.int64)]
    for index in np.flatnonzero(wanted):
        own = by_country[bounds[index] : bounds[index + 1]]
        # Seeded by name, so that a country's draw does not depend on the other countries.
        rng = np.random.default_rng([seed, crc32(cells.countries[index].encode())])
        picks = balanced(fractions[own], targets[index], int(wanted[index]), rng)
        chosen.append(own[picks])
    return np.sort(np.concatenate(chosen))


def balanced(
    fractions: csr_array, shares: NDArray[np.float64], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """The best of several systematic draws from rows sorted by dominant class, then place.

    Args:
        fractions: (row, class) millionths, rows in an order that follows place.
        shares: (class,) targets.
        count: rows to draw.
        rng: draws the start positions.

    Returns:
        (count,) row numbers.

    Example:
        >>> from scipy.sparse import csr_array
        >>> cells = csr_array(np.array([[1_000_000, 0], [0, 1_000_000]] * 8))
        >>> picks = balanced(cells, np.array([0.5, 0.5]), 4, np.random.default_rng(1))
        >>> sorted((picks % 2).tolist())
        [0, 0, 1, 1]
    """
    order = np.argsort(dominant_class(fractions), kind="stable")
    probabilities = inclusion(fractions, shares, count)[order]
    best = np.inf, order[:count]
    for start in rng.random(STARTS):
        picks = order[systematic(probabilities, count, float(start))]
        distance = jensen_shannon(class_sums(fractions, picks), shares)
        if distance < best[0]:
            best = distance, picks
    return best[1]
