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
    """Number of samples."""
    strata: VectorSource
    """Countries, or other strata with quotas."""
    labels: Name
    """Name of the label product with the classes."""
    tiles: Annotated[int, Field(ge=1)] | None = None
    """Number of 24 km tiles to concentrate the samples in; by default samples may lie in every tile of the region."""


class AllCells(SamplerSection):
    """Every 600 m cell whose centre lies in the region."""

    scheme: ClassVar[str] = "utm24"

    draw: Literal["all"]


class ListedCells(SamplerSection):
    """Cells listed by id, here or in a text file with one id per line."""

    scheme: ClassVar[str] = "utm24"

    draw: Literal["list"]
    ids: tuple[str, ...] = ()
    """Sample ids such as `33N_16E-243N_29_01`."""
    file: str | None = None
    """Text file with one id per line."""

    @model_validator(mode="after")
    def _any(self) -> Self:
        if bool(self.ids) == bool(self.file):
            raise ValueError("expected either ids or file")
        return self
