"""A recipe: everything that decides what a corpus will hold, in one YAML file.

Relative paths in a recipe are meant from the folder that it lies in. Every mistake is reported at once, each with its
path in the file and what was expected. Sections stand in `recipe_places` and `recipe_products`; this is their door.
"""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from landloom.errors import Problem, RecipeError, nearest
from landloom.model.product import PRODUCTS
from landloom.model.recipe.document import read_document
from landloom.model.recipe.places import (
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
    season_misfits,
)
from landloom.model.recipe.problems import InconsistentError, recipe_problems
from landloom.model.recipe.products import (
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
    from collections.abc import Iterator, Mapping
    from pathlib import Path

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


_PATTERNS: Final[dict[str, tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]]] = {
    "item": ((("collection",), ("sample",)), ("collection", "sample")),
    "dated_item": (
        (("collection",), ("sample",), ("date", "timestep")), ("collection", "sample", "timestep", "date"),
    ),
    "band_asset": ((("band",),), ("band", "prefix", "timestep")),
}  # fmt: skip
"""Pattern → fields that it must have, one of each, and all that it may have."""


class StacSection(Section):
    """How much of the catalogue is written, and how its items and assets are named.

    Patterns know `{collection}`, `{sample}`, `{timestep}` as in file names, `{date}` (the same without hyphens), and of
    the product `{prefix}` and `{band}`; those that are absent are the scheme's own.
    """

    json_items: bool = True
    """The whole JSON tree; slim stac-geoparquet is always written."""
    item: str | None = None
    """Id of an item that holds all timesteps, or none: `{collection}_{sample}`."""
    dated_item: str | None = None
    """Id of an item of one timestep: `{collection}_{sample}_{date}` of granules."""
    band_asset: str | None = None
    """Asset key of a band, where every band is a file of its own: `{band}` of granules."""
    label_link: Annotated[str, Field(pattern=r"^[a-z][a-z_-]*$")] | None = None
    """Relation from a label item to the imagery of its place: `source` of granules."""

    @field_validator("item", "dated_item", "band_asset")
    @classmethod
    def _distinct(cls, pattern: str | None, read: ValidationInfo) -> str | None:
        """Refuse patterns that say the same of different things, or name what there is not."""
        needed, known = _PATTERNS[str(read.field_name)]
        if pattern is None:
            return None
        try:
            fields = [name for _, name, _, _ in Formatter().parse(pattern) if name is not None]
        except ValueError as error:
            raise ValueError(f"got {pattern!r}, wanted a pattern such as {{collection}}_{{sample}}: {error}") from error
        unknown = [name for name in fields if name not in known]
        missing = [" or ".join(names) for names in needed if not set(names) & set(fields)]
        if unknown or missing:
            wanted = ", ".join(f"{{{name}}}" for name in known)
            told = f"with {' and '.join(missing)}, " if missing else ""
            raise ValueError(f"got {pattern!r}, wanted a pattern {told}out of {wanted}")
        return pattern

    @property
    def names(self) -> dict[str, str]:
        """Patterns that are not the scheme's own."""
        return self.model_dump(exclude={"json_items"}, exclude_none=True)


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
    stac: Annotated[StacSection, Field(validate_default=True)] = StacSection()
    """How much of the catalogue is written."""
    splits: dict[Name, Share] = {}
    """Name → share of the tiles; whole tiles or granules go to one split."""
    publication: Publication
    """What the card, the catalogue and the citation say."""

    @field_validator("products")
    @classmethod
    def _known_products(cls, products: dict[str, Any]) -> dict[str, Any]:
        named = (key for key, one in products.items() if isinstance(one, CompositeProduct | ExternalProduct))
        unknown = [key for key in named if key not in PRODUCTS or PRODUCTS[key].kind not in {"imagery", "quality"}]
        imagery = [key for key, row in PRODUCTS.items() if row.kind in {"imagery", "quality"}]
        problems = [
            Problem(where=f"products.{key}", what=f"no such product; nearest: {', '.join(nearest(key, imagery))}")
            for key in unknown
        ]
        if problems:
            raise InconsistentError(problems)
        return products

    @field_validator("layouts")
    @classmethod
    def _distinct(cls, layouts: tuple[str, ...]) -> tuple[str, ...]:
        if not layouts or len(set(layouts)) != len(layouts):
            raise ValueError("wanted chips, cubes or both")
        return layouts

    @field_validator("splits")
    @classmethod
    def _whole(cls, splits: dict[str, float]) -> dict[str, float]:
        if splits and abs(sum(splits.values()) - 1) > 1e-9:
            raise ValueError(f"got shares that sum to {sum(splits.values()):g}, wanted 1")
        return splits

    @field_validator("stac")
    @classmethod
    def _consistent(cls, stac: StacSection, read: ValidationInfo) -> StacSection:
        """Sections that hang together: asked of a field that comes after them, for mistakes elsewhere to hide none."""
        problems = list(_misfits(read.data))
        if problems:
            raise InconsistentError(problems)
        return stac

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
            raise RecipeError(subject, recipe_problems(error, cls)) from error

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a YAML file.

        Raises:
            RecipeError: no such file, no YAML, or a recipe with problems.
        """
        document, twice = read_document(path)
        try:
            recipe = cls.parse(document, str(path))
        except RecipeError as error:
            raise RecipeError(str(path), [*twice, *error.problems]) from error
        if twice:
            raise RecipeError(str(path), twice)
        return recipe

    def document(self) -> dict[str, Any]:
        """The whole recipe as plain JSON values, defaults spelled out."""
        return self.model_dump(mode="json")


def _misfits(read: Mapping[str, Any]) -> Iterator[Problem]:
    """What does not fit together, out of the sections that could be read."""
    samples, labels, products = read.get("samples"), read.get("labels"), read.get("products")
    if isinstance(samples, AreaClassDraw) and labels is not None and samples.labels not in labels:
        yield Problem(where="samples.labels", what=f"got {samples.labels!r}, wanted one of {sorted(labels)}")
    wants = isinstance(samples, ParcelWindows) or getattr(samples, "labelled", None) is not None
    if wants and read.get("parcels", "unreadable") is None:
        yield Problem(where="parcels", what="missing, wanted them for samples that lie where parcels are")
    granular = [key for key, one in (products or {}).items() if isinstance(one, GranuleSeries)]
    if samples is not None and products is not None:
        fits = bool(granular) == isinstance(samples, GranuleChips) and not (granular and len(products) > 1)
        if not fits:
            yield Problem(
                where="products", what="wanted one granule-series for samples of granules, and none for others"
            )
    if read.get("guess") is not None and products is not None and not granular:
        yield Problem(where="guess", what="wanted samples of granules")
    yield from _unsupported(samples, products or {}, read)
    yield from season_misfits(samples, read.get("parcels"), read.get("period"))


def _unsupported(samples: object, products: Mapping[str, Any], read: Mapping[str, Any]) -> Iterator[Problem]:
    """Sections that would be ignored: what is not made of such samples, and a second series of the same products."""
    if isinstance(samples, GranuleChips):
        for name in read.get("labels") or {}:
            yield Problem(where=f"labels.{name}", what="class fractions are not made of samples of granules: remove it")
    if read.get("parcels") is not None and samples is not None and not isinstance(samples, WindowGrid | ParcelWindows):
        yield Problem(where="parcels", what="label rasters need samples drawn as windows or parcels")
    for key in [key for key, one in products.items() if isinstance(one, SeriesProduct)][1:]:
        yield Problem(where=f"products.{key}", what="a recipe makes one series: its products are there already")
