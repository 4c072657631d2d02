"""Statistics of the training part of a corpus: `splits/NAME.statistics.json`, beside the split set.

Of each product, for each timestep (or calendar month, where samples have dates of their own) and for all together, and
for each band: count, mean, standard deviation, extremes, percentiles and a histogram of the valid pixels.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.corpus.split_set import FOLDER, split_set_key
from landloom.errors import InvalidDocumentError, NotFoundError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

ENDING: Final = ".statistics.json"
_OF_RECIPE: Final = "recipe.splits"
"""In place of the name of a split set, which has no dot."""
ALL: Final = "all"
"""Group of all timesteps together."""
TRAINING: Final = ("train",)
"""The usual training part."""
PERCENTILES: Final = (1, 2, 5, 25, 50, 75, 95, 98, 99)


def statistics_key(split_set: str | None, splits: Sequence[str] = TRAINING) -> str:
    """Path of statistics in a corpus.

    Args:
        split_set: name; None for the splits of the corpus's recipe, or a corpus without any.
        splits: of the training part.

    Example:
        >>> statistics_key("blocks-3000"), statistics_key("folds", ["fold2", "fold1"])
        ('splits/blocks-3000.statistics.json', 'splits/folds.fold1+fold2.statistics.json')
    """
    part = "" if tuple(splits) == TRAINING or not splits else "." + "+".join(sorted(splits))
    if split_set is None:
        return f"{FOLDER}/{_OF_RECIPE}{part}{ENDING}"
    return f"{split_set_key(split_set).removesuffix('.parquet')}{part}{ENDING}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BandStatistics:
    """Valid pixels of a band at the timesteps of a group, in the unit of the product."""

    count: int
    """Valid pixels, each timestep by itself."""
    mean: float | None
    """None without valid pixels; so are the next."""
    std: float | None
    """Standard deviation of the population."""
    minimum: float | None
    maximum: float | None
    percentiles: tuple[float, ...]
    """At `PERCENTILES`; empty without valid pixels."""
    edges: tuple[float, ...]
    """Of the bins of the histogram, ascending."""
    counts: tuple[int, ...]
    """Pixels in each bin, which includes its lower edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductStatistics:
    """Statistics of a product."""

    unit: str
    """`reflectance`, or `stored`: the numbers in its files."""
    bands: tuple[str, ...]
    error: str
    """Largest error of a percentile, in words: half a bin."""
    groups: Mapping[str, tuple[BandStatistics, ...]]
    """Timestep, or calendar month, or `all` → band."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitStatistics:
    """Statistics of one part of a corpus."""

    samples: str
    """Digest of the ids of the corpus, by `samples_digest`."""
    split_set: str | None
    """Name of the split set; None for the splits of the recipe."""
    split_digest: str | None
    """Digest of the split set."""
    splits: tuple[str, ...]
    """Splits of the part; empty if it is the whole corpus, which has no splits."""
    count: int
    """Number of samples of the part."""
    products: Mapping[str, ProductStatistics]

    @property
    def digest(self) -> str:
        """SHA-256 of the content: what a model that was normalised by it cites."""
        return hashlib.sha256(_json(asdict(self)).encode()).hexdigest()

    def moments(self, product: str, bands: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(band,) means and (band,) standard deviations over all timesteps; NaN without valid pixels.

        Raises:
            NotFoundError: no statistics of such a product or band.
        """
        if product not in self.products:
            raise NotFoundError.of("product in the statistics", product, self.products)
        own = self.products[product]
        for band in bands:
            if band not in own.bands:
                raise NotFoundError.of(f"band in the statistics of {product}", band, own.bands)
        found = [own.groups[ALL][own.bands.index(band)] for band in bands]
        mean, deviation = (
            [np.nan if one is None else one for one in values]
            for values in ([one.mean for one in found], [one.std for one in found])
        )
        return np.array(mean), np.array(deviation)

    def without(self, products: Sequence[str]) -> Self:
        """The same without some products."""
        return replace(self, products={key: own for key, own in self.products.items() if key not in products})

    def encoded(self) -> bytes:
        """As a JSON document."""
        return f"{_json({**asdict(self), 'digest': self.digest})}\n".encode()

    @classmethod
    def decoded(cls, data: bytes, name: str) -> Self:
        """Read the document.

        Args:
            data: its bytes.
            name: of the file, for errors.

        Raises:
            InvalidDocumentError: no statistics, or its digest is not that of its content.
        """
        try:
            document = json.loads(data)
            digest = document.pop("digest")
            products = {key: _product(own) for key, own in document.pop("products").items()}
            found = cls(**{**document, "splits": tuple(document["splits"])}, products=products)
            own = found.digest
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            problem = Problem(where=name, what=f"cannot be read as statistics of a split: {error}")
            raise InvalidDocumentError(name, [problem]) from error
        if digest != own:
            problem = Problem(where=name, what=f"got digest {digest}, expected {own}, that of its content")
            raise InvalidDocumentError(name, [problem])
        return found


def _json(document: Any) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _product(document: Mapping[str, Any]) -> ProductStatistics:
    def band(own: Mapping[str, Any]) -> BandStatistics:
        values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in own.items()}
        return BandStatistics(**values)

    groups = {name: tuple(band(own) for own in rows) for name, rows in document["groups"].items()}
    return ProductStatistics(**{**document, "bands": tuple(document["bands"]), "groups": groups})
