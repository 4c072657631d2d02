"""A recipe: everything that decides what a corpus will hold, in one YAML file.

Relative paths in a recipe are meant from the folder that it lies in. Every mistake is reported at once, each with its
path in the file and what was expected.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from landloom.errors import Problem, RecipeError
from landloom.model.bands import CLEAR, RAPIDAI4EO_BANDS, SENTINEL2
from landloom.model.ids import WindowId
from landloom.model.time import Cadence, Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


Samples = Annotated[AreaClassDraw | AllCells | ListedCells | WindowGrid | ParcelWindows, Field(discriminator="draw")]


class ArchiveSection(Section):
    """Where scenes come from."""

    kind: Literal["static", "table", "stac-api", "earth-search", "planetary-computer", "copernicus-data-space"]
    """A static STAC directory, a stac-geoparquet file, a STAC API, or an API that is known by name."""
    href: str | None = None
    """`catalog.json`, the Parquet file or the API's root; a known API has its own."""
    collection: str | None = None
    """Which collection of a STAC API; a known API has its own."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.href is None and self.kind in {"static", "table", "stac-api"}:
            raise ValueError(f"wanted href: where the {self.kind} archive lies")
        return self


class ScenesSection(Section):
    """Which of the archive's scenes are taken, granule by granule."""

    policy: str = "all"
    """`all`, `least-cloudy n`, `uniform n` or `monthly + n`."""
    file: str | None = None
    """What `landloom scenes` wrote and a person may have edited; it decides instead of the policy."""
    cloud: tuple[float, float] = (0.0, 100.0)
    """Least and most cloud cover, percent."""
    overlap: Share = 0.0
    """Least share of the region that a scene's outline covers."""
    valid: Share = 0.0
    """Least share of the granule that holds data."""
    levels: tuple[Literal["L1C", "L2A"], ...] = ()
    """Processing levels; any if empty."""
    size: tuple[int, int | None] = (0, None)
    """Least and most bytes of a product."""
    cloud_weight: Annotated[float, Field(ge=0)] = 0.25
    """Of `uniform`: what full cloud costs, in slots off the ideal time."""


class Provider(Section):
    """Who made, keeps or licenses a product."""

    name: str
    """Who it is."""
    roles: tuple[Literal["licensor", "producer", "processor", "host"], ...] = ("producer",)
    """As STAC means them."""
    url: str | None = None
    """Where to read more."""


class Terms(Section):
    """Under which terms a product is published. They differ from product to product."""

    licence: str
    """SPDX id, or `proprietary` with `licence_url`."""
    licence_url: str | None = None
    """The terms in full."""
    attribution: str
    """What a user has to print."""
    providers: tuple[Provider, ...] = ()
    """Those who made, keep or license it."""
    source: str | None = None
    """Where the source product is described."""
    non_commercial: bool = False
    """Whether commercial use is excluded."""


def known_bands(bands: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse bands that there are none of, or that come twice.

    Raises:
        ValueError: names those that there are.
    """
    unknown = [name for name in bands if name not in SENTINEL2]
    if unknown or not bands or len(set(bands)) != len(bands):
        raise ValueError(f"got {list(bands)}, wanted distinct bands out of {', '.join(SENTINEL2)}")
    return bands


class CompositeProduct(Section):
    """Per-pixel median of all valid observations of each timestep."""

    kind: Literal["composite"] = "composite"
    bands: tuple[str, ...] = RAPIDAI4EO_BANDS
    """In file order."""
    resolution: Annotated[float, Field(gt=0)] = 10.0
    """Metres."""
    cadence: str = "month"
    """`month` or `n days`."""
    clear: tuple[Annotated[int, Field(ge=0, le=11)], ...] = tuple(sorted(int(c) for c in CLEAR))
    """Scene classes that count as usable."""
    dilate: Annotated[int, Field(ge=0, le=50)] = 1
    """Pixels of the classification (20 m) by which unusable areas grow: clouds that it misses lie at their edges."""
    count: bool = True
    """Whether the number of observations is published beside it."""
    period: PeriodSection | None = None
    """The recipe's period if absent."""
    terms: Terms
    """Under which terms it is published."""

    _known = field_validator("bands")(known_bands)

    @field_validator("cadence")
    @classmethod
    def _cadence(cls, text: str) -> str:
        return str(Cadence.parse(text))


class SeriesProduct(Section):
    """Every acquisition in its native bands: products `s2_10m`, `s2_20m` and `s2_60m`, and `s2_valid` beside them."""

    kind: Literal["series"]
    bands: tuple[str, ...] = tuple(name for name in SENTINEL2 if name != "B10")
    """Each goes to the product of its native resolution, in this order."""
    valid: bool = True
    """Whether the mask of usable pixels is published."""
    clear: tuple[Annotated[int, Field(ge=0, le=11)], ...] = tuple(sorted(int(c) for c in CLEAR))
    """Scene classes that count as usable."""
    dilate: Annotated[int, Field(ge=0, le=50)] = 0
    """Pixels of the classification by which unusable areas grow."""
    least_data: Share = 0.0
    """Least share of a sample's pixels that must hold data; a date with less, or none, is not there for it."""
    least_valid: Share = 0.0
    """Least share of a sample's pixels that must be usable, likewise."""
    period: PeriodSection | None = None
    """The recipe's period if absent."""
    terms: Terms
    """Under which terms it is published."""

    _known = field_validator("bands")(known_bands)


class ExternalProduct(Section):
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


ProductSection = Annotated[CompositeProduct | SeriesProduct | ExternalProduct, Field(discriminator="kind")]


class LabelSection(Section):
    """Class fractions of every sample, from polygons or from a raster."""

    taxonomy: str
    """Name of a taxonomy: `clc`, …"""
    file: str
    """Vector file, or a raster of codes."""
    column: str | None = None
    """Column of the code; absent for rasters."""
    layer: str | None = None
    """Layer, where the file has several."""
    terms: Terms
    """Under which terms it is published."""


class ParcelsSection(Section):
    """Parcels, and the label rasters that are made of them."""

    file: str
    """GeoPackage, GeoParquet, shapefile, GeoJSON, or a CSV with WKT."""
    layer: str | None = None
    """Layer, where the file has several."""
    epsg: int | None = None
    """CRS of a file that does not say."""
    columns: dict[Literal["id", "ground_truth", "crs", "year", "valid_from", "valid_to"], str] = {}
    """Role → column, where they differ."""
    classes: dict[str | int, int] | str | None = None
    """Value → code, several to one; or a file of it. Text gets 1, 2, … in sorted order if absent."""
    unmapped: Literal["error", "unknown", "background", "ignore"] = "error"
    """What becomes of values that `classes` does not name."""
    codes: dict[Literal["background", "ignore", "unknown"], int] = {}
    """Codes of their own, where the defaults do not suit."""
    year: int | None = None
    """Only parcels of that year, where a column says; of the recipe's period if absent."""
    invalid: Literal["reject", "repair"] = "reject"
    """What becomes of invalid geometries."""
    regression: bool = False
    """Whether the ground truth is a number to predict, not a class."""
    resolution: Annotated[float, Field(gt=0)] = 10.0
    """Metres of a pixel; finer than the imagery for super-resolution."""
    layers: tuple[Literal["classes", "ids", "ratios", "distances", "masks", "ambiguity"], ...] = (
        "classes", "ids", "ratios", "distances", "masks", "ambiguity",
    )  # fmt: skip
    """Which rasters are published."""
    terms: Terms
    """Under which terms it is published."""


class StacSection(Section):
    """How much of the catalogue is written."""

    json_items: bool = True
    """The whole JSON tree; slim stac-geoparquet is always written."""


class Publication(Section):
    """What the card, the catalogue and the citation say."""

    title: str
    """Heading of card and catalogue."""
    description: str
    """What the corpus is, in a sentence or two."""
    authors: tuple[str, ...] = ()
    """`Family, Given`."""
    year: int | None = None
    """Of publication."""
    publisher: str | None = None
    """Who publishes it."""
    doi: str | None = None
    """Without `https://doi.org/`."""
    citation: str | None = None
    """The sentence to cite; made from the other fields if absent."""
    funding: str | None = None
    """Who paid, as it has to be printed."""
    contact: str | None = None
    """Address for questions."""
    keywords: tuple[str, ...] = ()
    """To be found by."""


class Recipe(Section):
    """Everything that decides what a corpus will hold.

    Example:
        >>> Recipe.parse({"name": "x", "seed": -1})
        Traceback (most recent call last):
        landloom.errors.RecipeError: recipe: 8 problems
          - version: missing, wanted a value
        ...
    """

    name: Name
    """Starts every published id."""
    version: Annotated[str, Field(pattern=r"^\d+\.\d+(\.\d+)?$")]
    """`1.0`; the major number is part of STAC ids."""
    seed: Annotated[int, Field(ge=0)] = 0
    """All random choices come from it."""
    region: RegionSection
    """Where samples may lie."""
    period: PeriodSection
    """When; half-open."""
    samples: Samples
    """How samples are placed in the region."""
    archive: ArchiveSection
    """Where scenes come from."""
    products: dict[str, ProductSection]
    """Key in the product table → how it is made."""
    labels: dict[Name, LabelSection] = {}
    """Name → label product."""
    parcels: ParcelsSection | None = None
    """Parcels that label rasters are made of."""
    scenes: ScenesSection | None = None
    """Which scenes are taken; all if absent."""
    layouts: tuple[Literal["chips", "cubes"], ...] = ("chips",)
    """`chips`: a GeoTIFF for each timestep. `cubes`: a sharded Zarr array for each tile."""
    stac: StacSection = StacSection()
    """How much of the catalogue is written."""
    splits: dict[Name, Share] = {}
    """Name → share of the tiles; whole tiles or granules go to one split."""
    publication: Publication
    """What the card, the catalogue and the citation say."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.splits and abs(sum(self.splits.values()) - 1) > 1e-9:
            raise ValueError(f"splits: got shares that sum to {sum(self.splits.values()):g}, wanted 1")
        if isinstance(self.samples, AreaClassDraw) and self.samples.labels not in self.labels:
            raise ValueError(f"samples.labels: got {self.samples.labels!r}, wanted one of {sorted(self.labels)}")
        if self.parcels is None and (
            isinstance(self.samples, ParcelWindows) or getattr(self.samples, "labelled", None) is not None
        ):
            raise ValueError("parcels: missing, wanted them for samples that lie where parcels are")
        if not self.layouts or len(set(self.layouts)) != len(self.layouts):
            raise ValueError("layouts: wanted chips, cubes or both")
        return self

    @property
    def scheme(self) -> str:
        """The identity scheme of its samples."""
        return "window" if isinstance(self.samples, WindowGrid | ParcelWindows) else "utm24"

    @classmethod
    def parse(cls, document: Mapping[str, Any], subject: str = "recipe") -> Self:
        """Check a parsed document.

        Raises:
            RecipeError: with every problem, each at its path in the file.
        """
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise RecipeError(subject, list(_problems(error))) from error

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a YAML file.

        Raises:
            RecipeError: no such file, no YAML, or a recipe with problems.
        """
        import yaml

        try:
            document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise RecipeError(str(path), [Problem(where="", what=f"cannot be read: {error.strerror}")]) from error
        except yaml.YAMLError as error:
            raise RecipeError(str(path), [Problem(where="", what=f"is no YAML: {error}")]) from error
        if not isinstance(document, dict):
            raise RecipeError(str(path), [Problem(where="", what="wanted a mapping of keys to values")])
        return cls.parse(document, str(path))

    def document(self) -> dict[str, Any]:
        """The whole recipe as plain JSON values, defaults spelled out."""
        return self.model_dump(mode="json")


def _problems(error: ValidationError) -> Iterable[Problem]:
    tags = {"area-class", "all", "list", "windows", "composite", "external", "series"}
    for entry in error.errors(include_url=False):
        where = ".".join(str(part) for part in entry["loc"] if part not in tags)
        message = entry["msg"].removeprefix("Value error, ")
        got = entry.get("input")
        if entry["type"] == "missing":
            message = "missing, wanted a value"
        elif entry["type"] == "extra_forbidden":
            message = "unknown key"
        elif not isinstance(got, dict | list) and "got" not in message:
            message = f"got {got!r}; {message[:1].lower()}{message[1:]}"
        yield Problem(where=where, what=message)
