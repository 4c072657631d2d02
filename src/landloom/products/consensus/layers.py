"""Layers of a consensus: the products that they are in a corpus, and the rasters of a chip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.info import ProductInfo
from landloom.formats.chip_tags import classes_of
from landloom.formats.geotiff import encode_geotiff
from landloom.model.product import Product
from landloom.model.rendering.known import PERCENT, PROBABILITY, VOTES
from landloom.model.rendering.palettes import named_rendering
from landloom.model.sensor import Band

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.annotate.consensus.result import Consensus
    from landloom.annotate.tasks.values import ClassChoice, TaskWindow
    from landloom.model.grid import Grid
    from landloom.model.recipe import Terms
    from landloom.model.rendering.values import Categorical, Rendering
    from landloom.model.taxonomy import Taxonomy
    from landloom.model.time import Period

NAME: Final = "consensus"
"""Start of the keys of all its products."""
SCALE: Final = 10_000
"""Stored number of a probability of 1."""
LAYERS: Final = ("", "posterior", "votes", "entropy", "published")
"""Ends of the keys of its products."""
DECIDED: Final = 100
"""Confidence in percent of a label that a reviewer decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerNames:
    """Where the products of one label version are in a corpus."""

    collection: str
    """STAC collection; also the key of the main product."""
    version: str
    """Label version, part of the file names."""
    method: str
    """Method with its version."""

    def key(self, layer: str) -> str:
        """Key of a product."""
        return f"{self.collection}_{layer}" if layer else self.collection


def layer_products(
    names: LayerNames,
    classes: Sequence[ClassChoice],
    terms: Terms,
    *,
    resolution: float,
    period: Period | None,
    taxonomy: Taxonomy | None,
) -> tuple[ProductInfo, ...]:
    """The products of a consensus.

    Args:
        names: keys and version.
        classes: of the labels.
        terms: licence and attribution.
        resolution: of a pixel in metres.
        period: that the labels are about.
        taxonomy: of the labels, if their codes are its own.
    """
    words = "Entropy in percent of the largest possible"
    entropy = Band(name="entropy", description=words, resolution=resolution, rendering=PERCENT)
    shown = _rendering(classes)
    rows: dict[str, tuple[str, str, tuple[Band, ...]]] = {
        "": ("Consensus labels", "uint8", _pair("Most probable class", resolution, shown)),
        "posterior": (
            "Probabilities of the consensus",
            "uint16",
            _bands(classes, "class", f"{SCALE:,} × probability of", resolution, PROBABILITY),
        ),
        "votes": (
            "Annotators who chose each class",
            "uint8",
            _bands(classes, "votes", "Annotators who chose", resolution, VOTES),
        ),
        "entropy": ("Entropy of the consensus", "uint8", (entropy,)),
        "published": ("Labels by the published equation", "uint8", _pair("Class by weighted votes", resolution, shown)),
    }
    return tuple(
        ProductInfo(
            product=Product(
                key=names.key(layer),
                folder=None,
                collection=names.collection,
                prefix=f"{NAME}_{layer}" if layer else NAME,
                title=f"{title} ({names.method})",
                kind="raster-labels",
                bands=own,
                resolution=resolution,
                dtype=dtype,
                nodata=0 if own[0].name == "class" else None,
            ),
            terms=terms,
            taxonomy=taxonomy if layer in ("", "published") else None,
            stated_period=period,
            label_version=names.version,
        )
        for layer, (title, dtype, own) in rows.items()
    )


def _rendering(classes: Sequence[ClassChoice]) -> Categorical:
    rows = ((one.code, one.name, one.colour) for one in classes)
    return named_rendering(rows, nothing="nobody labelled")


def _bands(
    classes: Sequence[ClassChoice], name: str, words: str, resolution: float, rendering: Rendering
) -> tuple[Band, ...]:
    """A band for each class."""
    return tuple(
        Band(
            name=f"{name}_{one.code}",
            description=f"{words} class {one.code}, {one.name}",
            resolution=resolution,
            rendering=rendering,
        )
        for one in classes
    )


def _pair(words: str, resolution: float, rendering: Rendering) -> tuple[Band, ...]:
    """Class and confidence."""
    return (
        Band(name="class", description=f"{words}, 0 where nobody labelled", resolution=resolution, rendering=rendering),
        Band(
            name="confidence",
            description="Probability of the class in percent",
            resolution=resolution,
            rendering=PERCENT,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChipLayers:
    """Rasters of a chip; 0 where there is no task, or nobody labelled."""

    labels: NDArray[np.uint8]
    """(2, y, x) class, and confidence in percent."""
    posterior: NDArray[np.uint16]
    """(class, y, x) probability × 10,000."""
    votes: NDArray[np.uint8]
    """(class, y, x) annotators who chose the class."""
    entropy: NDArray[np.uint8]
    """(1, y, x) percent."""
    published: NDArray[np.uint8]
    """(2, y, x) class by the published equation, and its probability in percent."""

    def encoded(self, grid: Grid, products: Sequence[ProductInfo]) -> dict[str, bytes]:
        """Key of each product → GeoTIFF."""
        arrays: tuple[NDArray[Any], ...] = (self.labels, self.posterior, self.votes, self.entropy, self.published)
        return {
            item.key: encode_geotiff(
                array,
                grid,
                nodata=item.product.nodata,
                bands=[band.name for band in item.product.bands],
                classes=classes_of(item.product.bands),
            )
            for item, array in zip(products, arrays, strict=True)
        }


def chip_layers(
    found: Consensus,
    tasks: Sequence[tuple[int, TaskWindow]],
    shape: tuple[int, int],
    decided: Mapping[int, NDArray[np.uint8]],
) -> ChipLayers:
    """The layers of a chip from those of its tasks.

    Args:
        found: the consensus.
        tasks: position of each task of the chip in the consensus, and its place.
        shape: rows and columns of the chip.
        decided: position of a task → (pixel,) codes that a reviewer decided, 0 where not.
    """
    size = len(found.patterns.classes)
    whole = ChipLayers(
        labels=np.zeros((2, *shape), np.uint8),
        posterior=np.zeros((size, *shape), np.uint16),
        votes=np.zeros((size, *shape), np.uint8),
        entropy=np.zeros((1, *shape), np.uint8),
        published=np.zeros((2, *shape), np.uint8),
    )
    for at, window in tasks:
        one = found.of_task(at)
        labels = np.stack([one.label, _percent(one.confidence)])
        if at in decided:
            labels[0] = np.where(decided[at] > 0, decided[at], labels[0])
            labels[1][decided[at] > 0] = DECIDED
        square = (
            slice(None),
            slice(window.row, window.row + window.height),
            slice(window.column, window.column + window.width),
        )
        for target, values in (
            (whole.labels, labels),
            (whole.posterior, np.floor(one.posterior * SCALE + 0.5)),
            (whole.votes, one.votes),
            (whole.entropy, _percent(one.entropy)[None]),
            (whole.published, np.stack([one.published_label, _percent(one.published_score)])),
        ):
            target[square] = values.reshape(len(values), window.height, window.width)
    return whole


def _percent(shares: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.floor(np.clip(shares, 0, 1) * 100 + 0.5).astype(np.uint8)
