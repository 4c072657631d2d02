"""Users' parcels → parcels ready for rasterising, and a table of the rejected ones with reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from landloom.errors import InvalidInputError, NotFoundError
from landloom.labels.classes import ClassMapping, Unmapped, class_mapping, value_text
from landloom.labels.polygons import geometry_problems, repaired
from landloom.model.shapes import reproject_all

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


_AT_ONCE: Final = 1 << 15
"""Parcels whose vertices are held as arrays at a time."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcels:
    """Parcels in the order of their ids, independent of the order of rows in the source."""

    ids: NDArray[np.int64]
    """(parcel,) ascending, all above 0: in rasters 0 means no parcel."""
    names: tuple[str, ...]
    """(parcel,) ids as in the source, if those were not numbers above 0; empty otherwise."""
    values: NDArray[Any]
    """(parcel,) int64 codes of classes, or float64 for regression."""
    geometries: NDArray[Any]
    """(parcel,) valid shapely polygons."""
    epsg: NDArray[np.int64]
    """(parcel,) CRS of each geometry."""
    mapping: ClassMapping | None
    """The mapping of the codes; None for regression."""
    rejected: tuple[Rejected, ...] = ()
    """Parcels that are not used, sorted."""
    repaired: tuple[Rejected, ...] = ()
    """Parcels that are used after a repair, with what was wrong, sorted."""

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, keep: NDArray[np.bool_], reason: str) -> Self:
        """A selection of the parcels; the others are rejected with the reason."""
        if keep.all():
            return self
        gone = [
            Rejected(id=self.name_of(place), ground_truth=str(self.values[place]), reason=reason)
            for place in np.flatnonzero(~keep).tolist()
        ]
        return replace(
            self,
            ids=self.ids[keep],
            names=tuple(name for name, kept in zip(self.names, keep, strict=False) if kept),
            values=self.values[keep],
            geometries=self.geometries[keep],
            epsg=self.epsg[keep],
            rejected=_sorted([*self.rejected, *gone]),
        )

    def name_of(self, place: int) -> str:
        """The id of a parcel as in the source."""
        return self.names[place] if self.names else str(self.ids[place])

    def in_crs(self, epsg: int) -> Self:
        """The same in one CRS, as `landloom.model.shapes` does it; what does not survive that is rejected.

        Example:
            >>> import geopandas, shapely
            >>> frame = geopandas.GeoDataFrame(
            ...     {"id": [7], "ground_truth": [1]}, geometry=[shapely.box(15, 46, 15.01, 46.01)], crs=4326
            ... )
            >>> moved = parcels_of(frame).in_crs(32633)
            >>> moved.epsg.tolist(), round(moved.geometries[0].area)
            ([32633], 860249)
        """
        moved, why = self.geometries.copy(), np.full(len(self), "", dtype=object)
        for source in np.unique(self.epsg[self.epsg != epsg]):
            some = np.flatnonzero(self.epsg == source)
            for start in range(0, len(some), _AT_ONCE):
                part = some[start : start + _AT_ONCE]
                moved[part], refused = reproject_all(moved[part], int(source), epsg)
                why[part[list(refused)]] = list(refused.values())
        changed = replace(self, geometries=moved, epsg=np.full(len(self), epsg, dtype=np.int64))
        for reason in sorted(set(why[why != ""].tolist())):
            kept = why != reason
            changed, why = changed.take(kept, f"{reason}: cannot be expressed in EPSG:{epsg}"), why[kept]
        return changed.take(np.asarray(shapely.is_valid(changed.geometries)), f"invalid once in EPSG:{epsg}")


def parcels_of(
    frame: GeoDataFrame,
    *,
    columns: Mapping[str, str] | None = None,
    classes: Mapping[Any, int] | None = None,
    unmapped: Unmapped = "error",
    codes: Mapping[str, int] | None = None,
    period: Period | LabelYear | None = None,
    invalid: Literal["reject", "repair"] = "reject",
    regression: bool = False,
) -> Parcels:
    """Read parcels from a table.

    Ids that are whole numbers above 0 are kept, up to 64 bits; other ids are replaced by their ranks in sorted order.
    Parcels without an id column are numbered by geometry and value, so that the order of rows does not matter.

    Args:
        frame: a parcel per row; with a CRS, or a column `crs` with EPSG codes.
        columns: role → column, see `ROLES`; by default a role's column has the name of the role.
        classes: value → code; see `class_mapping`.
        unmapped: how to treat values that `classes` does not name.
        codes: `background`, `ignore` and `unknown` as keys, to replace the defaults.
        period: only parcels that are valid at some time in it, or those of a year; by default all.
        invalid: whether invalid geometries are rejected, or repaired and listed in `repaired`.
        regression: `ground_truth` is a number to predict, not a class.

    Raises:
        NotFoundError: no such column.
        InvalidInputError: no CRS; values without a code; a year but no column of time; a period with parcels of
            several years, which would overlap each other.

    Example:
        >>> import geopandas, shapely
        >>> frame = geopandas.GeoDataFrame(
        ...     {"GIS_ID": [2**24 + 1, 5], "crop": ["maize", None]},
        ...     geometry=shapely.box([0, 20], 0, [10, 30], 10), crs=32633,
        ... )
        >>> parcels = parcels_of(frame, columns={"id": "GIS_ID", "ground_truth": "crop"})
        >>> parcels.ids.tolist(), parcels.rejected[0].id, parcels.rejected[0].reason
        ([16777217], '5', 'no ground truth')
    """
    table = _Table(frame, columns or {})
    found = geometry_problems(table.geometries)
    reasons = dict(found)
    geometries = table.geometries
    if invalid == "repair":
        geometries = repaired(geometries, list(found))
        reasons = {row: what for row, what in found.items() if geometries[row].is_empty}
    outside_period = table.outside_period(period)
    when = {row: valid for row, valid, _ in outside_period if row not in reasons}
    reasons = {row: reason for row, _, reason in outside_period} | reasons
    for row, reason in table.without_ground_truth(regression=regression):
        reasons.setdefault(row, reason)
    for row, reason in table.duplicates(reasons):
        reasons[row] = reason
    keep = np.array([row for row in range(len(table)) if row not in reasons], dtype=np.int64)
    kept = [table.ground_truths[row] for row in keep]
    mapping = None if regression else class_mapping(kept, classes, unmapped=unmapped, **(codes or {}))
    values = np.array([float(value) for value in kept]) if mapping is None else mapping.apply(kept)
    ids, names = table.numbers(keep, geometries)
    order = np.argsort(ids, kind="stable")
    return Parcels(
        ids=ids[order],
        names=tuple(names[i] for i in order) if names else (),
        values=values[order],
        geometries=geometries[keep][order],
        epsg=table.epsg[keep][order],
        mapping=mapping,
        rejected=_sorted([table.rejected(row, reason, when.get(row, "")) for row, reason in reasons.items()]),
        repaired=_sorted([table.rejected(row, what) for row, what in found.items() if row not in reasons]),
    )


def _sorted(rows: list[Rejected]) -> tuple[Rejected, ...]:
    return tuple(sorted(rows, key=lambda row: (len(row.id), row.id, row.reason, row.ground_truth)))


class _Table:
    """The columns of a frame by role, and the problems of its rows."""

    def __init__(self, frame: GeoDataFrame, columns: Mapping[str, str]) -> None:
        for role in columns:
            if role not in ROLES:
                raise NotFoundError.of("role of a column", role, ROLES)
        self.known = known = [str(name) for name in frame.columns]
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
        self.epsg = self._epsg(frame)

    def __len__(self) -> int:
        return len(self.geometries)

    def _epsg(self, frame: GeoDataFrame) -> NDArray[np.int64]:
        if "crs" in self.cells:
            codes = [value_text(value).upper().removeprefix("EPSG:") for value in self.cells["crs"]]
            wrong = [row for row, code in enumerate(codes) if not code.isdigit()]
            if wrong:
                raise InvalidInputError(f"got no EPSG code in `crs` of rows {wrong[:20]}")
            return np.array([_known_epsg(int(code)) for code in codes], dtype=np.int64)
        code = None if frame.crs is None else frame.crs.to_epsg(min_confidence=70)
        if code is None:
            raise InvalidInputError(
                "got parcels without a CRS, expected one: name it, because a guess could misplace them"
            )
        return np.full(len(self), code, dtype=np.int64)

    def rejected(self, row: int, reason: str, when: str = "") -> Rejected:
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
            first, last = self._validity(row)
            year = self._year(row)
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
        return None if _absent(value) else int(float(str(value)))

    def _validity(self, row: int) -> tuple[date, date]:
        first, last = date.min, date.max
        year, days = self._year(row), [self.cells[role][row] if role in self.cells else None for role in _DAYS]
        if year is not None:
            first, last = date(year, 1, 1), date(year, 12, 31)
        for role, day in zip(_DAYS, days, strict=True):
            if not _absent(day):
                exact = date.fromisoformat(str(day)[:10])
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
        """Ids as numbers above 0 and, if the source's are not, its names."""
        if "id" not in self.cells:
            shapes = shapely.to_wkb(shapely.normalize(geometries[keep]))
            keys = [
                (int(self.epsg[row]), shape, value_text(self.ground_truths[row]))
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


@cache
def _known_epsg(code: int) -> int:
    try:
        CRS.from_epsg(code)
    except CRSError as error:
        raise InvalidInputError(f"got CRS {code} in `crs`, which EPSG does not know") from error
    return code


def _is_number(text: str) -> bool:
    return text.isdigit() and (text == "0" or text[0] != "0") and 0 < int(text) < 2**63


def _absent(value: Any) -> bool:
    return value is None or bool(pd.isna(value)) or str(value).strip() == ""


def _finite(value: Any) -> bool:
    try:
        return bool(np.isfinite(float(value)))
    except (TypeError, ValueError):
        return False
