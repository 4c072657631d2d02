"""Users' parcels → parcels ready for rasterising, and a table of the rejected ones with reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import numpy as np
import shapely

from landloom.labels.classes import ClassMapping, Unmapped, class_mapping
from landloom.labels.parcel_table import LabelYear, ParcelTable, Period, Rejected
from landloom.labels.polygons import geometry_problems, repaired
from landloom.model.shapes import reproject_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray


_AT_ONCE: Final = 1 << 15
"""Parcels whose vertices are held as arrays at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcels:
    """Parcels in the order of their ids, independent of the order of rows in the source."""

    ids: NDArray[np.int64]
    """(parcel,) ascending, from 0; `nobody` is none of them."""
    names: tuple[str, ...]
    """(parcel,) ids as in the source, if those were not whole numbers from 0; empty otherwise."""
    values: NDArray[Any]
    """(parcel,) int64 codes of classes, or float64 for regression."""
    geometries: NDArray[Any]
    """(parcel,) valid shapely polygons."""
    crs: NDArray[Any]
    """(parcel,) CRS of each geometry: an EPSG code, or WKT."""
    mapping: ClassMapping | None
    """The mapping of the codes; None for regression."""
    rejected: tuple[Rejected, ...] = ()
    """Parcels that are not used, sorted."""
    repaired: tuple[Rejected, ...] = ()
    """Parcels that are used after a repair, with what was wrong, sorted."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def nobody(self) -> int:
        """What stands for no parcel in rasters of ids: 0, or -1 where a parcel has that id."""
        return -1 if len(self) and self.ids[0] == 0 else 0

    def take(self, keep: NDArray[np.bool_], reason: str) -> Self:
        """A selection of the parcels; the others are rejected with the reason."""
        if keep.all():
            return self
        gone = [
            Rejected(id=self.name_of(position), ground_truth=str(self.values[position]), reason=reason)
            for position in np.flatnonzero(~keep).tolist()
        ]
        return replace(
            self,
            ids=self.ids[keep],
            names=tuple(name for name, kept in zip(self.names, keep, strict=False) if kept),
            values=self.values[keep],
            geometries=self.geometries[keep],
            crs=self.crs[keep],
            rejected=_sorted([*self.rejected, *gone]),
        )

    def name_of(self, position: int) -> str:
        """The id of a parcel as in the source."""
        return self.names[position] if self.names else str(self.ids[position])

    def in_crs(self, epsg: int) -> Self:
        """The same in one CRS, as `landloom.model.shapes` does it; what does not survive that is rejected.

        Example:
            >>> import geopandas, shapely
            >>> frame = geopandas.GeoDataFrame(
            ...     {"id": [7], "ground_truth": [1]}, geometry=[shapely.box(15, 46, 15.01, 46.01)], crs=4326
            ... )
            >>> moved = parcels_of(frame).in_crs(32633)
            >>> moved.crs.tolist(), round(moved.geometries[0].area)
            ([32633], 860249)
        """
        moved, why = self.geometries.copy(), np.full(len(self), "", dtype=object)
        for source in dict.fromkeys(self.crs[self.crs != epsg].tolist()):
            some = np.flatnonzero(self.crs == source)
            for start in range(0, len(some), _AT_ONCE):
                part = some[start : start + _AT_ONCE]
                moved[part], refused = reproject_all(moved[part], source, epsg)
                why[part[list(refused)]] = list(refused.values())
        changed = replace(self, geometries=moved, crs=np.full(len(self), epsg, dtype=object))
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

    Ids that are whole numbers from 0 are kept, up to 64 bits; other ids are replaced by their ranks in sorted order.
    Parcels without an id column are numbered by geometry and value, so that the order of rows does not matter.

    Args:
        frame: a parcel per row; with a CRS, or a column `crs` with EPSG codes or other words for one.
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
    table = ParcelTable(frame, columns or {})
    found = geometry_problems(table.geometries)
    reasons = dict(found)
    geometries = table.geometries
    if invalid == "repair":
        geometries = repaired(geometries, list(found))
        reasons = {row: what for row, what in found.items() if geometries[row].is_empty}
    outside_period = table.outside_period(period)
    when = {row: valid for row, valid, _ in outside_period if row not in reasons and row not in table.unfit}
    reasons = {row: reason for row, _, reason in outside_period} | reasons | table.unfit
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
        crs=table.crs[keep][order],
        mapping=mapping,
        rejected=_sorted([table.rejected(row, reason, when.get(row, "")) for row, reason in reasons.items()]),
        repaired=_sorted([table.rejected(row, what) for row, what in found.items() if row not in reasons]),
    )


def _sorted(rows: list[Rejected]) -> tuple[Rejected, ...]:
    return tuple(sorted(rows, key=lambda row: (len(row.id), row.id, row.reason, row.ground_truth)))
