"""Guesses of chips: class codes, and how probable it is that each of them is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from landloom.annotate.tasks.order import error_of_confidence, error_of_probabilities
from landloom.errors import InvalidInputError, NotFoundError
from landloom.pipelines.annotation.classes import Classes, classes_of_mapping, classes_of_taxonomy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.query.corpus import Corpus

_CLASS: Final = ("class", "classes")
"""Names of the band with the class."""
_CONFIDENCE: Final = "confidence"
_PROBABILITIES: Final = "{}_probabilities"
_FULL: Final = 10_000
"""Stored value of a probability of 1."""
_EDGE, _INSIDE = 0.3, 0.1
"""Assumed share of wrong pixels at the edge of an object and inside of it, where a guess says nothing about itself."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChipGuess:
    """The guess of one chip."""

    codes: NDArray[np.uint8]
    """(y, x) codes of the campaign; 0 where unlabelled."""
    error: NDArray[np.float64]
    """(y, x) probability that the guess is wrong."""
    probabilities: NDArray[np.float64] | None = None
    """(class, y, x) in the order of the campaign's classes; None where they are not known."""
    unknown: int = 0
    """Pixels whose value is no class."""


class GuessReader(Protocol):
    """Reads the guess of a chip."""

    def read(self, chip: str) -> ChipGuess | None:
        """The guess of a chip; None if it has none."""
        ...


def guess_product(info: CorpusInfo, key: str | None = None) -> ProductInfo | None:
    """The label raster of a corpus that serves as the guess.

    Args:
        info: the corpus.
        key: of the product; by default the product `guess`, or else the first label raster with a taxonomy.

    Returns:
        None if the corpus has none.

    Raises:
        NotFoundError: no such product.
        InvalidInputError: it holds no classes.
    """
    rasters = [one for one in info.products if one.product.kind == "raster-labels" and _is_class(one)]
    if key is not None:
        found = info.product(key)
        if found not in rasters:
            raise InvalidInputError(f"{info.name}: got product {key!r} as the guess, expected a raster of classes")
        return found
    named = [one for one in rasters if one.taxonomy is not None]
    return next((one for one in named if one.key == "guess"), named[0] if named else None)


def _is_class(item: ProductInfo) -> bool:
    bands = item.product.bands
    return bool(bands) and bands[0].name in _CLASS and np.dtype(item.product.dtype).kind in "ui"


def guess_classes(info: CorpusInfo, item: ProductInfo, level: int | None = None) -> Classes:
    """The classes of a guess, from its taxonomy or from the class mapping of the corpus.

    Raises:
        InvalidInputError: it has neither, or a class mapping, which has no levels, and a level is wanted.
    """
    if item.taxonomy is not None:
        return classes_of_taxonomy(item.taxonomy, level)
    rows = info.class_mappings.get(item.key)
    if rows is None:
        raise InvalidInputError(f"{info.name}: got product {item.key!r} without a taxonomy, expected one with classes")
    if level is not None:
        raise InvalidInputError(f"{info.name}: got level {level} of {item.key!r}, whose classes have no levels")
    return classes_of_mapping(item.key, rows)


@dataclass(frozen=True, kw_only=True)
class CorpusGuess:
    """Reads guesses from a label raster of a corpus."""

    corpus: Corpus
    item: ProductInfo
    """The product."""
    classes: Classes
    """Of the campaign."""

    @cached_property
    def _bands(self) -> list[str]:
        return [band.name for band in self.item.product.bands]

    def read(self, chip: str) -> ChipGuess | None:
        """See `GuessReader`."""
        selection = self.corpus.select(chip)
        cube = selection.cube(chip, self.item.key)
        if not cube["observed"].to_numpy().all():
            return None
        layers = np.asarray(cube)[0]
        codes, unknown = self.classes.apply(layers[0])
        probabilities = self._probabilities(chip)
        if probabilities is not None:
            error = error_of_probabilities(probabilities)
        elif _CONFIDENCE in self._bands:
            error = error_of_confidence(np.minimum(layers[self._bands.index(_CONFIDENCE)] / 100, 1.0))
        else:
            error = edge_error(codes)
        return ChipGuess(codes=codes, error=error, probabilities=probabilities, unknown=unknown)

    def _probabilities(self, chip: str) -> NDArray[np.float64] | None:
        """(class, y, x) in the order of the campaign's classes."""
        key = _PROBABILITIES.format(self.item.key)
        if key not in self.corpus.products:
            return None
        cube = self.corpus.select(chip).cube(chip, key)
        if not cube["observed"].to_numpy().all():
            return None
        place = {one.code: number for number, one in enumerate(self.classes.choices)}
        found = np.zeros((len(place), *cube.shape[-2:]))
        for number, name in enumerate(cube["band"].to_numpy().tolist()):
            value = name.rpartition("_")[2]
            code = self.classes.codes.get(int(value)) if value.isdecimal() else None
            if code is not None:
                found[place[code]] += np.asarray(cube[0, number], np.float64) / _FULL
        return found


def edge_error(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(y, x) assumed errors of a guess without confidence: more at the edges of objects than inside of them.

    Example:
        >>> edge_error(np.array([[1, 1, 1, 2]], np.uint8)).tolist()
        [[0.1, 0.1, 0.3, 0.3]]
    """
    edge = np.zeros(codes.shape, np.bool_)
    for axis in (0, 1):
        differs = np.diff(codes.astype(np.int16), axis=axis) != 0
        low = [slice(None), slice(None)]
        high = [slice(None), slice(None)]
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        edge[tuple(low)] |= differs
        edge[tuple(high)] |= differs
    return np.where(edge, _EDGE, _INSIDE)


def label_shares(corpus: Corpus, chip: str) -> dict[str, int]:
    """Column of the first label product → millionths of a chip; without classes that do not occur."""
    columns = next(iter(corpus.info.label_columns.values()), ())
    row = corpus.sidecar.rows_of_ids([chip])
    if row[0] < 0:
        raise NotFoundError(f"no sample {chip!r} in {corpus.name}")
    shares = dict(zip(corpus.sidecar.columns, corpus.sidecar.shares(row)[0].tolist(), strict=True))
    return {name: shares[name] for name in columns if shares.get(name)}
