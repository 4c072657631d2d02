"""Choosing diverse granules: uniform draws in the space of empirical distribution functions.

The features of a granule are its position and its shares of the 17 IGBP classes; each is replaced by its
empirical distribution function within the continent (LandCoverNet, section 2.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Self
from zlib import crc32

import numpy as np

from landloom.errors import InvalidInputError, InvalidValueError, NotFoundError
from landloom.model.apportion import apportion
from landloom.sampling.spread import Spread, ecdf, median_spread, spread, varying

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from landloom.model.ids import GranuleId

Method = Literal["ecdf-uniform", "random", "stratified"]

CLASSES: Final = 17
"""Classes of the International Geosphere-Biosphere Programme, 1 to 17."""
BARREN: Final = 16
"""Class of barren land."""
WATER: Final = 17
"""Class of water bodies."""
PUBLISHED: Final[Mapping[str, int]] = {
    "Africa": 66,
    "Asia": 92,
    "Australia and Oceania": 20,
    "Europe": 28,
    "North America": 54,
    "South America": 40,
}
"""Granules of each continent in the published LandCoverNet."""
SCRAMBLES: Final = 16
"""Low-discrepancy sequences tried in each continent; the best one is kept."""
EXCHANGES: Final = 1500
"""Exchanges of a chosen granule with another that are tried after it; only those that better the draw are made."""
RANDOM_DRAWS: Final = 100
"""Random draws that serve as the baseline of a draw."""
_SQUARE_AREA: Final = 1e10
"""Square metres of the MGRS square of a granule."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GranuleTable:
    """Features of the granules to choose from, in id order. Arrays have one row per granule.

    Example:
        >>> from landloom.model.ids import GranuleId
        >>> table = GranuleTable.of_rows([GranuleId.parse("33TWL")], ["Europe"], [[15, 45]], np.eye(1, 17))
        >>> table.continents, table.longitude.tolist()
        (('Europe',), [15.0])
    """

    ids: tuple[GranuleId, ...]
    """In ascending order."""
    continents: tuple[str, ...]
    """Names that `continent` indexes, ascending."""
    continent: NDArray[np.int64]
    """Index of the continent."""
    longitude: NDArray[np.float64]
    """Of the centroid, degrees."""
    latitude: NDArray[np.float64]
    """Of the centroid, degrees."""
    shares: NDArray[np.float64]
    """(granule, class) area shares of IGBP classes 1 to 17."""

    @classmethod
    def of_rows(
        cls, ids: Sequence[GranuleId], continent: Sequence[str], centroid: ArrayLike, shares: ArrayLike
    ) -> Self:
        """Sort columns of any row order into id order.

        Args:
            ids: each once.
            continent: name of each one's continent.
            centroid: (granule, 2) longitude and latitude in degrees.
            shares: (granule, 17) shares of the IGBP classes, none negative, summing to at most 1.

        Raises:
            InvalidValueError: columns of unequal length, a granule twice, or impossible shares.

        Example:
            >>> from landloom.model.ids import GranuleId
            >>> ids = [GranuleId.parse("33TWL"), GranuleId.parse("01CEH")]
            >>> table = GranuleTable.of_rows(ids, ["Europe", "Oceania"], [[15, 45], [-173, -83]], np.eye(2, 17))
            >>> [str(i) for i in table.ids], table.continent.tolist()
            (['01CEH', '33TWL'], [1, 0])
        """
        places, parts = np.asarray(centroid, dtype=np.float64), np.asarray(shares, dtype=np.float64)
        if not len(ids) == len(set(ids)) == len(continent) == len(places) == len(parts):
            raise InvalidValueError(f"got {len(ids)} ids, {len(continent)} continents, {len(parts)} rows of shares")
        if parts.shape[1:] != (CLASSES,) or (parts < 0).any() or (parts.sum(axis=1) > 1 + 1e-6).any():
            raise InvalidValueError(f"got shares of shape {parts.shape}, expected (granule, {CLASSES}), sums at most 1")
        order = sorted(range(len(ids)), key=ids.__getitem__)
        names = tuple(sorted(set(continent)))
        return cls(
            ids=tuple(ids[i] for i in order),
            continents=names,
            continent=np.array([names.index(continent[i]) for i in order], dtype=np.int64),
            longitude=places[order, 0],
            latitude=places[order, 1],
            shares=parts[order],
        )

    def features(self) -> NDArray[np.float64]:
        """(granule, 19) latitude, longitude and the 17 shares."""
        return np.column_stack([self.latitude, self.longitude, self.shares])

    def eligible(self, water: float = 0.6, barren: float = 0.9) -> NDArray[np.bool_]:
        """(granule,) True unless the share of water or barren land is larger than these."""
        kept: NDArray[np.bool_] = (self.shares[:, WATER - 1] <= water) & (self.shares[:, BARREN - 1] <= barren)
        return kept

    def land_areas(self) -> dict[str, float]:
        """Continent → square metres of its granules' squares without water: weights for quotas."""
        land = np.maximum(1.0 - self.shares[:, WATER - 1], 0.0)
        sums = np.bincount(self.continent, weights=land, minlength=len(self.continents)) * _SQUARE_AREA
        return dict(zip(self.continents, sums.tolist(), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinentReport:
    """The spread of a draw over a continent, compared with random draws."""

    name: str
    wanted: int
    """Its quota."""
    achieved: int
    """Granules drawn."""
    eligible: int
    """Granules to choose from."""
    drawn: Spread | None
    """Spread of the draw; None with fewer than two granules."""
    random: Spread | None
    """Medians of 100 random draws of the same size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GranuleDraw:
    """Chosen granules, with the outcome compared with the targets."""

    granules: tuple[GranuleId, ...]
    """In id order."""
    method: Method
    continents: tuple[ContinentReport, ...]


def draw_granules(
    table: GranuleTable,
    quotas: Mapping[str, int],
    seed: int,
    *,
    method: Method = "ecdf-uniform",
    water: float = 0.6,
    barren: float = 0.9,
) -> GranuleDraw:
    """Choose a quota of granules in each continent.

    - `ecdf-uniform`: points of a scrambled Sobol sequence in the space of distribution functions, each matched with a
      different granule at the least sum of squared distances; the best of several scrambles, bettered by exchanging
      single granules (best: largest spacing times class coverage over star discrepancy).
    - `random`: every granule with equal probability.
    - `stratified`: dominant classes in proportion to their granules (largest remainder), random within each.

    Args:
        table: the granules.
        quotas: continent → granules; other continents get none.
        seed: of every random choice; a continent's draw does not depend on the others.
        method: of the draw.
        water: granules with a larger share of water are excluded.
        barren: granules with a larger share of barren land are excluded.

    Raises:
        NotFoundError: a quota for a continent that is not in the table.
        InvalidInputError: a quota above the number of eligible granules; lists all such continents.

    Example:
        >>> from landloom.model.ids import GranuleId
        >>> ids = [GranuleId(33, "T", "W" + row) for row in "ABCDEFGH"]
        >>> rng = np.random.default_rng(1)
        >>> shares = np.column_stack([rng.dirichlet([1.0] * 15, 8), np.zeros((8, 2))])
        >>> table = GranuleTable.of_rows(ids, ["Europe"] * 8, rng.random((8, 2)), shares)
        >>> found = draw_granules(table, {"Europe": 3}, seed=1)
        >>> len(found.granules), found.continents[0].achieved
        (3, 3)
    """
    for name in quotas:
        if name not in table.continents:
            raise NotFoundError.of("continent", name, table.continents)
    kept = table.eligible(water, barren)
    members = [np.flatnonzero(kept & (table.continent == i)) for i in range(len(table.continents))]
    wanted = [quotas.get(name, 0) for name in table.continents]
    rows = list(zip(table.continents, members, wanted, strict=True))
    short = [f"{name} ({count} of {len(own)})" for name, own, count in rows if not 0 <= count <= len(own)]
    if short:
        raise InvalidInputError(f"got quotas that the eligible granules cannot meet: {', '.join(short)}")
    chosen, reports = [np.empty(0, dtype=np.int64)], []
    for name, own, count in rows:
        picks, told = _draw_continent(table, name, own, count, method, seed)
        chosen.append(picks)
        reports.append(told)
    indices = np.sort(np.concatenate(chosen))
    return GranuleDraw(granules=tuple(table.ids[i] for i in indices.tolist()), method=method, continents=tuple(reports))


def _draw_continent(
    table: GranuleTable, name: str, own: NDArray[np.int64], count: int, method: Method, seed: int
) -> tuple[NDArray[np.int64], ContinentReport]:
    space = varying(ecdf(table.features()[own])) if len(own) else np.empty((0, 0))
    shares = table.shares[own]
    rng = np.random.default_rng([seed, crc32(name.encode())])
    if method == "ecdf-uniform":
        picks = _uniform(space, shares, count, rng)
    elif method == "stratified":
        picks = _stratified(shares.argmax(axis=1) if len(own) else np.empty(0, np.int64), count, rng)
    else:
        picks = rng.choice(len(own), count, replace=False)
    measured = count >= 2 and space.shape[1] > 0
    told = ContinentReport(
        name=name,
        wanted=count,
        achieved=len(picks),
        eligible=len(own),
        drawn=spread(space, shares, picks) if measured else None,
        random=median_spread(space, shares, count, RANDOM_DRAWS, rng) if measured else None,
    )
    return own[picks], told


def _uniform(
    space: NDArray[np.float64], shares: NDArray[np.float64], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Rows matched one to one with the points of the best of several scrambled Sobol sequences, then exchanged."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist
    from scipy.stats import qmc

    if count == 0 or not space.shape[1]:
        return np.arange(count)
    best = -1.0, np.arange(count)
    for _ in range(SCRAMBLES):
        # A power of two points keeps the sequence balanced; the first ones are used.
        points = qmc.Sobol(space.shape[1], rng=rng).random_base2(int(np.ceil(np.log2(count))))[:count]
        picks = np.sort(linear_sum_assignment(cdist(points, space, "sqeuclidean"))[1])
        merit = spread(space, shares, picks).merit
        if merit > best[0]:
            best = merit, picks
    return _exchanged(space, shares, best[1], rng)


def _exchanged(
    space: NDArray[np.float64], shares: NDArray[np.float64], picks: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """The choice after every exchange of one row that bettered it.

    Matching alone evens out the features together, not each by itself: with many of them, a draw can be spaced
    better than chance and yet be less uniform in the single features.
    """
    chosen, others = picks.copy(), np.setdiff1d(np.arange(len(space)), picks)
    if len(chosen) < 2 or not len(others):
        return picks
    best = spread(space, shares, chosen).merit
    for _ in range(EXCHANGES):
        at, other = rng.integers(len(chosen)), rng.integers(len(others))
        tried = chosen.copy()
        tried[at] = others[other]
        merit = spread(space, shares, tried).merit
        if merit > best:
            best, others[other], chosen = merit, chosen[at], tried
    return np.sort(chosen)


def _stratified(strata: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    sizes = np.bincount(strata)
    wanted = apportion(sizes, count) if len(sizes) else sizes
    picks = [rng.choice(np.flatnonzero(strata == i), wanted[i], replace=False) for i in range(len(sizes))]
    return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *picks]))
