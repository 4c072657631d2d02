"""Sources of labels in a recipe; the sections of products define what is published from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import Field, field_validator

from landloom.errors import NotFoundError
from landloom.model.recipe.sections import Section, is_none
from landloom.model.taxonomy import taxonomies

if TYPE_CHECKING:
    from collections.abc import Mapping


def known_taxonomy(name: str) -> str:
    """Refuse an unknown taxonomy.

    Raises:
        ValueError: no such taxonomy; the message suggests near names.
    """
    if name not in taxonomies():
        raise ValueError(str(NotFoundError.of("taxonomy", name, taxonomies())))
    return name


class LabelSource(Section):
    """A vector file or raster of codes that class fractions are computed from."""

    taxonomy: str
    """Name of a taxonomy: `clc`, …"""
    file: str
    """Vector file, or a raster of codes."""
    column: str | None = None
    """Column of the code; absent for rasters."""
    layer: str | None = None
    """Layer, where the file has several."""
    encoding: Annotated[str | None, Field(exclude_if=is_none)] = None
    """Encoding of text that is not UTF-8, where the file does not say it: `cp1252`."""
    invalid: Literal["error", "repair"] = "error"
    """Handling of invalid geometries: the build stops and names their rows, or they are repaired and noted."""
    allow_empty: bool = False
    """Whether the source may have no label for any sample; usually that is a mistake."""

    _named = field_validator("taxonomy")(known_taxonomy)


class ParcelSource(Section):
    """A vector file of parcels with their ground truth."""

    file: str
    """GeoPackage, GeoParquet, shapefile, GeoJSON, or a CSV with WKT."""
    layer: str | None = None
    """Layer, where the file has several."""
    epsg: int | None = None
    """CRS of a file without one."""
    encoding: Annotated[str | None, Field(exclude_if=is_none)] = None
    """Encoding of text that is not UTF-8, where the file does not say it: `cp1252`."""
    columns: dict[Literal["id", "ground_truth", "crs", "year", "valid_from", "valid_to", "geometry"], str] = {}
    """Role → column, if the names differ; `geometry` for CSV and GeoParquet."""
    classes: dict[str | int, int] | str | None = None
    """Value → code, or a file with this mapping; several values may share a code. If absent, text values get 1, 2, … in
    sorted order."""
    unmapped: Literal["error", "unknown", "background", "ignore"] = "error"
    """Handling of values that `classes` does not name."""
    codes: dict[Literal["background", "ignore", "unknown"], int] = {}
    """Codes that replace the defaults."""
    year: int | None = None
    """Only parcels of this year, if a column gives it; if absent, of the recipe's period."""
    invalid: Literal["reject", "repair"] = "reject"
    """Handling of invalid geometries."""
    regression: bool = False
    """Whether the ground truth is a numeric target instead of a class."""
    resolution: Annotated[float, Field(gt=0)] = 10.0
    """Pixel size in metres; finer than the imagery for super-resolution."""

    @field_validator("resolution")
    @classmethod
    def _nests(cls, metres: float) -> float:
        if not any(abs(n - round(n)) < 1e-9 for n in (10 / metres, metres / 10)):
            raise ValueError("expected metres that divide or multiply 10, such as 2.5")
        return metres


class ClassMapSource(Section):
    """A raster of codes of one taxonomy that is translated into another."""

    file: str
    """A raster of codes."""
    taxonomy: str = "globeland30"
    """Taxonomy of its codes; there must be a crosswalk to `landcovernet`."""
    crosswalk: dict[str, str] = {}
    """Code → LandCoverNet class; overrides rows of landloom's crosswalk."""

    _named = field_validator("taxonomy")(known_taxonomy)


Source = TypeVar("Source", LabelSource, ParcelSource, ClassMapSource)


def find_sources(sections: Mapping[str, Any], kind: type[Source]) -> dict[str, Source]:
    """Sources of labels among the sections of a recipe, of all products.

    Args:
        sections: key of the recipe → section.
        kind: of the sources.

    Returns:
        Path in the recipe, `labels.clc` or `parcels` → source.

    Example:
        >>> sorted(find_sources({"labels": {"clc": LabelSource(taxonomy="clc", file="a.tif")}, "x": 1}, LabelSource))
        ['labels.clc']
    """
    found = {key: one for key, one in sections.items() if isinstance(one, kind)}
    for key, held in sections.items():
        if isinstance(held, dict):
            found |= {f"{key}.{name}": one for name, one in held.items() if isinstance(one, kind)}
    return found


class Sections(dict[str, Any]):
    """Key → section, for the sections of a recipe that are valid by themselves."""

    unread_products: bool = False
    """Whether some product sections are invalid and left out; what they would define is not reported as missing."""

    def lacks(self, kind: type[Source]) -> bool:
        """Whether the recipe certainly lacks label sources of a kind."""
        return not self.unread_products and not find_sources(self, kind)
