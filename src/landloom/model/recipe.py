"""A recipe: everything that decides what a corpus will hold, in one YAML file.

Relative paths in a recipe are meant from the folder that it lies in. Every mistake is reported at once, each with its
path in the file and what was expected. Sections stand in `recipe_places` and `recipe_products`; this is their door.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from landloom.errors import Problem, RecipeError
from landloom.model.recipe_places import (
    AllCells,
    AreaClassDraw,
    GranuleChips,
    ListedCells,
    Name,
    ParcelWindows,
    PeriodSection,
    RegionSection,
    Samples,
    Section,
    Share,
    VectorSource,
    WindowGrid,
)
from landloom.model.recipe_products import (
    ArchiveSection,
    CompositeProduct,
    ExternalProduct,
    FetchSection,
    GranuleSeries,
    GuessSection,
    LabelSection,
    ParcelsSection,
    ProductSection,
    Provider,
    ScenesSection,
    SeriesProduct,
    Terms,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "AllCells",
    "ArchiveSection",
    "AreaClassDraw",
    "CompositeProduct",
    "ExternalProduct",
    "FetchSection",
    "GranuleChips",
    "GranuleSeries",
    "GuessSection",
    "LabelSection",
    "ListedCells",
    "ParcelWindows",
    "ParcelsSection",
    "PeriodSection",
    "ProductSection",
    "Provider",
    "Publication",
    "Recipe",
    "RegionSection",
    "Samples",
    "ScenesSection",
    "Section",
    "SeriesProduct",
    "StacSection",
    "Terms",
    "VectorSource",
    "WindowGrid",
]


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
    guess: GuessSection | None = None
    """Guess labels of granules' chips."""
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
        granular = [key for key, one in self.products.items() if isinstance(one, GranuleSeries)]
        if bool(granular) != isinstance(self.samples, GranuleChips) or (granular and len(self.products) > 1):
            raise ValueError("products: wanted one granule-series for samples of granules, and none for others")
        if self.guess is not None and not granular:
            raise ValueError("guess: wanted samples of granules")
        if not self.layouts or len(set(self.layouts)) != len(self.layouts):
            raise ValueError("layouts: wanted chips, cubes or both")
        return self

    @property
    def scheme(self) -> str:
        """The identity scheme of its samples."""
        if isinstance(self.samples, GranuleChips):
            return "granule"
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
        except UnicodeDecodeError as error:
            raise RecipeError(str(path), [Problem(where="", what="is no UTF-8 text")]) from error
        except yaml.YAMLError as error:
            raise RecipeError(str(path), [Problem(where="", what=f"is no YAML: {error}")]) from error
        if not isinstance(document, dict):
            raise RecipeError(str(path), [Problem(where="", what="wanted a mapping of keys to values")])
        return cls.parse(document, str(path))

    def document(self) -> dict[str, Any]:
        """The whole recipe as plain JSON values, defaults spelled out."""
        return self.model_dump(mode="json")


def _problems(error: ValidationError) -> Iterable[Problem]:
    tags = {"area-class", "all", "list", "windows", "composite", "external", "series", "granules", "granule-series"}
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
