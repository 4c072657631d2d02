"""Crosswalks: from every class of one taxonomy to a class of another, with a written reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.errors import InvalidInputError, InvalidValueError, NotFoundError
from landloom.model.taxonomy import Taxonomy, read_table, summed, taxonomy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class CrosswalkRow:
    """The target of one class, and the reason."""

    source: str
    """Code in the source taxonomy."""
    target: str
    """Code in the target taxonomy."""
    reason: str
    """One line of text."""


@dataclass(frozen=True, kw_only=True)
class Crosswalk:
    """From every class of one taxonomy to a class of another.

    Example:
        >>> walk = crosswalk("worldcover_landcovernet")
        >>> walk.apply(np.array([[10, 80], [40, 0]], np.uint8)).tolist()
        [[5, 1], [6, 0]]
    """

    source: Taxonomy
    """Taxonomy of its input."""
    target: Taxonomy
    """Taxonomy of its output."""
    rows: tuple[CrosswalkRow, ...]
    """One row for each finest class of the source."""

    def __post_init__(self) -> None:
        missing = set(self.source.codes()) - {row.source for row in self.rows}
        if missing or len(self.rows) != len(self.source.codes()):
            raise InvalidValueError(
                f"crosswalk {self.source.name} to {self.target.name}: expected one row for each class, "
                f"missing {sorted(missing)}, got {len(self.rows)} rows"
            )
        for row in self.rows:
            self.target.land_class(row.target)

    @cached_property
    def mapping(self) -> dict[str, str]:
        """Source code → target code."""
        return {row.source: row.target for row in self.rows}

    def override(self, mapping: Mapping[str, str], reason: str = "set by the user") -> Self:
        """The same crosswalk with some rows changed.

        Args:
            mapping: source code → target code.
            reason: text for the changed rows.

        Raises:
            NotFoundError: a code of either side is unknown.

        Example:
            >>> crosswalk("igbp17_landcovernet").override({"11": "1"}).mapping["11"]
            '1'
        """
        for code in mapping:
            self.source.land_class(code)
        rows = tuple(
            CrosswalkRow(source=row.source, target=mapping[row.source], reason=reason) if row.source in mapping else row
            for row in self.rows
        )
        return replace(self, rows=rows)

    def apply(self, raster: NDArray[Any]) -> NDArray[np.uint8]:
        """Translate a raster of class numbers; the target's codes must be numbers under 256.

        Args:
            raster: any shape, integers that `source.raster_codes` knows.

        Returns:
            The same shape, uint8.

        Raises:
            InvalidInputError: numbers in the raster that the source taxonomy does not know; all are named.
        """
        values, place = np.unique(raster, return_inverse=True)
        known = self.source.raster_codes
        unknown = [int(value) for value in values if int(value) not in known]
        if unknown:
            raise InvalidInputError(
                f"got raster values {unknown}, expected those of {self.source.name}: {sorted(known)}"
            )
        table = np.array([int(self.mapping[known[int(value)]]) for value in values], dtype=np.uint8)
        return table[place].reshape(raster.shape)

    def aggregate(self, fractions: NDArray[Any]) -> NDArray[Any]:
        """Sum (..., source class) into (..., target class); dtype and sums are kept."""
        return summed(
            fractions,
            (self.target.index[self.mapping[code]] for code in self.source.codes()),
            len(self.target.codes()),
        )


CROSSWALKS: Final[dict[str, tuple[str, str]]] = {
    f"{source}_landcovernet": (source, "landcovernet") for source in ("clc", "globeland30", "igbp17", "worldcover")
} | {f"{source}_igbp17": (source, "igbp17") for source in ("globeland30", "worldcover")}
"""Name → (source, target). A new row needs a table of the same name in `crosswalks/`."""


@cache
def crosswalk(name: str) -> Crosswalk:
    """Get a crosswalk by its name, `SOURCE_TARGET`.

    Raises:
        NotFoundError: no such crosswalk.

    Example:
        >>> found = crosswalk("worldcover_landcovernet")
        >>> found.source.name, found.target.name
        ('worldcover', 'landcovernet')
    """
    if name not in CROSSWALKS:
        raise NotFoundError.of("crosswalk", name, CROSSWALKS)
    source, target = CROSSWALKS[name]
    rows = tuple(CrosswalkRow(**row) for row in read_table("crosswalks", name))
    return Crosswalk(source=taxonomy(source), target=taxonomy(target), rows=rows)


def crosswalk_from(columns: Iterable[str], target: str) -> Crosswalk:
    """The crosswalk to a taxonomy from the source taxonomy that has these columns.

    Args:
        columns: the available label columns, `clc_111`, …
        target: name of the target taxonomy.

    Raises:
        NotFoundError: no such taxonomy, or no crosswalk to it from these columns.

    Example:
        >>> crosswalk_from(taxonomy("clc").columns(), "landcovernet").source.name
        'clc'
    """
    there = set(columns)
    wanted = taxonomy(target).name
    for name, (source, goal) in CROSSWALKS.items():
        if goal == wanted and there.issuperset(taxonomy(source).columns()):
            return crosswalk(name)
    sources = ", ".join(source for source, goal in CROSSWALKS.values() if goal == wanted) or "none"
    raise NotFoundError(f"no crosswalk to {target} from these labels; available from: {sources}")
