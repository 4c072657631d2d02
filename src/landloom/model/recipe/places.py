"""The parts of a recipe that say where: region, period, and how samples are chosen."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from landloom.errors import Problem
from landloom.model.ids import GranuleId, WindowId
from landloom.model.time import Period

if TYPE_CHECKING:
    from collections.abc import Iterator

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", description="lower-case letters, digits and '-'")]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A part of a recipe: frozen, and unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class PeriodSection(Section):
    """A half-open period; `end` is the first day after it."""

    start: date | datetime
    """First day, or an instant in UTC."""
    end: date | datetime
    """First day after the period, or an instant."""

    @field_validator("start", "end", mode="before")
    @classmethod
    def _readable(cls, value: object) -> object:
        if isinstance(value, date):  # as a datetime is
            return value
        try:
            text = str(value)
            return date.fromisoformat(text) if len(text) == len("2018-01-01") else datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(f"got {value!r}, wanted a date such as 2018-01-01") from error

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _ = self.value
        return self

    @property
    def value(self) -> Period:
        """The period, in UTC."""
        return Period.parse(self.start, self.end)


class VectorSource(Section):
    """Polygons in a file, with the column that names them."""

    file: str
    """GeoPackage, GeoParquet, shapefile or GeoJSON."""
    column: str
    """Column of the code or name."""
    layer: str | None = None
    """Layer, where the file has several."""


class RegionSection(Section):
    """Where samples may lie: bounds in WGS84 or the union of the polygons of a file."""

    bounds: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees."""
    file: str | None = None
    """Any vector file with a CRS."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.bounds is None) == (self.file is None):
            raise ValueError("wanted either bounds or file")
        if self.bounds is not None and not (self.bounds[0] < self.bounds[2] and self.bounds[1] < self.bounds[3]):
            raise ValueError("wanted bounds as west, south, east, north")
        if self.bounds is not None and not (self.bounds[0] >= -180 and self.bounds[2] <= 180):
            raise ValueError(f"got longitudes {self.bounds[0]:g} to {self.bounds[2]:g}, wanted -180 to 180")
        if self.bounds is not None and not (self.bounds[1] >= -90 and self.bounds[3] <= 90):
            raise ValueError(f"got latitudes {self.bounds[1]:g} to {self.bounds[3]:g}, wanted -90 to 90")
        return self


class AreaClassDraw(Section):
    """The RapidAI4EO draw: country quotas by area, the region's class distribution kept within each country."""

    draw: Literal["area-class"] = "area-class"
    count: Annotated[int, Field(ge=1)]
    """Samples."""
    strata: VectorSource
    """Countries, or whatever quotas go by."""
    labels: Name
    """Which label product gives the classes."""
    tiles: Annotated[int, Field(ge=1)] | None = None
    """How many 24 km tiles the samples are gathered in; every tile of the region if absent."""


class AllCells(Section):
    """Every 600 m cell whose centre lies in the region."""

    draw: Literal["all"]


class ListedCells(Section):
    """Cells named one by one, here or one a line in a text file."""

    draw: Literal["list"]
    ids: tuple[str, ...] = ()
    """Sample ids such as `33N_16E-243N_29_01`."""
    file: str | None = None
    """Text file with one id a line."""

    @model_validator(mode="after")
    def _any(self) -> Self:
        if bool(self.ids) == bool(self.file):
            raise ValueError("wanted either ids or file")
        return self


class WindowGrid(Section):
    """Windows laid side by side from an anchor (scheme `window`)."""

    draw: Literal["windows"]
    anchor: str | None = None
    """A granule, or `33N-499980E-5100000N`: zone and north-west corner in metres; the region's own corner on multiples
    of 60 m if absent."""
    size: Annotated[int, Field(ge=1)] = 24
    """Side of a window in pixels of the first product."""
    resolution: Annotated[float, Field(gt=0)] = 10.0
    """Metres of such a pixel."""
    rows: Annotated[int, Field(ge=1)] | None = None
    """Rows of windows; as many as the region needs if absent."""
    columns: Annotated[int, Field(ge=1)] | None = None
    """Columns of windows; as many as the region needs if absent."""
    labelled: Share | None = None
    """Only windows with a labelled pixel, and at least this share of them; all if absent. Needs `parcels`."""
    seasons: dict[Annotated[int, Field(ge=1900, le=9999)], PeriodSection] = {}
    """Label year → its season, which may cross New Year: each window is a sample of each year, with the labels of that
    year and the dates of its season. One sample a window, with all dates of the period, if absent."""

    @field_validator("anchor")
    @classmethod
    def _readable(cls, text: str | None) -> str | None:
        if text is not None:
            WindowId(text, 1, 1)
        return text


class ParcelWindows(Section):
    """A window around each parcel, snapped to 60 m (scheme `window`); rows and columns count steps of 60 m."""

    draw: Literal["parcels"]
    anchor: str | None = None
    """As of `windows`."""
    size: Annotated[int, Field(ge=1)] = 24
    """Side of a window in pixels of the first product."""
    resolution: Annotated[float, Field(gt=0)] = 10.0
    """Metres of such a pixel."""
    others: Literal["background", "keep"] = "keep"
    """What becomes of other parcels in the window."""
    vertices: Annotated[int, Field(ge=3)] = 32
    """Points that the parcel's outline is resampled to."""
    whole: bool = False
    """Whether parcels that reach beyond their window are left out."""
    seasons: dict[Annotated[int, Field(ge=1900, le=9999)], PeriodSection] = {}
    """Label year → its season, which may cross New Year: each window is a sample of each year, with the labels of that
    year and the dates of its season. One sample a window, with all dates of the period, if absent."""


def season_misfits(samples: object, parcels: object, period: object) -> Iterator[Problem]:
    """Seasons that do not fit the rest of a recipe.

    Args:
        samples: its section; those without seasons have no problem.
        parcels: its section, where there is one.
        period: its section, where it could be read.

    Example:
        >>> season = PeriodSection(start="2017-10-01", end="2018-10-01")
        >>> samples = WindowGrid(draw="windows", seasons={2018: season})
        >>> [
        ...     problem.where
        ...     for problem in season_misfits(samples, None, PeriodSection(start="2018-01-01", end="2019-01-01"))
        ... ]
        ['samples.seasons.2018']
    """
    if not isinstance(samples, WindowGrid | ParcelWindows) or not samples.seasons:
        return
    if getattr(parcels, "year", None) is not None:
        yield Problem(where="parcels.year", what="wanted none beside samples.seasons, which name their years")
    for year, season in samples.seasons.items():
        own = season.value
        if isinstance(period, PeriodSection) and not (period.value.start <= own.start and own.end <= period.value.end):
            yield Problem(where=f"samples.seasons.{year}", what=f"got {own}, wanted it within {period.value}")


class GranuleChips(Section):
    """Chips in Sentinel-2 granules (scheme `granule`): granules that are named, or drawn so that they are diverse."""

    draw: Literal["granules"]
    granules: tuple[str, ...] = ()
    """MGRS squares such as `37TDK`; drawn from `table` if empty."""
    table: str | None = None
    """What `landloom granules features` wrote, as Parquet or CSV: a row a granule."""
    continents: VectorSource | None = None
    """Continents, instead of the table's: polygons, or a CSV with `id` and the column."""
    quotas: dict[str, Annotated[int, Field(ge=0)]] = {}
    """Continent → granules; by land area if empty."""
    count: Annotated[int, Field(ge=1)] = 300
    """Granules in all, where there are no quotas."""
    method: Literal["ecdf-uniform", "random", "stratified"] = "ecdf-uniform"
    """How granules are drawn."""
    water: Share = 0.6
    """Granules with a larger share of water are left out."""
    barren: Share = 0.9
    """Granules with a larger share of barren land are left out."""
    chips: Annotated[int, Field(ge=1, le=10_000)] = 30
    """Chips of a granule."""
    size: Annotated[int, Field(ge=1, le=10_980)] = 256
    """Side of a chip in pixels of 10 m."""
    spread: bool = False
    """Whether chips are spread over the classes of the guess's map, rather than placed at random."""
    seen: Share = 1.0
    """Least share of the scenes that must have data in every pixel of a chip."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.granules) == bool(self.table):
            raise ValueError("wanted either granules or table")
        for name in self.granules:
            GranuleId.parse(name)
        return self


Samples = Annotated[
    AreaClassDraw | AllCells | ListedCells | WindowGrid | ParcelWindows | GranuleChips, Field(discriminator="draw")
]
