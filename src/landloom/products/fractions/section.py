"""The recipe section of class fractions."""

from __future__ import annotations

from landloom.model.recipe import LabelSource, ProductSection, Terms


class FractionsProduct(LabelSource, ProductSection):
    """Class fractions of every sample, from polygons or from a raster."""

    terms: Terms
    """Terms under which it is published."""
