"""Quality of a label map: confusion matrix, accuracies by class, and the importance of a model's features."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from landloom.errors import InvalidValueError
from landloom.labels.confusion import confusion, overall_accuracy, producers_accuracy, users_accuracy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """A confusion matrix and its measures (Congalton 1991, doi:10.1016/0034-4257(91)90048-B).

    Example:
        >>> scores = Scores.of(np.array([5, 5, 6, 6], np.uint8), np.array([5, 6, 6, 6], np.uint8))
        >>> scores.accuracy, scores.producers, {code: round(share, 2) for code, share in scores.users.items()}
        (0.75, {5: 0.5, 6: 1.0}, {5: 1.0, 6: 0.67})
    """

    classes: tuple[int, ...]
    """Ascending."""
    matrix: NDArray[np.int64]
    """(reference class, predicted class) pixels."""

    @classmethod
    def of(cls, reference: NDArray[np.uint8], predicted: NDArray[np.uint8], nodata: int = 0) -> Self:
        """Compare two label maps of one shape; pixels with nodata in the reference, or in both, do not count."""
        if reference.shape != predicted.shape:
            raise InvalidValueError(f"got maps of shape {reference.shape} and {predicted.shape}, expected the same")
        kept = reference != nodata
        table = confusion(reference[kept], predicted[kept], 256).astype(np.int64)
        there = np.flatnonzero(table.sum(axis=0) + table.sum(axis=1))
        return cls(classes=tuple(there.tolist()), matrix=table[np.ix_(there, there)])

    @property
    def pixels(self) -> int:
        """Number of pixels compared."""
        return int(self.matrix.sum())

    @property
    def accuracy(self) -> float:
        """Share of pixels that agree; NaN if none was compared."""
        return float(overall_accuracy(self.matrix.astype(np.float64)))

    @property
    def producers(self) -> dict[int, float]:
        """Class → share of its reference pixels that are predicted as it (recall); classes without any are absent."""
        return self._known(producers_accuracy(self.matrix.astype(np.float64)))

    @property
    def users(self) -> dict[int, float]:
        """Class → share of the pixels predicted as it that are correct (precision); absent if never predicted."""
        return self._known(users_accuracy(self.matrix.astype(np.float64)))

    def _known(self, shares: NDArray[np.float64]) -> dict[int, float]:
        return {code: share for code, share in zip(self.classes, shares.tolist(), strict=True) if not isnan(share)}

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "pixels": self.pixels,
            "accuracy": self.accuracy if self.pixels else None,
            "classes": list(self.classes),
            "confusion": self.matrix.tolist(),
            "users": {str(code): share for code, share in self.users.items()},
            "producers": {str(code): share for code, share in self.producers.items()},
        }

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `document`."""
        size = len(document["classes"])
        matrix = np.array(document["confusion"], dtype=np.int64).reshape(size, size)
        return cls(classes=tuple(document["classes"]), matrix=matrix)

    @classmethod
    def total(cls, parts: Sequence[Scores]) -> Self:
        """Sum of several comparisons."""
        classes = sorted({code for part in parts for code in part.classes})
        matrix = np.zeros((len(classes), len(classes)), dtype=np.int64)
        for part in parts:
            positions = [classes.index(code) for code in part.classes]
            matrix[np.ix_(positions, positions)] += part.matrix
        return cls(classes=tuple(classes), matrix=matrix)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Importances:
    """Feature importance summed by band and by month; each sums to 1.

    Example:
        >>> from landloom.model.time import parse_instant
        >>> times = [parse_instant("2018-01-05"), parse_instant("2018-07-05")]
        >>> found = Importances.of(np.array([0.1, 0.2, 0.3, 0.4]), ["B04", "B08"], times)
        >>> {name: round(share, 1) for name, share in (found.bands | found.months).items()}
        {'B04': 0.4, 'B08': 0.6, '2018-01': 0.3, '2018-07': 0.7}
    """

    bands: dict[str, float]
    """In file order."""
    months: dict[str, float]
    """`2018-01` → share, ascending."""

    @classmethod
    def of(cls, values: NDArray[np.float64], bands: Sequence[str], times: Sequence[datetime]) -> Self:
        """Sum the importances of features that are ordered (time, band)."""
        table = np.asarray(values, dtype=np.float64).reshape(len(times), len(bands))
        months = [f"{time:%Y-%m}" for time in times]
        by_time = table.sum(axis=1)
        return cls(
            bands=dict(zip(bands, table.sum(axis=0).tolist(), strict=True)),
            months={
                month: float(sum(by_time[at] for at, own in enumerate(months) if own == month))
                for month in sorted(set(months))
            },
        )

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {"bands": self.bands, "months": self.months}
