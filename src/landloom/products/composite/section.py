"""The section of a recipe that asks for composites."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from landloom.model.recipe import Name, PeriodSection, ProductSection, Terms
from landloom.model.recipe.sections import is_none
from landloom.model.time import Cadence


class CompositeProduct(ProductSection):
    """Per-pixel median of all valid observations of each timestep."""

    kind: Literal["composite"] = "composite"
    bands: tuple[str, ...] | None = None
    """In file order; of Sentinel-2 the twelve published ones, of other sensors all, if absent."""
    resolution: Annotated[float, Field(gt=0)] = 10.0
    """Metres."""
    cadence: str = "month"
    """`month` or `n days`."""
    clear: tuple[Annotated[int, Field(ge=0, le=11)], ...] | None = None
    """Scene classes that count as usable; vegetation, bare soil, water, unclassified and snow if absent."""
    dilate: Annotated[int, Field(ge=0, le=50)] = 1
    """Pixels of the classification (20 m) by which unusable areas grow: clouds that it misses lie at their edges."""
    count: bool = True
    """Whether the number of observations is published beside it."""
    period: PeriodSection | None = None
    """The recipe's period if absent."""
    terms: Terms
    """Under which terms it is published."""
    archive: Annotated[Name | None, Field(exclude_if=is_none)] = None
    """Which of the recipe's archives its scenes come from; the only one if absent."""

    @field_validator("cadence")
    @classmethod
    def _cadence(cls, text: str) -> str:
        return str(Cadence.parse(text))
