"""The section of a recipe that asks for the series of granules' chips."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from landloom.model.recipe import Name, PeriodSection, ProductSection, Terms
from landloom.model.recipe.sections import is_none


class GranuleSeries(ProductSection):
    """The chosen scenes of each granule, cut into chips at 10 m: as they are, and masked and filled."""

    kind: Literal["granule-series"]
    bands: tuple[str, ...] | None = None
    """In file order, those of 20 m by nearest neighbour; the ten of 10 and 20 m if absent."""
    clear: tuple[Annotated[int, Field(ge=0, le=11)], ...] | None = None
    """Scene classes that count as usable; all but clouds, shadows, cirrus, saturated and defective pixels if absent."""
    dilate: Annotated[int, Field(ge=0, le=50)] = 0
    """Pixels of the classification by which unusable areas grow."""
    filled: bool = True
    """Whether the masked and filled series and its validity layer are published, too."""
    period: PeriodSection | None = None
    """The recipe's period if absent."""
    terms: Terms
    """Under which terms it is published."""
    archive: Annotated[Name | None, Field(exclude_if=is_none)] = None
    """Which of the recipe's archives its scenes come from; the only one if absent."""
