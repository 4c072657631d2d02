"""The recipe section of fused series."""

from __future__ import annotations

import operator
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, field_validator

from landloom.errors import InvalidValueError
from landloom.imagery.fusion.methods import Filling, Method
from landloom.imagery.harmonise.directions import SUN
from landloom.model.recipe import Name, PeriodSection, ProductSection, Registering, Terms
from landloom.model.recipe.masks import Masks
from landloom.model.recipe.sections import is_none, unless_false
from landloom.model.sensor import REFLECTANCE_SCALE, SATURATED
from landloom.model.time import Cadence

SQUARE: Final = 60.0
"""Metres that every pixel size divides."""
DILATE: Final = 3
"""Pixels of the classification (20 m) by which unusable areas grow by default: a gap costs less than a missed cloud."""


def _is_computed(source: object) -> bool:
    return source == "computed"


class FusedProduct(ProductSection):
    """A complete series of blue, green, red and near infrared on a regular cadence, with quality layers beside it."""

    kind: Literal["fused"]
    source: Annotated[Literal["computed", "imported"], Field(exclude_if=_is_computed)] = "computed"
    """`imported`: the series has been made by somebody else and is published as delivered; `archive` then has its
    files, and `quality` those of its quality layers."""
    resolution: Annotated[float, Field(gt=0)] = 10.0
    """Pixel size in metres."""
    cadence: str = "5 days"
    """`n days`; a step is dated by its middle day."""
    clear: tuple[Annotated[int, Field(ge=0, le=11)], ...] | None = None
    """Scene classes that count as clear; vegetation, bare soil, water, unclassified and snow if absent."""
    dilate: Annotated[int, Field(ge=0, le=50)] = DILATE
    """Dilation of unusable areas in pixels of the classification."""
    valid_range: tuple[float, float] = (0.0, 1.6)
    """Smallest and largest reflectance; values beyond are clipped and counted."""
    mask: Masks = ()
    """Where usable pixels are known from, instead of `clear`; one mask or several."""
    registration: Registering = None
    """Displaced scenes: `measure` records how far each lies beside the others, `correct` also moves it as it is read,
    a second sensor's onto the first, `off` does neither; `measure` if absent."""
    method: Annotated[Method | None, Field(exclude_if=is_none)] = None
    """How gaps are filled: `linear`, `whittaker` (penalised smoothing), `harmonic` (trend and yearly waves), `clr`
    (regression within clusters of similar pixels), or `fused`, which is meant if absent."""
    smoothing: Annotated[float | None, Field(gt=0, exclude_if=is_none)] = None
    """Only with `method: whittaker`: the penalty; chosen for each pixel by generalised cross-validation if absent."""
    periodic: Annotated[bool, Field(exclude_if=operator.not_)] = False
    """Only with `method: linear`: gaps at the ends are filled from the other end of the year."""
    brdf: Annotated[Literal["off", "c-factor"] | None, BeforeValidator(unless_false), Field(exclude_if=is_none)] = None
    """`c-factor` brings each scene to a nadir view and a fixed sun, where its angles are known; `off` if absent."""
    sun_zenith: Annotated[float | None, Field(ge=0, le=70, exclude_if=is_none)] = None
    """Only with `brdf: c-factor`: zenith of the fixed sun in degrees; 45 if absent."""
    period: PeriodSection | None = None
    """Period of the product; that of the recipe if absent."""
    terms: Terms
    """Terms under which it is published."""
    archive: Annotated[Name | None, Field(exclude_if=is_none)] = None
    """Name of the archive of the reference sensor, if the recipe has several."""
    second: Annotated[Name | None, Field(exclude_if=is_none)] = None
    """Name of the archive of a second, equal or coarser sensor, which complements the reference between its dates."""
    quality: Annotated[Name | None, Field(exclude_if=is_none)] = None
    """Only with `source: imported`: name of the archive of the delivered quality layers, in the published order."""

    @property
    def filling(self) -> Filling:
        """How gaps are filled."""
        return Filling(method=self.method or "fused", smoothing=self.smoothing, periodic=self.periodic)

    @property
    def to_sun(self) -> float | None:
        """Zenith of the fixed sun in degrees; None if scenes are left as they are."""
        if self.brdf != "c-factor":
            return None
        return SUN if self.sun_zenith is None else self.sun_zenith

    @property
    def is_imported(self) -> bool:
        """Whether somebody else has made the series."""
        return self.source == "imported"

    @field_validator("cadence")
    @classmethod
    def _cadence(cls, text: str) -> str:
        cadence = Cadence.parse(text)
        if cadence.days is None:
            raise InvalidValueError(f"got {text!r}, expected a number of days such as '5 days'")
        return str(cadence)

    @field_validator("valid_range")
    @classmethod
    def _range(cls, limits: tuple[float, float]) -> tuple[float, float]:
        low, high = limits
        if not 0 <= low < high < SATURATED / REFLECTANCE_SCALE:
            raise InvalidValueError(
                f"got {low:g} to {high:g}, expected two ascending reflectances from 0 to below "
                f"{SATURATED / REFLECTANCE_SCALE:g}"
            )
        return limits

    @property
    def limits(self) -> tuple[int, int]:
        """`valid_range` in stored numbers, of which 0 is nodata."""
        low, high = (round(one * REFLECTANCE_SCALE) for one in self.valid_range)
        return max(low, 1), max(high, 1)

    @field_validator("resolution")
    @classmethod
    def _resolution(cls, metres: float) -> float:
        pixels = SQUARE / metres
        if abs(pixels - round(pixels)) > 1e-6 * pixels:
            raise InvalidValueError(f"got {metres:g} m, expected a divisor of {SQUARE:g} m, so that grids nest")
        return metres
