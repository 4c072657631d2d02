"""The section of a recipe that chooses chips in granules."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from landloom.model.ids import GranuleId
from landloom.model.recipe import SamplerSection, Share, VectorSource


class GranuleChips(SamplerSection):
    """Chips in Sentinel-2 granules (scheme `granule`): granules that are listed, or drawn for diversity."""

    scheme: ClassVar[str] = "granule"

    draw: Literal["granules"]
    granules: tuple[str, ...] = ()
    """MGRS granules such as `37TDK`; drawn from `table` if empty."""
    table: str | None = None
    """Output of `landloom granules features`, as Parquet or CSV: a row per granule."""
    continents: VectorSource | None = None
    """Continents, instead of the table's: polygons, or a CSV with `id` and the column."""
    quotas: dict[str, Annotated[int, Field(ge=0)]] = {}
    """Continent → granules; by land area if empty."""
    count: Annotated[int, Field(ge=1)] = 300
    """Granules in total, if there are no quotas."""
    method: Literal["ecdf-uniform", "random", "stratified"] = "ecdf-uniform"
    """Method of the draw."""
    water: Share = 0.6
    """Granules with a larger share of water are excluded."""
    barren: Share = 0.9
    """Granules with a larger share of barren land are excluded."""
    chips: Annotated[int, Field(ge=1, le=10_000)] = 30
    """Chips per granule."""
    size: Annotated[int, Field(ge=1, le=10_980)] = 256
    """Side of a chip in pixels of 10 m."""
    spread: bool = False
    """Whether chips are spread over the classes of the guess's map instead of placed at random."""
    seen: Share = 1.0
    """Least share of the scenes that must have data in every pixel of a chip."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.granules) == bool(self.table):
            raise ValueError("expected either granules or table")
        for name in self.granules:
            GranuleId.parse(name)
        return self
