"""Legends of label rasters: which colour stands for which class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo

CLASS_BANDS: Final = ("class", "classes")
"""Names of bands with codes of classes."""


def legend(info: CorpusInfo, item: ProductInfo) -> list[dict[str, Any]]:
    """Code, name and colour of every class of a label raster; empty for other products, and if classes are not stated.

    The colours are those of annotation.
    """
    from landloom.pipelines.annotation.guesses import guess_classes

    if item.product.kind != "raster-labels" or {band.name for band in item.product.bands}.isdisjoint(CLASS_BANDS):
        return []
    try:
        choices = guess_classes(info, item).choices
    except InvalidInputError:
        return []
    return [{"code": one.code, "name": one.name, "colour": one.colour} for one in choices]


def painted(codes: NDArray[Any], rows: list[dict[str, Any]]) -> NDArray[np.uint8]:
    """(y, x, 4) colours of codes; codes without a class are transparent.

    Args:
        codes: (y, x), not negative.
        rows: as from `legend`.

    Example:
        >>> painted(np.array([[1, 0]]), [{"code": 1, "name": "Water", "colour": "#0000ff"}]).tolist()
        [[[0, 0, 255, 255], [0, 0, 0, 0]]]
    """
    picture = np.zeros((*codes.shape, 4), np.uint8)
    for row in rows:
        colour = row["colour"]
        picture[codes == row["code"]] = [*(int(colour[start : start + 2], 16) for start in (1, 3, 5)), 255]
    return picture
