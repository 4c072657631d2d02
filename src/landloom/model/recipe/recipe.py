"""A recipe: the complete definition of a corpus, in one YAML file.

Relative paths in a recipe are relative to its folder. All problems are reported at once, each with its path in the file
and the expected value. This module does not know the available samplers and products: a registry creates the class that
reads files (`landloom.engine.kinds`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, field_validator

from landloom.errors import NotFoundError, Problem, RecipeError
from landloom.model.recipe.archives import ArchiveSection, ScenesSection
from landloom.model.recipe.document import read_document
from landloom.model.recipe.label_sections import Sections
from landloom.model.recipe.masks import Masks
from landloom.model.recipe.problems import recipe_problems
from landloom.model.recipe.sections import (
    Name,
    PeriodSection,
    ProductSection,
    Publication,
    RegionSection,
    SamplerSection,
    Section,
    Share,
    StacSection,
    is_none,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MAIN: str = "archive"
"""Name of a recipe's only archive in its short form."""


def _is_empty(value: object) -> bool:
    return not value


def _is_zstd(codec: str) -> bool:
    return codec == "zstd"


class Recipe(Section):
    """The complete definition of a corpus.

    Example:
        >>> from landloom import Recipe
        >>> try:
        ...     Recipe.parse({"name": "forests", "version": "1.0", "colour": "green"})
        ... except ValueError as error:
        ...     print(str(error).splitlines()[0])
        recipe: 7 problems
    """

    name: Name
    """Prefix of every published id."""
    version: Annotated[str, Field(pattern=r"^\d+\.\d+(\.\d+)?$")]
    """`1.0`; the major number is part of STAC ids."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of all random choices."""
    region: RegionSection
    """Where samples may lie."""
    period: PeriodSection
    """Period of the corpus; half-open."""
    samples: SamplerSection
    """How samples are placed in the region."""
    archive: Annotated[ArchiveSection | None, Field(exclude_if=is_none)] = None
    """Where scenes come from."""
    archives: Annotated[dict[Name, ArchiveSection], Field(exclude_if=_is_empty)] = {}
    """Name → archive, if products use several; replaces `archive`."""
    products: dict[str, ProductSection]
    """Key of a product → how it is made."""
    scenes: ScenesSection | None = None
    """Which scenes are used; all if absent."""
    mask: Masks = ()
    """Where usable pixels are known from, for products that do not say it themselves; of several masks, each is used
    for the sensors that have it."""
    layouts: tuple[Literal["chips", "cubes"], ...] = ("chips",)
    """`chips`: a GeoTIFF for each timestep. `cubes`: a sharded Zarr array for each tile."""
    cube_codec: Annotated[Literal["zstd", "lz4"], Field(exclude_if=_is_zstd)] = "zstd"
    """Compression of cubes: `zstd` is smaller, `lz4` is several times faster to read."""
    allow_blank: Annotated[bool, Field(exclude_if=_is_empty)] = False
    """Whether samples without any observation in a year of a product are published; else they end the build."""
    stac: StacSection = StacSection()
    """How much of the catalogue is written."""
    splits: dict[Name, Share] = {}
    """Name → share of the tiles; whole tiles or granules go to one split."""
    publication: Publication
    """Texts of the card, the catalogue and the citation."""

    order: ClassVar[tuple[str, ...]] = ()
    """Key order of documents; the order of the fields if empty."""

    @field_validator("layouts")
    @classmethod
    def _distinct(cls, layouts: tuple[str, ...]) -> tuple[str, ...]:
        if not layouts or len(set(layouts)) != len(layouts):
            raise ValueError("expected chips, cubes or both")
        return layouts

    @field_validator("splits")
    @classmethod
    def _whole(cls, splits: dict[str, float]) -> dict[str, float]:
        if splits and abs(sum(splits.values()) - 1) > 1e-9:
            raise ValueError(f"got shares that sum to {sum(splits.values()):g}, expected 1")
        return splits

    @property
    def scheme(self) -> str:
        """Identity scheme of its samples."""
        return self.samples.scheme

    def named_archives(self) -> dict[str, ArchiveSection]:
        """Name → archive; that of the short form is named `archive`."""
        return dict(self.archives) if self.archive is None else {MAIN: self.archive}

    def archive_of(self, section: object) -> str:
        """Name of the archive that supplies a product's scenes: the one it names, else the only one.

        Raises:
            NotFoundError: it names an unknown archive, or none although there are several.
        """
        known, own = self.named_archives(), getattr(section, "archive", None)
        if own is None and len(known) == 1:
            return next(iter(known))
        if own not in known:
            raise NotFoundError.of("archive", str(own), known)
        return str(own)

    @classmethod
    def misfits(cls, read: Sections) -> Iterable[Problem]:
        """Inconsistencies between the sections that could be read; registries add more."""
        if "archive" in read and "archives" in read and (read["archive"] is None) == (not read["archives"]):
            yield Problem(where="archive", what="expected either archive or archives")
        if read.get("cube_codec", "zstd") != "zstd" and "cubes" not in read.get("layouts", ("cubes",)):
            yield Problem(where="cube_codec", what="got a codec of cubes, but layouts lists no cubes")

    @classmethod
    def parse(cls, document: Mapping[str, Any], subject: str = "recipe") -> Self:
        """Validate a parsed document.

        Raises:
            RecipeError: lists every problem with its path in the file.
        """
        try:
            recipe = cls.model_validate(document)
        except ValidationError as error:
            problems = [*recipe_problems(error, cls), *cls.misfits(cls._readable(document))]
            raise RecipeError(subject, list(dict.fromkeys(problems))) from error
        problems = list(cls.misfits(Sections(recipe)))
        if not problems:
            recipe = recipe.completed()
            problems = list(recipe.conflicts())
        if problems:
            raise RecipeError(subject, problems)
        return recipe

    def completed(self) -> Self:
        """The recipe with explicit values for defaults that depend on other sections."""
        return self

    def conflicts(self) -> Iterable[Problem]:
        """Products that two of its sections would publish."""
        return ()

    @classmethod
    def _readable(cls, document: Mapping[str, Any]) -> Sections:
        """Key → section, for the sections that are valid by themselves."""
        read = Sections()
        for name, field in cls.model_fields.items():
            if name not in document and field.is_required():
                continue
            try:
                given = document[name] if name in document else field.get_default(call_default_factory=True)
                adapter: TypeAdapter[Any] = TypeAdapter(Annotated[field.annotation, field])  # type: ignore[arg-type]
                read[name] = adapter.validate_python(given)
            except ValidationError:
                read.unread_products |= name == "products" or name not in Recipe.model_fields
        return read

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a YAML file.

        Raises:
            RecipeError: no such file, not YAML, or a recipe with problems.
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
        """The whole recipe as plain JSON values, including defaults."""
        values = self.model_dump(mode="json")
        return {key: values[key] for key in self.order or values if key in values}
