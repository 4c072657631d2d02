"""Lists of suspected labels: pixels of a guess that are probably wrong, such as those that cleanlab names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from landloom.errors import InvalidInputError, LandloomError, Problem, bullets, grouped
from landloom.pipelines.annotation.points import PointPlaces, read_points

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.pipelines.annotation.series import SeriesSource

PROBABILITY: Final = 0.5
"""Probability of a wrong label where a list states none."""
_LISTED: Final = 20
"""Problems that are listed."""


def read_suspects(path: str, source: SeriesSource) -> dict[str, list[tuple[int, int, float]]]:
    """Read a list of suspected labels.

    Args:
        path: CSV with the columns `lon, lat` in WGS84, or `chip, row, column`, and optionally `probability`; a chip
            without row and column is suspected as a whole, as in lists of `landloom noise`.
        source: the series with the chips.

    Returns:
        Chip → (row, column, probability that the label is wrong); row and column are −1 for a whole chip.

    Raises:
        InvalidInputError: rows that cannot be used; they are named.
    """
    places = PointPlaces(source=source)
    found: dict[str, list[tuple[int, int, float]]] = {}
    problems: list[Problem] = []
    for number, row in read_points(path):
        try:
            probability = _probability(row)
            if _is_whole(row):
                source.grid(row["chip"])
                found.setdefault(row["chip"], []).append((-1, -1, probability))
                continue
            for place in places.of(row):
                found.setdefault(place.chip, []).append((place.row, place.column, probability))
        except LandloomError as error:
            problems.append(Problem(where=f"{Path(path).name}, row {number}", what=str(error)))
    if problems:
        raise InvalidInputError(f"got rows that cannot be used:\n{bullets(grouped(problems)[:_LISTED])}")
    return found


def _is_whole(row: Mapping[str, str]) -> bool:
    """Whether a row names a chip and no pixel of it."""
    return bool(row.get("chip")) and not any(row.get(name) for name in ("row", "column", "lon", "lat"))


def _probability(row: Mapping[str, str]) -> float:
    text = row.get("probability", "")
    try:
        value = float(text) if text else PROBABILITY
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise InvalidInputError(f"got probability {text!r}, expected 0 to 1")
    return value
