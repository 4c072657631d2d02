"""The recipe section of granule series."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from landloom.model.recipe import Name, PeriodSection, ProductSection, Registering, Terms
from landloom.model.recipe.masks import Masks
from landloom.model.recipe.sections import is_none


class GranuleSeries(ProductSection):
    """The chosen scenes of each granule, cut into chips at 10 m: original, and masked and filled."""

    kind: Literal["granule-series"]
    bands: tuple[str, ...] | None = None
    """Bands in file order, those of 20 m resampled by nearest neighbour; the ten bands of 10 and 20 m if absent."""
    clear: tuple[Annotated[int, Field(ge=0, le=11)], ...] | None = None
    """Scene classes that count as clear; all but clouds, shadows, cirrus, saturated and defective pixels if absent."""
    dilate: Annotated[int, Field(ge=0, le=50)] = 0
    """Dilation of unusable areas in pixels of the classification."""
    registration: Registering = None
    """Displaced scenes: `measure` records how far each lies beside the others, `correct` also moves it as it is read,
    and chooses others for those that lie too far; `off` if absent."""
    filled: bool = True
    """Whether the masked and filled series and its validity layer are published too."""
    mask: Masks = ()
    """Where usable pixels are known from, instead of `clear`; one mask or several."""
    period: PeriodSection | None = None
    """Period of the product; that of the recipe if absent."""
    terms: Terms
    """Terms under which it is published."""
    archive: Annotated[Name | None, Field(exclude_if=is_none)] = None
    """Name of the archive, if the recipe has several."""
