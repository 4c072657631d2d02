"""Sections of a recipe that choose 600 m cells of 24 km tiles."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from landloom.model.recipe import Name, SamplerSection, VectorSource


class AreaClassDraw(SamplerSection):
    """The RapidAI4EO draw: country quotas by area, the region's class distribution kept within each country."""

    scheme: ClassVar[str] = "utm24"

    draw: Literal["area-class"] = "area-class"
    count: Annotated[int, Field(ge=1)]
    """Samples."""
    strata: VectorSource
    """Countries, or whatever quotas go by."""
    labels: Name
    """Which label product gives the classes."""
    tiles: Annotated[int, Field(ge=1)] | None = None
    """How many 24 km tiles the samples are gathered in; every tile of the region if absent."""


class AllCells(SamplerSection):
    """Every 600 m cell whose centre lies in the region."""

    scheme: ClassVar[str] = "utm24"

    draw: Literal["all"]


class ListedCells(SamplerSection):
    """Cells named one by one, here or one a line in a text file."""

    scheme: ClassVar[str] = "utm24"

    draw: Literal["list"]
    ids: tuple[str, ...] = ()
    """Sample ids such as `33N_16E-243N_29_01`."""
    file: str | None = None
    """Text file with one id a line."""

    @model_validator(mode="after")
    def _any(self) -> Self:
        if bool(self.ids) == bool(self.file):
            raise ValueError("expected either ids or file")
        return self
