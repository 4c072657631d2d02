"""Taxonomies of land cover; they and the crosswalks between them are tables in data files beside this module.

| name           | prefix | classes                                                                                  |
|----------------|--------|------------------------------------------------------------------------------------------|
| `clc`          | `clc`  | CORINE Land Cover: 44 classes in 3 levels and 999 NODATA (RapidAI4EO's mapping table)      |
| `landcovernet` | `lcn`  | LandCoverNet: 7 classes in 3 levels and 0 No Data (Alemohammad and Booth 2020, table 1)    |
| `igbp17`       | `igbp` | MODIS MCD12Q1 from collection 6 on, IGBP legend: 17 classes and 255 Unclassified           |
| `globeland30`  | `glc`  | GlobeLand30: 11 classes and 0 No data                                                    |
| `worldcover`   | `wc`   | ESA WorldCover: 11 classes and 0 No data                                                 |
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidValueError, NotFoundError
from landloom.model.text import nfc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.metadata import EntryPoint

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LandClass:
    """One class of land cover, at any level."""

    code: str
    """Its code in the taxonomy: `311`."""
    name: str
    """Display name: `Broad-leaved forest`."""
    parents: tuple[str, ...] = ()
    """Codes of its parent classes, coarsest first: `("3", "31")`."""

    def __post_init__(self) -> None:
        """Bring the texts into one form, whoever wrote them."""
        object.__setattr__(self, "code", nfc(self.code))
        object.__setattr__(self, "name", nfc(self.name))
        object.__setattr__(self, "parents", tuple(nfc(code) for code in self.parents))

    @property
    def level(self) -> int:
        """1 is the coarsest level."""
        return len(self.parents) + 1


@dataclass(frozen=True, kw_only=True)
class Taxonomy:
    """A hierarchy of classes; label sources and stored fractions use the finest level.

    Example:
        >>> clc = taxonomy("clc")
        >>> clc.column("311"), clc.parse_code(311.0), clc.codes(level=1)
        ('clc_311', '311', ('1', '2', '3', '4', '5', '9'))
    """

    name: str
    """`clc`."""
    prefix: str
    """Prefix of its column names: `clc`."""
    classes: tuple[LandClass, ...]
    """The finest classes including nodata, in published order."""
    groups: tuple[LandClass, ...] = ()
    """The classes of the coarser levels, coarsest level first."""
    nodata: str
    """Code of the finest class that stands for "no label"."""
    grid_codes: Mapping[int, str] = field(default_factory=dict)
    """Value in the official raster → code, if rasters do not hold the codes themselves (CLC: 1 to 44, 48)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodata", nfc(self.nodata))
        if self.nodata not in self.codes():
            raise InvalidValueError(f"got nodata {self.nodata!r}, expected a class of {self.name}")
        if len({len(item.parents) for item in self.classes}) != 1:
            raise InvalidValueError(f"the finest classes of {self.name} do not all lie on one level")
        for item in self.classes:
            for level, parent in enumerate(item.parents, 1):
                self.land_class(parent, level)

    @property
    def levels(self) -> int:
        """Number of levels; the finest has this number, the coarsest 1."""
        return self.classes[0].level

    def _at(self, level: int | None) -> tuple[LandClass, ...]:
        if level is None or level == self.levels:
            return self.classes
        if not 1 <= level < self.levels:
            raise NotFoundError.of(f"level of {self.name}", str(level), map(str, range(1, self.levels + 1)))
        return tuple(item for item in self.groups if item.level == level)

    def codes(self, level: int | None = None) -> tuple[str, ...]:
        """Codes of a level (by default the finest) including nodata, in published order.

        Raises:
            NotFoundError: no such level.
        """
        return tuple(item.code for item in self._at(level))

    def land_class(self, code: str, level: int | None = None) -> LandClass:
        """Get a class by its code.

        Raises:
            NotFoundError: no such level, or no such class on it.
        """
        found = next((item for item in self._at(level) if item.code == nfc(code)), None)
        if found is None:
            raise NotFoundError.of(f"class of {self.name}", code, self.codes(level))
        return found

    def column(self, code: str) -> str:
        """Name of a class's column: `clc_311`."""
        return f"{self.prefix}_{code}"

    def columns(self, level: int | None = None) -> tuple[str, ...]:
        """Names of the columns of a level, in the order of `codes`."""
        return tuple(self.column(code) for code in self.codes(level))

    @cached_property
    def index(self) -> dict[str, int]:
        """Code of a finest class → its index in `codes()`, the last axis of every array of fractions."""
        return {code: number for number, code in enumerate(self.codes())}

    @cached_property
    def raster_codes(self) -> dict[int, str]:
        """Value in a raster → code: the codes themselves, and grid codes if the taxonomy has them.

        Example:
            >>> taxonomy("clc").raster_codes[311], taxonomy("clc").raster_codes[23]
            ('311', '311')
        """
        return {int(code): code for code in self.codes()} | dict(self.grid_codes)

    def parse_code(self, value: object) -> str:
        """Parse a code as it occurs in label sources: text, an integer, or a float with an integer value.

        Raises:
            NotFoundError: it is not one of the finest classes.

        Example:
            >>> taxonomy("clc").parse_code(" 311 "), taxonomy("landcovernet").parse_code(np.int16(5))
            ('311', '5')
        """
        text = nfc(str(value))
        if isinstance(value, float | np.floating) and float(value).is_integer():
            text = str(int(value))
        if isinstance(value, bool | np.bool_) or text not in self.index:
            raise NotFoundError.of(f"class of {self.name}", str(value), self.codes())
        return text

    def aggregate(self, values: NDArray[Any], level: int) -> NDArray[Any]:
        """Sum over the classes of each group at a level.

        Args:
            values: (..., class) in the order of `codes()`; sums of int64 millionths stay exact.
            level: 1 to `levels`.

        Returns:
            (..., group) of the same dtype, in the order of `codes(level)`.

        Example:
            >>> clc = taxonomy("clc")
            >>> values = np.zeros(45, np.int64)
            >>> values[[clc.index["311"], clc.index["312"]]] = 400_000, 600_000
            >>> dict(zip(clc.codes(1), clc.aggregate(values, 1).tolist()))["3"]
            1000000
        """
        codes = self.codes(level)
        place = [codes.index((*item.parents, item.code)[level - 1]) for item in self.classes]
        return summed(values, place, len(codes))


def summed(values: NDArray[Any], place: Iterable[int], count: int) -> NDArray[Any]:
    """Sum the last axis into `count` groups, `place` being the group of each class; dtype and sums are kept."""
    result = np.zeros((*values.shape[:-1], count), dtype=values.dtype)
    for source, target in enumerate(place):
        result[..., target] += values[..., source]
    return result


TAXONOMIES: Final[dict[str, tuple[str, str]]] = {
    "clc": ("clc", "999"),
    "globeland30": ("glc", "0"),
    "igbp17": ("igbp", "255"),
    "landcovernet": ("lcn", "0"),
    "worldcover": ("wc", "0"),
}
"""Name → (prefix, code of nodata). A new row needs a table of the same name in `taxonomies/`."""

GROUP: Final = "landloom.taxonomies"
"""Entry points that add taxonomies: name → `Taxonomy`."""


def read_table(folder: str, name: str) -> list[dict[str, str]]:
    """Rows of a table shipped with landloom."""
    text = (files("landloom.model") / folder / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def _brought() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - most taxonomies are landloom's

    return {point.name: point for point in entry_points(group=GROUP)}


def taxonomies() -> list[str]:
    """Names of all taxonomies: those shipped with landloom and those added by other packages.

    Example:
        >>> "clc" in taxonomies()
        True
    """
    return sorted({*TAXONOMIES, *_brought()})


@cache
def taxonomy(name: str) -> Taxonomy:
    """Get a taxonomy by its name.

    Raises:
        NotFoundError: no such taxonomy.

    Example:
        >>> taxonomy("landcovernet").codes()
        ('0', '1', '2', '3', '4', '5', '6', '7')
    """
    if name not in TAXONOMIES:
        if name not in _brought():
            raise NotFoundError.of("taxonomy", name, taxonomies())
        brought: Taxonomy = _brought()[name].load()
        return brought
    prefix, nodata = TAXONOMIES[name]
    rows = read_table("taxonomies", name)
    items = [LandClass(code=row["code"], name=row["name"], parents=tuple(row["parents"].split())) for row in rows]
    finest = max(item.level for item in items)
    return Taxonomy(
        name=name,
        prefix=prefix,
        nodata=nodata,
        classes=tuple(item for item in items if item.level == finest),
        groups=tuple(item for item in items if item.level < finest),
        grid_codes={int(row["grid_code"]): row["code"] for row in rows if row["grid_code"]},
    )
