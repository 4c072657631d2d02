"""The recipe section of fused series."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, field_validator

from landloom.errors import InvalidValueError
from landloom.model.recipe import Name, PeriodSection, ProductSection, Terms
from landloom.model.recipe.masks import Masks
from landloom.model.recipe.sections import is_none
from landloom.model.time import Cadence

DILATE: Final = 3
"""Pixels of the classification (20 m) by which unusable areas grow by default: a gap costs less than a missed cloud."""


class FusedProduct(ProductSection):
    """A complete series of blue, green, red and near infrared on a regular cadence, with quality layers beside it."""

    kind: Literal["fused"]
    resolution: Annotated[float, Field(gt=0)] = 10.0
    """Pixel size in metres."""
    cadence: str = "5 days"
    """`n days`; a step is dated by its middle day."""
    clear: tuple[Annotated[int, Field(ge=0, le=11)], ...] | None = None
    """Scene classes that count as clear; vegetation, bare soil, water, unclassified and snow if absent."""
    dilate: Annotated[int, Field(ge=0, le=50)] = DILATE
    """Dilation of unusable areas in pixels of the classification."""
    mask: Masks = ()
    """Where usable pixels are known from, instead of `clear`; one mask or several."""
    period: PeriodSection | None = None
    """Period of the product; that of the recipe if absent."""
    terms: Terms
    """Terms under which it is published."""
    archive: Annotated[Name | None, Field(exclude_if=is_none)] = None
    """Name of the archive of the reference sensor, if the recipe has several."""
    second: Annotated[Name | None, Field(exclude_if=is_none)] = None
    """Name of the archive of a second, equal or coarser sensor, which complements the reference between its dates."""

    @field_validator("cadence")
    @classmethod
    def _cadence(cls, text: str) -> str:
        cadence = Cadence.parse(text)
        if cadence.days is None:
            raise InvalidValueError(f"got {text!r}, expected a number of days such as '5 days'")
        return str(cadence)
