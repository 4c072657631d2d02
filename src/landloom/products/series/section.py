"""The recipe section of series in native bands."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from landloom.model.recipe import Name, PeriodSection, ProductSection, Registering, Share, Terms
from landloom.model.recipe.masks import Masks
from landloom.model.recipe.sections import is_none


class SeriesProduct(ProductSection):
    """Every acquisition in its native bands: products `s2_10m`, `s2_20m` and `s2_60m`, with `s2_valid`.

    Products of other sensors start with the key of the section: `landsat_30m`, `landsat_valid`.
    """

    kind: Literal["series"]
    bands: tuple[str, ...] | None = None
    """Each band goes to the product of its native resolution, in this order; all but cirrus if absent."""
    valid: bool = True
    """Whether the mask of valid pixels is published."""
    clear: tuple[Annotated[int, Field(ge=0, le=11)], ...] | None = None
    """Scene classes that count as clear; vegetation, bare soil, water, unclassified and snow if absent."""
    dilate: Annotated[int, Field(ge=0, le=50)] = 0
    """Dilation of unusable areas in pixels of the classification."""
    registration: Registering = None
    """Displaced scenes: `measure` records how far each lies beside the others, `correct` also moves it as it is read;
    `off` if absent."""
    least_data: Share = 0.0
    """Minimum share of a sample's pixels with data; dates with less, or with none, are left out for that sample."""
    least_valid: Share = 0.0
    """Minimum share of a sample's pixels that are valid; dates with less are left out for that sample."""
    mask: Masks = ()
    """Where usable pixels are known from, instead of `clear`; one mask or several."""
    period: PeriodSection | None = None
    """Period of the product; that of the recipe if absent."""
    terms: Terms
    """Terms under which it is published."""
    archive: Annotated[Name | None, Field(exclude_if=is_none)] = None
    """Name of the archive, if the recipe has several."""
