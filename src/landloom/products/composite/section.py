"""The recipe section of composites."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from landloom.model.recipe import Name, PeriodSection, ProductSection, Registering, Terms
from landloom.model.recipe.masks import Masks
from landloom.model.recipe.sections import is_none
from landloom.model.time import Cadence


class CompositeProduct(ProductSection):
    """Per-pixel median of all valid observations of each timestep."""

    kind: Literal["composite"] = "composite"
    bands: tuple[str, ...] | None = None
    """Bands in file order; if absent, the twelve published ones for Sentinel-2, all for other sensors."""
    resolution: Annotated[float, Field(gt=0)] = 10.0
    """Pixel size in metres."""
    cadence: str = "month"
    """`month` or `n days`."""
    clear: tuple[Annotated[int, Field(ge=0, le=11)], ...] | None = None
    """Scene classes that count as clear; vegetation, bare soil, water, unclassified and snow if absent."""
    dilate: Annotated[int, Field(ge=0, le=50)] = 1
    """Dilation of unusable areas in pixels of the classification (20 m): clouds are often missed at their edges."""
    registration: Registering = None
    """Displaced scenes: `measure` records how far each lies beside the others, `correct` also moves it as it is read;
    `off` if absent."""
    count: bool = True
    """Whether the number of observations is published too."""
    mask: Masks = ()
    """Where usable pixels are known from, instead of `clear`; one mask or several."""
    period: PeriodSection | None = None
    """Period of the product; that of the recipe if absent."""
    terms: Terms
    """Terms under which it is published."""
    archive: Annotated[Name | None, Field(exclude_if=is_none)] = None
    """Name of the archive, if the recipe has several."""

    @field_validator("cadence")
    @classmethod
    def _cadence(cls, text: str) -> str:
        return str(Cadence.parse(text))
