"""Quality layers that say which pixels of a series are usable: what `valid` means, beside data in every band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.imagery.valid import scl_valid
from landloom.model.sensor import LANDCOVERNET_CLEAR

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo

_CLEAR: Final = frozenset(LANDCOVERNET_CLEAR)
USABLE: Final[dict[str, Callable[[NDArray[Any]], NDArray[np.bool_]]]] = {
    "SCL": lambda layer: scl_valid(layer.astype(np.uint8), _CLEAR),
    "valid": lambda layer: layer > 0,
    "count": lambda layer: layer > 0,
    "cloud": lambda layer: layer == 0,
}
"""Layer of a quality product → its usable pixels."""


def usable_layers(info: CorpusInfo, key: str, names: Collection[str] = tuple(USABLE)) -> tuple[tuple[str, str], ...]:
    """(product, layer) of the quality layers that mark usable pixels of a series, at its timesteps.

    Args:
        info: the corpus.
        key: of the series.
        names: of the layers that count.

    Raises:
        NotFoundError: no such product.
    """
    own = info.product(key)
    return tuple(
        (one.key, band.name)
        for one in info.products
        for band in one.product.bands
        if one.product.kind == "quality"
        and band.name in names
        and one.timesteps == own.timesteps
        and _nests(own.product.resolution, one.product.resolution)
    )


def _nests(coarse: float | None, fine: float | None) -> bool:
    """Whether whole pixels of one size fill those of the other."""
    return bool(coarse and fine and coarse >= fine and coarse % fine == 0)


def at_pixels(usable: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Usable pixels in coarser pixels, which are usable where all of theirs are.

    Args:
        usable: (time, y, x).
        shape: rows and columns of the result, each a divisor.

    Example:
        >>> at_pixels(np.array([[[True, True, False, True]] * 2]), (1, 2)).tolist()
        [[[True, False]]]
    """
    times, rows, columns = usable.shape
    blocks = usable.reshape(times, shape[0], rows // shape[0], shape[1], columns // shape[1])
    found: NDArray[np.bool_] = np.all(blocks, axis=(2, 4))
    return found
