"""The columns of a table of parcels by what they mean, and what is wrong with its rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from unicodedata import normalize

import numpy as np
import shapely

from landloom.errors import InvalidInputError, InvalidValueError, NotFoundError
from landloom.labels.classes import value_text
from landloom.labels.validity import read_day, read_year
from landloom.model.crs_key import crs_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

Period = tuple[str, str]
"""First day and the day after the last, as ISO dates: half-open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelYear:
    """The year of the labels; the table must then say when its parcels are valid.

    Example:
        >>> LabelYear(year=2018).period, LabelYear(year=2018, season=("2017-10-01", "2018-10-01")).period
        (('2018-01-01', '2019-01-01'), ('2017-10-01', '2018-10-01'))
    """

    year: int
    """The required value of a column `year`."""
    season: Period | None = None
    """Period in which parcels with other dates must be valid at some time; by default the calendar year."""

    @property
    def period(self) -> Period:
        """The season, or the calendar year."""
        return self.season or (f"{self.year:04d}-01-01", f"{self.year + 1:04d}-01-01")


_DAYS: Final = ("valid_from", "valid_to")
ROLES: Final = ("id", "ground_truth", "crs", "year", *_DAYS)
"""Roles of columns; `year` means that calendar year, `valid_from` and `valid_to` are both inclusive."""
UNREAD: Final = "unread"
"""Key of a frame's `attrs`: label of a row → why the geometry that it has cannot be read."""
_EXACT: Final = 2**53
"""Below which a float holds every whole number."""
_MOST: Final = 2**63
_NESTED: Final = (list, tuple, dict, set, bytes, np.ndarray)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A parcel that is not used, with the reason."""

    id: str
    """Its id as in the source; `row 12`, counted from 0, if it has none."""
    ground_truth: str
    """Its value as in the source."""
    reason: str
    """The reason."""
    when: str = ""
    """When it is valid, if only that is the reason."""


class ParcelTable:
    """The columns of a frame by role, and the problems of its rows."""

    def __init__(self, frame: GeoDataFrame, columns: Mapping[str, str]) -> None:
        for role in columns:
            if role not in ROLES:
                raise NotFoundError.of("role of a column", role, ROLES)
        self.known = known = [str(name) for name in frame.columns]
        spelt = {normalize("NFC", name): name for name in known}
        columns = {role: spelt.get(normalize("NFC", column), column) for role, column in columns.items()}
        for column in columns.values():
            if column not in known:
                raise NotFoundError.of("column", column, known)
        self.cells = {
            role: frame[columns.get(role, role)].tolist() for role in ROLES if columns.get(role, role) in known
        }
        if "ground_truth" not in self.cells:
            raise NotFoundError.of("column for ground_truth", columns.get("ground_truth", "ground_truth"), known)
        self.geometries = np.array(frame.geometry.to_numpy(), dtype=object)
        self.ground_truths = self.cells["ground_truth"]
        self.unfit: dict[int, str] = {}
        self.crs = self._crs(frame)
        self._find_unfit(frame)

    def __len__(self) -> int:
        return len(self.geometries)

    def _crs(self, frame: GeoDataFrame) -> NDArray[Any]:
        """(row,) CRS of each; a row whose own is none is unfit."""
        crs = np.full(len(self), None, dtype=object)
        if "crs" not in self.cells:
            if frame.crs is None:
                raise InvalidInputError(
                    "got parcels without a CRS, expected one: name it, because a guess could misplace them"
                )
            crs[:] = crs_key(frame.crs)
            return crs
        for row, value in enumerate(self.cells["crs"]):
            try:
                crs[row] = crs_key(value)
            except InvalidInputError as error:
                self.unfit[row] = str(error)
        return crs

    def _find_unfit(self, frame: GeoDataFrame) -> None:
        """Rows with geometry that cannot be read, cells that are none, and ids that have lost digits."""
        unread = frame.attrs.get(UNREAD, {})
        for row, label in enumerate(frame.index.tolist() if unread else ()):
            if label in unread:
                self.unfit[row] = unread[label]
        for role, cells in self.cells.items():
            for row, value in enumerate(cells):
                if not _is_cell(value):
                    self.unfit.setdefault(row, f"got {_kind_of(value)} as {role}, expected text or a number")
        for row, value in enumerate(self.cells.get("id", ())):
            if isinstance(value, float) and abs(value) >= _EXACT:
                self.unfit.setdefault(
                    row, f"got the id {value!r} as a float, which has lost digits; expected all of them"
                )

    def rejected(self, row: int, reason: str, when: str = "") -> Rejected:
        """A row as the table of those that do not take part names it."""
        value = "" if _absent(self.ground_truths[row]) else value_text(self.ground_truths[row])
        return Rejected(id=self._id_text(row) or f"row {row}", ground_truth=value, reason=reason, when=when)

    def _id_text(self, row: int) -> str:
        value = self.cells["id"][row] if "id" in self.cells else None
        return "" if _absent(value) else value_text(value)

    def outside_period(self, period: Period | LabelYear | None) -> list[tuple[int, str, str]]:
        """Rows that are not valid in a period, or not of a year; their validity; and both as a sentence."""
        if period is None:
            return []
        wanted = period.year if isinstance(period, LabelYear) else None
        if wanted is not None and not any(role in self.cells for role in ("year", *_DAYS)):
            known = ", ".join(self.known)
            raise InvalidInputError(
                f"got a year but no column of one, expected year=COLUMN in `columns`, out of {known}"
            )
        start, end = (date.fromisoformat(day) for day in (period.period if isinstance(period, LabelYear) else period))
        found, years = [], set()
        for row in range(len(self)):
            try:
                year = self._year(row)
                first, last = self._validity(row, year)
            except InvalidValueError as error:
                self.unfit.setdefault(row, str(error))
                continue
            if wanted is not None and year is not None and year != wanted:
                found.append((row, f"of {year}", f"of {year}, not of {wanted}"))
            elif (wanted is None or year is None) and not (first < end and last >= start):
                valid = f"valid {first} to {last}"
                found.append((row, valid, f"{valid}, not in {start} to {end}"))
            else:
                years.add(year)
        if wanted is None and len(years) > 1 and not any(role in self.cells for role in _DAYS):
            text = ", ".join(sorted(str(year) for year in years))
            raise InvalidInputError(
                f"got parcels of {text} in {start} to {end}, which would overlap each other; expected one year, or "
                "seasons: a label year with its period each"
            )
        return found

    def _year(self, row: int) -> int | None:
        value = self.cells["year"][row] if "year" in self.cells else None
        if _absent(value) or not _is_cell(value):
            return None
        try:
            return read_year(value)
        except InvalidValueError as error:
            raise InvalidValueError(f"year: {error}") from error

    def _validity(self, row: int, year: int | None) -> tuple[date, date]:
        first, last = date.min, date.max
        days = [self.cells[role][row] if role in self.cells else None for role in _DAYS]
        if year is not None:
            first, last = date(year, 1, 1), date(year, 12, 31)
        for role, day in zip(_DAYS, days, strict=True):
            if _absent(day) or not _is_cell(day):
                continue
            try:
                exact = read_day(day, last=role == "valid_to")
            except InvalidValueError as error:
                raise InvalidValueError(f"{role}: {error}") from error
            first, last = (exact, last) if role == "valid_from" else (first, exact)
        return first, last

    def without_ground_truth(self, *, regression: bool) -> list[tuple[int, str]]:
        """Rows without a usable ground truth."""
        found = []
        for row, value in enumerate(self.ground_truths):
            if _absent(value):
                found.append((row, "no ground truth"))
            elif regression and not _finite(value):
                found.append((row, f"got ground truth {value!r}, expected a finite number"))
        return found

    def duplicates(self, gone: Mapping[int, str]) -> list[tuple[int, str]]:
        """Rows that share an id with another used one, or have none in a table with ids."""
        if "id" not in self.cells:
            return []
        rows: dict[str, list[int]] = {}
        for row in range(len(self)):
            if row not in gone:
                rows.setdefault(self._id_text(row), []).append(row)
        found = [(row, "no id") for row in rows.pop("", [])]
        return found + [
            (row, f"id {name} occurs {len(same)} times") for name, same in rows.items() if len(same) > 1 for row in same
        ]

    def numbers(self, keep: NDArray[np.int64], geometries: NDArray[Any]) -> tuple[NDArray[np.int64], list[str]]:
        """Ids as numbers from 0 and, where the source's are none, places in sorted order and the source's names."""
        if "id" not in self.cells:
            shapes = shapely.to_wkb(shapely.normalize(geometries[keep]))
            keys = [
                (str(self.crs[row]).zfill(6), shape, value_text(self.ground_truths[row]))
                for row, shape in zip(keep, shapes, strict=True)
            ]
            return _ranks(keys), []
        names = [self._id_text(int(row)) for row in keep]
        if all(_is_number(name) for name in names):
            return np.array([int(name) for name in names], dtype=np.int64), []
        return _ranks(names), names


def _ranks(keys: list[Any]) -> NDArray[np.int64]:
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(1, len(keys) + 1)
    return ranks


def _is_number(text: str) -> bool:
    return text.isdigit() and text.isascii() and (text == "0" or text[0] != "0") and int(text) < _MOST


def _is_cell(value: Any) -> bool:
    """Whether a value is one of a table: text, a number or a date, not a list or a document."""
    return value is None or isinstance(value, str | date) or not isinstance(value, _NESTED)


def _kind_of(value: Any) -> str:
    return "a document" if isinstance(value, dict) else "bytes" if isinstance(value, bytes) else "a list"


def _absent(value: Any) -> bool:
    import pandas as pd

    return _is_cell(value) and (value is None or bool(pd.isna(value)) or str(value).strip() == "")


def _finite(value: Any) -> bool:
    try:
        return bool(np.isfinite(float(value)))
    except (TypeError, ValueError):
        return False
