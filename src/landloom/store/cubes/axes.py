"""What the axes of a variable mean, and where its pixels lie: CF conventions, and the cubes that landloom writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from affine import Affine
    from pyproj import CRS

_NAMED: Final = {
    "y": frozenset({"y", "lat", "latitude", "northing", "projection_y_coordinate"}),
    "x": frozenset({"x", "lon", "longitude", "easting", "projection_x_coordinate"}),
}
_SINCE: Final = re.compile(r"\bsince\b", re.IGNORECASE)
_UNEVEN: Final = 0.05
"""Largest deviation from even spacing, in pixels: coordinates may be float32."""
CALENDARS: Final = frozenset({"standard", "gregorian", "proleptic_gregorian"})
"""Calendars whose dates are those of scenes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """The dimensions of a variable by their meaning; None for those that it lacks."""

    y: str
    x: str
    time: str | None = None
    band: str | None = None
    sample: str | None = None

    @classmethod
    def of(cls, group: xr.Dataset, name: str) -> Self:
        """The axes of a variable.

        Raises:
            InvalidValueError: rows or columns are missing, or there is a further axis.
        """
        found: dict[str, str] = {}
        dimensions = tuple(str(one) for one in group.variables[name].dims)
        for dimension in dimensions:
            meaning = _meaning(group, dimension)
            if meaning is None or meaning in found:
                raise InvalidValueError(f"got dimensions {_listed(dimensions)}, expected (time, y, x): {dimension}?")
            found[meaning] = dimension
        if not {"y", "x"} <= found.keys():
            raise InvalidValueError(f"got dimensions {_listed(dimensions)}, expected (time, y, x)")
        return cls(**found)


def _listed(dimensions: tuple[str, ...]) -> str:
    return f"({', '.join(dimensions)})"


def _meaning(group: xr.Dataset, dimension: str) -> str | None:
    own = group.variables.get(dimension)
    attributes: Mapping[str, Any] = {} if own is None else own.attrs
    said = {dimension.lower(), str(attributes.get("standard_name", "")).lower()}
    for axis, names in _NAMED.items():
        if said & names or str(attributes.get("axis", "")).lower() == axis:
            return axis
    if dimension == "sample" and {"west", "north"} <= set(group.variables):
        return "sample"
    if own is None:
        return None
    if own.dtype.kind == "M" or _SINCE.search(str(attributes.get("units", ""))):
        return "time"
    return "band" if own.dtype.kind in "OUTS" or dimension.lower() in {"band", "bands"} else None


def texts(group: xr.Dataset, dimension: str) -> tuple[str, ...]:
    """The coordinate of an axis as texts."""
    return tuple(str(value) for value in np.atleast_1d(group.variables[dimension].values).tolist())


def stamps(group: xr.Dataset, dimension: str) -> tuple[tuple[float, ...], str]:
    """Times of an axis and their CF units.

    Raises:
        InvalidValueError: they follow another calendar.
    """
    own = group.variables[dimension]
    if own.dtype.kind == "M":
        seconds = own.values.astype("datetime64[s]").astype(np.int64)
        return tuple(float(value) for value in seconds), "seconds since 1970-01-01"
    calendar = str(own.attrs.get("calendar", "standard")).lower()
    if calendar not in CALENDARS:
        raise InvalidValueError(f"got times of the calendar {calendar}, expected {', '.join(sorted(CALENDARS))}")
    return tuple(float(value) for value in own.values), str(own.attrs["units"])


def crs_of(group: xr.Dataset, name: str) -> CRS | None:
    """The CRS of a variable: its CF grid mapping, else `proj:` attributes of it or of the group; None if not given.

    Raises:
        InvalidValueError: it is not understood.
    """
    from pyproj import CRS  # noqa: PLC0415 - most files are no cubes
    from pyproj.exceptions import CRSError  # noqa: PLC0415

    attributes = {**group.attrs, **group.variables[name].attrs}
    mapping = _mapping(group, attributes)
    if mapping is not None:
        stated: Any = mapping.get("crs_wkt") or mapping.get("spatial_ref")
    else:
        stated = next(
            (attributes[key] for key in ("proj:code", "proj:wkt2", "proj:projjson") if key in attributes), None
        )
        stated = attributes.get("proj:epsg") if stated is None else stated
    if stated is None and not mapping:
        return None
    try:
        return CRS.from_cf(dict(mapping or {})) if stated is None else CRS.from_user_input(stated)
    except (CRSError, KeyError, TypeError, ValueError) as error:
        raise InvalidValueError(f"got a CRS that is not understood: {error}") from error


def _mapping(group: xr.Dataset, attributes: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Attributes of the grid mapping."""
    said = str(attributes.get("grid_mapping", "")).split(":")[0].split()
    names = [*said, *(() if said else ("spatial_ref", "crs"))]
    found = next((group.variables[name] for name in names if name in group.variables), None)
    return None if found is None else found.attrs


def transform_of(group: xr.Dataset, name: str, axes: Axes, sample: int | None) -> tuple[Affine, bool]:
    """Pixel to CRS of a variable with row 0 in the north, and whether its rows are stored from south to north.

    Raises:
        InvalidValueError: nothing tells it, or pixels are not evenly spaced.
    """
    from affine import Affine  # noqa: PLC0415 - most files are no cubes

    if axes.sample is not None:
        step = float(group.attrs["resolution"])
        west, north = (float(group.variables[key].values[sample or 0]) for key in ("west", "north"))
        return Affine(step, 0, west, 0, -step, north), False
    given = _given(group, name)
    if given is not None:
        return given, False
    (left, width), (first, height) = (_spacing(group, axis) for axis in (axes.x, axes.y))
    if height > 0:
        rows = group.variables[axes.y].size
        return Affine(width, 0, left, 0, -height, first + rows * height), True
    return Affine(width, 0, left, 0, height, first), False


def _given(group: xr.Dataset, name: str) -> Affine | None:
    """The transform in attributes, where there are no coordinates."""
    from affine import Affine  # noqa: PLC0415 - most files are no cubes

    variable = group.variables[name]
    if all(dimension in group.variables for dimension in variable.dims[-2:]):
        return None
    attributes = {**group.attrs, **variable.attrs}
    written = (_mapping(group, attributes) or {}).get("GeoTransform")
    try:
        if written is not None:
            return Affine.from_gdal(*(float(number) for number in str(written).split()))
        return Affine(*attributes["spatial:transform"][:6]) if "spatial:transform" in attributes else None
    except (TypeError, ValueError) as error:
        raise InvalidValueError(f"got a transform that is not understood: {error}") from error


def _spacing(group: xr.Dataset, axis: str) -> tuple[float, float]:
    """Outer edge before the first pixel, and the step from pixel to pixel."""
    if axis not in group.variables or group.variables[axis].size < 2:
        raise InvalidValueError(f"got no coordinates of {axis}, expected those of at least two pixel centres")
    centres = group.variables[axis].values.astype(np.float64)
    step = float(centres[-1] - centres[0]) / (len(centres) - 1)
    even = centres[0] + step * np.arange(len(centres))
    if not step or not np.abs(centres - even).max() <= _UNEVEN * abs(step):
        raise InvalidValueError(f"got coordinates of {axis} that are not evenly spaced")
    return float(centres[0]) - step / 2, step
