"""Offset, scale and nodata that a STAC item states, by the rules of `landloom.formats.stac.items`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landloom.errors import InvalidValueError
from landloom.model.sensor import REFLECTANCE_SCALE, SATURATED, Conversion, Sensor
from landloom.model.spellings import flag, is_absent, number

if TYPE_CHECKING:
    from landloom.formats.stac.item_values import ItemValues

_APPLIED = ("earthsearch:boa_offset_applied", "sentinel:boa_offset_applied", "s2:boa_offset_applied")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedNumbers:
    """How stored numbers become reflectance, as far as an item says."""

    offset: int = 0
    conversion: Conversion | None = None
    scale_known: bool = False
    offset_known: bool = False
    nodata: float | None = None

    def fields(self) -> dict[str, Any]:
        """Values for `SceneFile`."""
        return {name: getattr(self, name) for name in self.__slots__}


def stated_numbers(
    values: ItemValues, asset: Mapping[str, Any], band: int, *, sensor: Sensor, baseline: str | None, unmodified: bool
) -> StatedNumbers:
    """Read what an item says of one band.

    Args:
        values: of the item.
        asset: the file.
        band: which of its bands, from 1.
        sensor: of the item.
        baseline: of the item, if known.
        unmodified: whether the provider serves ESA's unmodified files.

    Raises:
        InvalidValueError: offset or scale cannot be read, or nothing tells the offset.
    """
    declared = _Declared.of(asset, band)
    nodata = declared.nodata
    if sensor.offset is None:
        if sensor.is_described and sensor.conversion is None and declared.scale is None:
            return StatedNumbers(nodata=nodata)
        own = sensor.conversion if sensor.is_described else None
        conversion = own or (sensor.conversion if declared.scale is None else declared.conversion())
        return StatedNumbers(conversion=conversion, scale_known=True, offset_known=True, nodata=nodata)
    known, offset = _offset(values, declared, sensor, baseline, unmodified=unmodified)
    if declared.scale is not None and not _is_usual(declared.scale):
        applied = known and offset is None
        conversion = Conversion(scale=declared.scale, offset=0.0 if applied else declared.offset or 0.0)
        return StatedNumbers(conversion=conversion, scale_known=True, offset_known=True, nodata=nodata)
    scaled = declared.scale not in (None, 1.0)
    return StatedNumbers(offset=offset or 0, scale_known=scaled, offset_known=known, nodata=nodata)


def _offset(
    values: ItemValues, declared: _Declared, sensor: Sensor, baseline: str | None, *, unmodified: bool
) -> tuple[bool, int | None]:
    """Whether the item settles the offset; and the offset in stored steps, None if there is none to apply."""
    rule = sensor.offset
    if any(_is_applied(values, key) for key in _APPLIED):
        return True, None
    if rule is None or (baseline is not None and float(baseline) < rule.baseline):
        return True, None
    if declared.offset is not None:
        return True, declared.steps()
    if not unmodified:
        return declared.scale is not None, 0
    if baseline is None:
        raise InvalidValueError("no s2:processing_baseline: nothing tells the offset")
    return True, rule.value


def _is_applied(values: ItemValues, key: str) -> bool:
    value = values.properties.get(key)
    if is_absent(value):
        return False
    try:
        return flag(value)
    except InvalidValueError as error:
        raise InvalidValueError(f"properties.{key}: {error}") from error


def _is_usual(scale: float) -> bool:
    """Whether a scale is that of 10,000 × reflectance, or the one that says nothing."""
    return scale == 1 or math.isclose(scale * REFLECTANCE_SCALE, 1, rel_tol=1e-6)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declared:
    """What an asset declares for a band."""

    offset: float | None
    scale: float | None
    nodata: float | None

    @classmethod
    def of(cls, asset: Mapping[str, Any], band: int) -> _Declared:
        holders: list[Any] = []
        for key in ("raster:bands", "bands"):
            bands = asset.get(key)
            if isinstance(bands, Sequence) and not isinstance(bands, str) and len(bands) >= band:
                holders.append(bands[band - 1])
        found: dict[str, Any] = {}
        for holder in (*holders, asset):
            for name in ("offset", "scale", "nodata"):
                for key in (name, f"raster:{name}"):
                    if isinstance(holder, Mapping) and not is_absent(holder.get(key)):
                        found.setdefault(name, holder[key])
        return cls(
            offset=_number("offset", found.get("offset")),
            scale=_scale(found.get("scale")),
            nodata=_nodata(found.get("nodata")),
        )

    def conversion(self) -> Conversion:
        return Conversion(scale=self.scale or 1.0, offset=self.offset or 0.0)

    def steps(self) -> int:
        """The offset in steps of 1/10,000; a scale that is not declared is told by the size of the offset."""
        offset = self.offset or 0.0
        scale = self.scale if self.scale is not None else (1 / REFLECTANCE_SCALE if abs(offset) < 1 else 1)
        stored = offset / scale
        if not _is_usual(scale):
            return 0
        if not math.isfinite(stored) or abs(stored - round(stored)) > 1e-6:
            raise InvalidValueError(
                f"got {(self.offset, self.scale)}, expected an offset that is a whole number of steps"
            )
        if abs(stored) >= SATURATED - 1:
            raise InvalidValueError(f"got offset {offset:g} with scale {scale:g}, expected one that leaves reflectance")
        return round(stored)


def _number(name: str, value: object) -> float | None:
    try:
        return None if value is None else number(value)
    except InvalidValueError as error:
        raise InvalidValueError(f"{name}: {error}") from error


def _scale(value: object) -> float | None:
    scale = _number("scale", value)
    if scale is not None and scale <= 0:
        raise InvalidValueError(f"scale: got {value!r}, expected a number above 0")
    return scale


def _nodata(value: object) -> float | None:
    """Declared nodata; `nan`, `inf` and `-inf` are words for numbers that stand for nothing anyway."""
    if value is None or (isinstance(value, str) and value.strip().lower() in {"nan", "inf", "-inf"}):
        return None
    return _number("nodata", value)
