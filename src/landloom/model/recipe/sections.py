"""Sections of every recipe: region, period, terms, catalogue and publication."""

from __future__ import annotations

from datetime import date, datetime
from string import Formatter
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from landloom.model.time import Period

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", description="lower-case letters, digits and '-'")]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A section of a recipe: frozen; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, serialize_by_alias=True)


def is_none(value: object) -> bool:
    """Whether an unset key is left out of documents; older documents do not have it."""
    return value is None


def section_keys(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """Key as written in a recipe → field of a section."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def unless_false(value: object) -> object:
    """YAML reads `off` as false."""
    return "off" if value is False else value


Registering = Annotated[
    Literal["off", "measure", "correct"] | None,
    BeforeValidator(unless_false),
    Field(alias="register", exclude_if=is_none),  # every class of pydantic's has a `register` of its own
]
"""What is done about displaced scenes; a field of this type is not called like its key."""


class PeriodSection(Section):
    """A half-open period; `end` is the first day after it."""

    start: date | datetime
    """First day, or an instant in UTC."""
    end: date | datetime
    """First day after the period, or an instant."""

    @field_validator("start", "end", mode="before")
    @classmethod
    def _readable(cls, value: object) -> object:
        if isinstance(value, date):  # a datetime too
            return value
        try:
            text = str(value)
            return date.fromisoformat(text) if len(text) == len("2018-01-01") else datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(f"got {value!r}, expected a date such as 2018-01-01") from error

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
    encoding: Annotated[str | None, Field(exclude_if=is_none)] = None
    """Encoding of text that is not UTF-8, where the file does not say it: `cp1252`."""


class RegionSection(Section):
    """Where samples may lie: bounds in WGS84 or the union of the polygons of a file."""

    bounds: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees; west above east crosses 180°."""
    file: str | None = None
    """Any vector file with a CRS."""
    layer: Annotated[str | None, Field(exclude_if=is_none)] = None
    """Layer, where the file has several."""
    encoding: Annotated[str | None, Field(exclude_if=is_none)] = None
    """Encoding of text that is not UTF-8, where the file does not say it: `cp1252`."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.bounds is None) == (self.file is None):
            raise ValueError("expected either bounds or file")
        if self.layer is not None and self.file is None:
            raise ValueError("got a layer without a file")
        if self.bounds is not None and not (self.bounds[0] != self.bounds[2] and self.bounds[1] < self.bounds[3]):
            raise ValueError("expected bounds as west, south, east, north")
        if self.bounds is not None and not all(-180 <= longitude <= 180 for longitude in self.bounds[::2]):
            raise ValueError(f"got longitudes {self.bounds[0]:g} to {self.bounds[2]:g}, expected -180 to 180")
        if self.bounds is not None and not (self.bounds[1] >= -90 and self.bounds[3] <= 90):
            raise ValueError(f"got latitudes {self.bounds[1]:g} to {self.bounds[3]:g}, expected -90 to 90")
        return self


class Provider(Section):
    """Who made, keeps or licenses a product."""

    name: str
    """Name of the provider."""
    roles: tuple[Literal["licensor", "producer", "processor", "host"], ...] = ("producer",)
    """STAC provider roles."""
    url: str | None = None
    """Link to further information."""


class Terms(Section):
    """Terms under which a product is published; they can differ between products."""

    licence: str
    """SPDX id, or `proprietary` with `licence_url`."""
    licence_url: str | None = None
    """Link to the full terms."""
    attribution: str
    """Attribution that users have to print."""
    providers: tuple[Provider, ...] = ()
    """Who made, keeps or licenses it."""
    source: str | None = None
    """Link to the description of the source product."""
    non_commercial: bool = False
    """Whether commercial use is excluded."""


_PATTERNS: Final[dict[str, tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]]] = {
    "item": ((("collection",), ("sample",)), ("collection", "sample")),
    "dated_item": (
        (("collection",), ("sample",), ("date", "timestep")),
        ("collection", "sample", "timestep", "date"),
    ),
    "band_asset": ((("band",),), ("band", "prefix", "timestep")),
}
"""Pattern → groups of fields of which it needs one each, and all allowed fields."""


class SamplerSection(Section):
    """How samples are placed in the region; samplers add their settings."""

    scheme: ClassVar[str]
    """Identity scheme of the samples."""

    if TYPE_CHECKING:
        draw: str


class ProductSection(Section):
    """A product of a recipe; kinds add their settings, each in its own order."""

    if TYPE_CHECKING:
        terms: Terms
        period: PeriodSection | None


class StacSection(Section):
    """How much of the catalogue is written, and how its items and assets are named.

    Patterns can contain `{collection}`, `{sample}`, `{timestep}` as in file names, `{date}` (the same without hyphens),
    and the product's `{prefix}` and `{band}`. An absent pattern defaults to that of the identity scheme.
    """

    json_items: bool = True
    """Whether JSON items and stac-geoparquet with all assets are written; if not, slim stac-geoparquet."""
    item: str | None = None
    """Id of an item with all timesteps, or without any: `{collection}_{sample}`."""
    dated_item: str | None = None
    """Id of an item of one timestep: `{collection}_{sample}_{date}` for granules."""
    band_asset: str | None = None
    """Asset key of a band that is a file of its own: `{band}` for granules."""
    label_link: Annotated[str, Field(pattern=r"^[a-z][a-z_-]*$")] | None = None
    """Link relation from a label item to the imagery of its sample: `source` for granules."""

    @field_validator("item", "dated_item", "band_asset")
    @classmethod
    def _distinct(cls, pattern: str | None, read: ValidationInfo) -> str | None:
        """Refuse patterns that give different things the same name, or contain unknown fields."""
        needed, known = _PATTERNS[str(read.field_name)]
        if pattern is None:
            return None
        try:
            fields = [name for _, name, _, _ in Formatter().parse(pattern) if name is not None]
        except ValueError as error:
            raise ValueError(
                f"got {pattern!r}, expected a pattern such as {{collection}}_{{sample}}: {error}"
            ) from error
        unknown = [name for name in fields if name not in known]
        missing = [" or ".join(names) for names in needed if not set(names) & set(fields)]
        if unknown or missing:
            wanted = ", ".join(f"{{{name}}}" for name in known)
            told = f"with {' and '.join(missing)}, " if missing else ""
            raise ValueError(f"got {pattern!r}, expected a pattern {told}out of {wanted}")
        return pattern

    @property
    def names(self) -> dict[str, str]:
        """Patterns that differ from those of the scheme."""
        return self.model_dump(exclude={"json_items"}, exclude_none=True)


class Publication(Section):
    """Texts of the card, the catalogue and the citation."""

    title: str
    """Heading of card and catalogue."""
    description: str
    """Description of the corpus in a sentence or two."""
    authors: tuple[str, ...] = ()
    """`Family, Given`."""
    year: int | None = None
    """Of publication."""
    publisher: str | None = None
    """Who publishes it."""
    doi: str | None = None
    """Without `https://doi.org/`."""
    citation: str | None = None
    """Sentence to cite; generated from the other fields if absent."""
    funding: str | None = None
    """Funding statement, as it has to be printed."""
    contact: str | None = None
    """Contact address."""
    documentation: str | None = None
    """Address of its documentation, linked from card and catalogue."""
    tutorial: str | None = None
    """Address of its tutorial, linked from card and catalogue."""
    keywords: tuple[str, ...] = ()
    """Keywords for search."""
