"""The parts of a recipe that say what: archive, scenes, products, labels, and their terms."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from landloom.errors import NotFoundError
from landloom.model.bands import CLEAR, RAPIDAI4EO_BANDS, SENTINEL2
from landloom.model.recipe.places import PeriodSection, Section, Share
from landloom.model.taxonomy import TAXONOMIES
from landloom.model.time import Cadence


class FetchSection(Section):
    """How whole products of a provider come onto disk before a build; it may take days and be killed at any time.

    The account is that of the environment variables `LANDLOOM_USER` and `LANDLOOM_PASSWORD`.
    """

    folder: str = "products"
    """Where the zip files go."""
    download: str | None = None
    """Root of the downloads, where it is not that of the search; the Copernicus Data Space has its own."""
    tokens: str | None = None
    """Where name and password get a token; the Copernicus Data Space has its own."""
    order_action: str | None = None
    """Action that orders what is offline, `OData.CSC.Order`; a download is its order if absent."""
    order_every: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(minutes=30)
    """Least time between two orders: `PT30M`, or seconds."""
    poll_every: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(minutes=10)
    """Time between two questions after one ordered product."""
    first_retry: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(seconds=30)
    """Wait after the first try in vain; it doubles with each, up to an hour."""


class ArchiveSection(Section):
    """Where scenes come from."""

    kind: Literal[
        "static", "table", "stac-api", "safe", "odata", "earth-search", "planetary-computer", "copernicus-data-space"
    ]
    """A static STAC directory, a stac-geoparquet file, a STAC API, SAFE products on disk, a provider of whole products
    (OData), or an API that is known by name."""
    href: str | None = None
    """`catalog.json`, the Parquet file, the folder of SAFE folders and zip files, or the API's root; a known API, and
    `odata`, have their own."""
    collection: str | None = None
    """Which collection of a STAC API; a known API has its own."""
    level: Literal["L1C", "L2A"] = "L2A"
    """Processing level of `safe` and `odata`."""
    fetch: FetchSection = FetchSection()
    """Of `odata`: how products come onto disk."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.href is None and self.kind in {"static", "table", "stac-api", "safe"}:
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


def known_taxonomy(name: str) -> str:
    """Refuse a name that no taxonomy has.

    Raises:
        ValueError: names those that come near.
    """
    if name not in TAXONOMIES:
        raise ValueError(str(NotFoundError.of("taxonomy", name, TAXONOMIES)))
    return name


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


class GranuleSeries(Section):
    """The chosen scenes of each granule, cut into chips at 10 m: as they are, and masked and filled."""

    kind: Literal["granule-series"]
    bands: tuple[str, ...] = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
    """In file order; those of 20 m by nearest neighbour."""
    clear: tuple[Annotated[int, Field(ge=0, le=11)], ...] = (2, 4, 5, 6, 7, 11)
    """Scene classes that count as usable: neither clouds, shadows and cirrus, nor saturated or defective pixels."""
    dilate: Annotated[int, Field(ge=0, le=50)] = 0
    """Pixels of the classification by which unusable areas grow."""
    filled: bool = True
    """Whether the masked and filled series and its validity layer are published, too."""
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


ProductSection = Annotated[
    CompositeProduct | SeriesProduct | GranuleSeries | ExternalProduct, Field(discriminator="kind")
]


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
    invalid: Literal["error", "repair"] = "error"
    """What becomes of invalid geometries: the build stops and names their rows, or they are repaired and noted."""
    allow_empty: bool = False
    """Whether the source may have no label for any sample at all, which is a mistake nearly always."""
    terms: Terms
    """Under which terms it is published."""

    _named = field_validator("taxonomy")(known_taxonomy)


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

    @field_validator("resolution")
    @classmethod
    def _nests(cls, metres: float) -> float:
        if not any(abs(n - round(n)) < 1e-9 for n in (10 / metres, metres / 10)):
            raise ValueError("wanted metres that divide or multiply 10, such as 2.5")
        return metres


class GuessSection(Section):
    """Guess labels: a classifier for each granule, trained on another map."""

    file: str
    """A raster of codes."""
    taxonomy: str = "globeland30"
    """What its codes are; there must be a crosswalk to `landcovernet`."""
    crosswalk: dict[str, str] = {}
    """Code → LandCoverNet class, where the crosswalk that comes with landloom does not suit."""
    classifier: str = "balanced-random-forest"
    """That, or a scikit-learn class by its full name."""
    trees: Annotated[int, Field(ge=1)] = 100
    """Trees of the balanced forest; LandCoverNet published 2."""
    depth: Annotated[int, Field(ge=1)] | None = None
    """Levels of a tree; as deep as it grows if absent."""
    leaves: Annotated[int, Field(ge=1)] = 5
    """Least pixels in a leaf."""
    per_tree: Annotated[int, Field(ge=1)] | None = 2_000
    """Most pixels of a class that a tree sees; as many as the rarest class has if null."""
    options: dict[str, Any] = {}
    """Keyword arguments of another classifier."""
    prior: Literal["map", "balanced"] = "map"
    """Whether classes get the shares back that they have in the map, or count as equally common, as published."""
    agreement: Annotated[float, Field(gt=0, le=1)] | Literal["majority"] = 0.2
    """Share of the year's clear observations that must show what the map says; `majority`, as published."""
    per_class: Annotated[int, Field(ge=1)] = 50_000
    """Most pixels of a class that are learned from."""
    least: Annotated[int, Field(ge=1)] = 100
    """Classes with fewer pixels are left out."""
    holdout: Annotated[float, Field(ge=0, le=0.9)] = 0.25
    """Share of the drawn pixels of each class that is held out for scores."""
    held_out: Annotated[int, Field(ge=0)] = 0
    """Chips of each granule that are kept out of training for scores, the last of its draw."""
    buffer: Annotated[int, Field(ge=0)] = 32
    """Pixels around these that are not learned from either."""
    terms: Terms
    """Under which terms the labels are published."""

    _named = field_validator("taxonomy")(known_taxonomy)
