"""Classes of a target: which stored code or column is which class, at a level or through a crosswalk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from landloom.errors import InvalidInputError, NotFoundError
from landloom.model.crosswalk import crosswalk
from landloom.model.taxonomy import taxonomy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.model.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassTable:
    """The classes of a target, and what each stored code means."""

    names: tuple[str, ...]
    """Names of the classes: columns such as `clc_311`, or values of a class mapping."""
    codes: Mapping[int, int]
    """Stored code in a raster → class, −1 for no label."""
    columns: tuple[int, ...] = ()
    """Class of each finest class of a taxonomy, −1 for no label; in the order of its codes."""

    @classmethod
    def of(
        cls,
        info: CorpusInfo,
        item: ProductInfo,
        *,
        level: int | None = None,
        walk: str | None = None,
        background: bool = False,
    ) -> Self:
        """The classes of a label product.

        Args:
            info: the corpus.
            item: the product.
            level: level of its taxonomy, 1 is the coarsest; by default the finest.
            walk: taxonomy to which a crosswalk leads.
            background: whether pixels that no parcel covers are a class of their own.

        Raises:
            InvalidInputError: the product has no classes, or classes without levels.
            NotFoundError: no such level or crosswalk.
        """
        own = item.taxonomy
        if own is None:
            return cls._of_mapping(info, item, leveled=level is not None or walk is not None, background=background)
        target, codes = _targets(info, own, level, walk)
        known = [code for code in target.codes(level) if code != _nodata(target, level)]
        place = {code: number for number, code in enumerate(known)}
        classes = {code: place.get(codes[code], -1) for code in own.codes()}
        return cls(
            names=tuple(target.column(code) for code in known),
            codes={value: classes[code] for value, code in own.raster_codes.items()},
            columns=tuple(classes[code] for code in own.codes()),
        )

    @classmethod
    def _of_mapping(cls, info: CorpusInfo, item: ProductInfo, *, leveled: bool, background: bool) -> Self:
        rows = info.class_mappings.get(item.key)
        if rows is None:
            raise InvalidInputError(f"product {item.key!r} has neither a taxonomy nor a class mapping")
        if leveled:
            raise InvalidInputError(f"the classes of {item.key!r} have no levels and no crosswalk")
        names: dict[int, list[str]] = {}
        roles = {int(row["code"]): str(row.get("role", "class")) for row in rows}
        for row in rows:
            role = roles[int(row["code"])]
            if role == "class" and row.get("role", "class") == "class":
                names.setdefault(int(row["code"]), []).append(str(row["value"]))
            elif background and role == "background":
                names.setdefault(int(row["code"]), ["background"])
        order = {code: number for number, code in enumerate(sorted(names))}
        return cls(
            names=tuple(" / ".join(sorted(names[code])) for code in sorted(names)),
            codes={code: order.get(code, -1) for code in roles},
        )

    def apply(self, raster: NDArray[Any], nodata: float | None, name: str) -> NDArray[np.int64]:
        """Stored codes → classes, −1 for no label.

        Raises:
            InvalidInputError: codes that stand for no class; the raster is named.
        """
        values, places = np.unique(raster, return_inverse=True)
        table = np.empty(len(values), np.int64)
        for number, value in enumerate(values.tolist()):
            if nodata is not None and value == nodata:
                table[number] = self.codes.get(int(value), -1)
            elif int(value) not in self.codes:
                raise InvalidInputError(f"{name}: got code {value}, which is no class; expected {sorted(self.codes)}")
            else:
                table[number] = self.codes[int(value)]
        classes: NDArray[np.int64] = table[places].reshape(raster.shape)
        return classes

    def summed(self, shares: NDArray[np.integer]) -> NDArray[np.int64]:
        """(sample, finest class) → (sample, class); the shares of no label are left out."""
        result = np.zeros((len(shares), len(self.names)), np.int64)
        for column, place in enumerate(self.columns):
            if place >= 0:
                result[:, place] += shares[:, column]
        return result


def _nodata(target: Taxonomy, level: int | None) -> str:
    """Code of no label at a level."""
    if level is None or level == target.levels:
        return target.nodata
    return target.land_class(target.nodata).parents[level - 1]


def _targets(info: CorpusInfo, own: Taxonomy, level: int | None, walk: str | None) -> tuple[Taxonomy, dict[str, str]]:
    """The taxonomy of the target, and each finest code → code there, at the level."""
    target, mapping = own, {code: code for code in own.codes()}
    if walk is not None:
        found = next((one for one in info.crosswalks if (one.source.name, one.target.name) == (own.name, walk)), None)
        if found is None:
            try:
                found = crosswalk(f"{own.name}_{walk}")
            except NotFoundError as error:
                raise NotFoundError(f"no crosswalk from {own.name} to {walk!r}") from error
        target, mapping = taxonomy(walk) if found.target.name != walk else found.target, dict(found.mapping)
    if level is not None and level != target.levels:
        target.codes(level)  # refuses a level that there is not
        parents = {item.code: item.parents[level - 1] for item in target.classes}
        mapping = {code: parents[goal] for code, goal in mapping.items()}
    return target, mapping


def one_of(names: Sequence[str]) -> str:
    """For messages: the names, or that there are none."""
    return ", ".join(names) or "none"
