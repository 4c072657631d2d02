"""The recipe section of parcel label rasters."""

from __future__ import annotations

from typing import Literal

from landloom.model.recipe import ParcelSource, ProductSection, Terms

Layer = Literal["classes", "ids", "ratios", "distances", "masks", "ambiguity"]


class ParcelsProduct(ParcelSource, ProductSection):
    """Parcels, and the label rasters made from them."""

    layers: tuple[Layer, ...] = ("classes", "ids", "ratios", "distances", "masks", "ambiguity")
    """Which rasters are published."""
    terms: Terms
    """Terms under which it is published."""
