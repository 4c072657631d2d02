"""The section of a recipe that asks for label rasters of parcels."""

from __future__ import annotations

from typing import Literal

from landloom.model.recipe import ParcelSource, ProductSection, Terms

Layer = Literal["classes", "ids", "ratios", "distances", "masks", "ambiguity"]


class ParcelsProduct(ParcelSource, ProductSection):
    """Parcels, and the label rasters that are made of them."""

    layers: tuple[Layer, ...] = ("classes", "ids", "ratios", "distances", "masks", "ambiguity")
    """Which rasters are published."""
    terms: Terms
    """Under which terms it is published."""
