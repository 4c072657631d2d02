"""Area-adjusted accuracy and areas of classes, with standard errors (Olofsson et al. 2014).

Good practices for estimating area and assessing accuracy of land change, doi:10.1016/j.rse.2014.02.015, equations
1 to 11: the strata are the classes of the map, the rows of its error matrix, and each counts by its mapped area.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from landloom.errors import InvalidInputError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AreaAdjusted:
    """Estimates for the mapped area; NaN where a class has too few reference samples."""

    accuracy: float
    accuracy_error: float
    """Standard error of the overall accuracy."""
    users: NDArray[np.float64]
    """(class,) user's accuracy."""
    users_error: NDArray[np.float64]
    producers: NDArray[np.float64]
    """(class,) producer's accuracy."""
    producers_error: NDArray[np.float64]
    shares: NDArray[np.float64]
    """(class,) share of the whole area, adjusted for the errors of the map."""
    shares_error: NDArray[np.float64]

    @classmethod
    def of(cls, table: NDArray[np.float64], mapped: Sequence[float] | NDArray[np.float64]) -> Self:
        """Estimate from reference samples of a map.

        Args:
            table: (class, class) reference samples: true class in rows, mapped class in columns.
            mapped: (class,) mapped area of each class, in any unit.

        Raises:
            InvalidInputError: a class is mapped but has no sample, or no class is mapped.

        Example:
            >>> found = AreaAdjusted.of(np.array([[66.0, 0, 1, 2], [0, 55, 0, 1], [5, 8, 153, 9], [4, 12, 11, 313]]),
            ...                         [200_000, 150_000, 3_200_000, 6_450_000])
            >>> round(found.accuracy, 3), (found.shares * 10_000_000).round().tolist()
            (0.947, [235086.0, 129846.0, 3175221.0, 6459846.0])
        """
        weight = _weights(table, mapped)
        counts = table.T  # the paper's rows are the map
        number = counts.sum(axis=1)
        chance = np.divide(counts, number[:, None], out=np.zeros_like(counts), where=number[:, None] > 0)
        cells = weight[:, None] * chance
        users = np.where(number > 0, np.diag(chance), np.nan)
        shares = cells.sum(axis=0)
        # A class with a single sample has no variance: all that it enters is unknown.
        per = np.where(weight > 0, 1 / np.where(number > 1, number - 1, np.nan), 0)
        users_error = np.sqrt(users * (1 - users) * np.where(number > 1, 1 / np.maximum(number - 1, 1), np.nan))
        spread = weight[:, None] ** 2 * chance * (1 - chance) * per[:, None]
        right = np.diag(cells)
        producers = np.divide(right, shares, out=np.full(len(shares), np.nan), where=shares > 0)
        own, others = np.diag(spread), spread.sum(axis=0) - np.diag(spread)
        variance = (1 - producers) ** 2 * own + producers**2 * others
        return cls(
            accuracy=float(right.sum()),
            accuracy_error=float(np.sqrt(own.sum())),
            users=users,
            users_error=users_error,
            producers=producers,
            producers_error=np.sqrt(variance) / np.where(shares > 0, shares, np.nan),
            shares=shares,
            shares_error=np.sqrt(spread.sum(axis=0)),
        )

    def document(self, classes: Sequence[str]) -> dict[str, Any]:
        """As JSON values; standard errors beside the estimates, null where they are not known."""
        names = ("users", "producers", "shares")
        pairs = {name: (getattr(self, name), getattr(self, f"{name}_error")) for name in names}
        return {
            "accuracy": {"value": self.accuracy, "error": _or_none(self.accuracy_error)},
            "classes": {
                word: {
                    name: {"value": _or_none(value[place]), "error": _or_none(error[place])}
                    for name, (value, error) in pairs.items()
                }
                for place, word in enumerate(classes)
            },
        }


def _weights(table: NDArray[np.float64], mapped: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """(class,) share of the mapped area."""
    areas = np.asarray(mapped, np.float64)
    size = len(areas)
    if table.shape != (size, size):
        raise InvalidValueError(
            f"got a table of shape {table.shape} and {size} mapped areas, expected one for each class"
        )
    if not ((areas >= 0) & np.isfinite(areas)).all() or areas.sum() <= 0:
        raise InvalidInputError(
            f"got the mapped areas {areas.tolist()}, expected areas of at least 0, and one above it"
        )
    empty = np.flatnonzero((areas > 0) & (table.sum(axis=0) == 0))
    if len(empty):
        raise InvalidInputError(
            f"class {', '.join(map(str, empty.tolist()))}: mapped but never predicted in the reference samples; "
            "expected samples in every class of the map"
        )
    weights: NDArray[np.float64] = areas / areas.sum()
    return weights


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
