"""The section of a recipe that asks for series of native bands."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from landloom.model.recipe import Name, PeriodSection, ProductSection, Share, Terms
from landloom.model.recipe.sections import is_none


class SeriesProduct(ProductSection):
    """Every acquisition in its native bands: products `s2_10m`, `s2_20m` and `s2_60m`, and `s2_valid` beside them."""

    kind: Literal["series"]
    bands: tuple[str, ...] | None = None
    """Each goes to the product of its native resolution, in this order; all but cirrus if absent."""
    valid: bool = True
    """Whether the mask of usable pixels is published."""
    clear: tuple[Annotated[int, Field(ge=0, le=11)], ...] | None = None
    """Scene classes that count as usable; vegetation, bare soil, water, unclassified and snow if absent."""
    dilate: Annotated[int, Field(ge=0, le=50)] = 0
    """Pixels of the classification by which unusable areas grow."""
    least_data: Share = 0.0
    """Least share of a sample's pixels that must hold data; a date with less, or none, is not there for it."""
    least_valid: Share = 0.0
    """Least share of a sample's pixels that must be usable, likewise."""
    period: PeriodSection | None = None
    """The recipe's period if absent."""
    terms: Terms
    """Under which terms it is published."""
    archive: Annotated[Name | None, Field(exclude_if=is_none)] = None
    """Which of the recipe's archives its scenes come from; the only one if absent."""
