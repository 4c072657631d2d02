"""The section of a recipe that names a series made elsewhere."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from landloom.model.recipe import PeriodSection, ProductSection, Terms
from landloom.model.time import Cadence


class ExternalProduct(ProductSection):
    """A series made elsewhere: it is counted and described, its files are not made here."""

    kind: Literal["external"]
    cadence: str
    """`month` or `n days`."""
    period: PeriodSection | None = None
    """The recipe's period if absent."""
    terms: Terms
    """Under which terms it is published."""

    @field_validator("cadence")
    @classmethod
    def _cadence(cls, text: str) -> str:
        return str(Cadence.parse(text))
