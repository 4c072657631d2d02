"""Outcome of a draw, compared with its targets and with random draws of the same quotas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from landloom.sampling.balance import class_sums, jensen_shannon

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.model.ids import SampleId
    from landloom.sampling.candidates import Candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryReport:
    """The outcome of a draw in one country."""

    name: str
    candidates: int
    """Cells to choose from, before overlapping ones are removed."""
    wanted: int
    """Its quota."""
    achieved: int
    """Samples in the draw."""
    divergence: float | None
    """Jensen–Shannon divergence of the draw's class shares from the country's, in bits; None without samples."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draw:
    """Chosen cells, with the outcome compared with the targets."""

    indices: NDArray[np.int64]
    """(sample,) indices among the candidates, ascending, which is id order."""
    countries: tuple[CountryReport, ...]
    """In the order of the candidates' countries."""
    region_shares: NDArray[np.float64]
    """(class,) class shares over all candidates of the countries that have a quota."""
    draw_shares: NDArray[np.float64]
    """(class,) class shares over the draw."""
    divergence: float
    """Jensen–Shannon divergence of the two, in bits."""
    missing: tuple[int, ...]
    """Classes that occur among the candidates but not in the draw."""
    tiles: int
    """Number of distinct tiles with samples."""
    overlapping: int
    """Candidates removed because they overlap a cell of another zone."""

    def ids(self, candidates: Candidates) -> list[SampleId]:
        """The chosen samples, in id order."""
        return list(candidates.ids(self.indices))


def country_shares(candidates: Candidates) -> NDArray[np.float64]:
    """(country, class) class shares over the candidates of each country; zeros for a country without any.

    Example:
        >>> from scipy.sparse import csr_array
        >>> from landloom.sampling.candidates import Candidates
        >>> from landloom.model.ids import TileId
        >>> cells = Candidates.of_ids(TileId.parse("33N_16E-243N").samples()[:2])
        >>> country_shares(cells.with_fractions(csr_array(np.array([[1_000_000, 0], [500_000, 500_000]])))).tolist()
        [[0.75, 0.25]]
    """
    fractions = candidates.labelled()
    shape = len(candidates.countries), fractions.shape[1]
    code = np.repeat(candidates.country.astype(np.int32) * shape[1], np.diff(fractions.indptr))
    code += fractions.indices
    sums = np.bincount(code, weights=fractions.data, minlength=shape[0] * shape[1]).reshape(shape)
    totals = sums.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(sums, totals, out=np.zeros(shape), where=totals > 0))


def divergences(
    candidates: Candidates, chosen: NDArray[np.int64], targets: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Jensen–Shannon divergences between class shares of chosen cells and of the region, in bits.

    Args:
        candidates: with class fractions.
        chosen: (sample,) indices among them.
        targets: (country, class) class shares of each country.

    Returns:
        (country,) divergences, NaN for a country without samples, and the overall one.
    """
    fractions = candidates.labelled()
    part = fractions[chosen]
    width = fractions.shape[1]
    code = np.repeat(candidates.country[chosen].astype(np.int64) * width, np.diff(part.indptr)) + part.indices
    sums = np.bincount(code, weights=part.data, minlength=targets.size).reshape(targets.shape)
    each = [jensen_shannon(s, t) if s.any() else np.nan for s, t in zip(sums, targets, strict=True)]
    return np.array(each), jensen_shannon(sums.sum(axis=0), _region(candidates, targets))


def _region(candidates: Candidates, targets: NDArray[np.float64]) -> NDArray[np.float64]:
    counts = np.bincount(candidates.country, minlength=len(targets))
    return np.asarray(counts @ targets / max(len(candidates), 1))


def report(
    candidates: Candidates,
    chosen: NDArray[np.int64],
    wanted: NDArray[np.int64],
    targets: NDArray[np.float64],
    *,
    overlapping: int,
) -> Draw:
    """Summarise chosen cells and their outcome in one value.

    Args:
        candidates: with class fractions.
        chosen: (sample,) ascending indices among them.
        wanted: (country,) quotas.
        targets: (country, class) class shares of each country.
        overlapping: number of candidates that were removed.
    """
    each, total = divergences(candidates, chosen, targets)
    counts, achieved = (np.bincount(c, minlength=len(wanted)) for c in (candidates.country, candidates.country[chosen]))
    region, drawn = _region(candidates, targets), class_sums(candidates.labelled(), chosen)
    rows = zip(candidates.countries, counts.tolist(), wanted.tolist(), achieved.tolist(), each.tolist(), strict=True)
    return Draw(
        indices=chosen,
        countries=tuple(
            CountryReport(name=name, candidates=c, wanted=w, achieved=a, divergence=d if a else None)
            for name, c, w, a, d in rows
        ),
        region_shares=region,
        draw_shares=drawn / drawn.sum(),
        divergence=total,
        missing=tuple(np.flatnonzero((region > 0) & (drawn == 0)).tolist()),
        tiles=len(np.unique(candidates.take(chosen).tile_key())),
        overlapping=overlapping,
    )
