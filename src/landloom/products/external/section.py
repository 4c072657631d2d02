"""The recipe section of a series made elsewhere."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from landloom.model.recipe import PeriodSection, ProductSection, Terms
from landloom.model.time import Cadence


class ExternalProduct(ProductSection):
    """A series made elsewhere: it is counted and described, but its files are not built."""

    kind: Literal["external"]
    cadence: str
    """`month` or `n days`."""
    period: PeriodSection | None = None
    """Period of the product; that of the recipe if absent."""
    terms: Terms
    """Terms under which it is published."""

    @field_validator("cadence")
    @classmethod
    def _cadence(cls, text: str) -> str:
        return str(Cadence.parse(text))
