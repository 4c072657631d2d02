"""Label products apart from each other: each speaks of the whole area of a sample, so no two are ever summed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landloom.errors import NotFoundError

if TYPE_CHECKING:
    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.query.index.sidecar import Sidecar


def label_product(info: CorpusInfo, key: str | None = None) -> ProductInfo | None:
    """A label product by its key, the first unless told; None where the corpus has none.

    Raises:
        NotFoundError: no such label product.
    """
    if key is None:
        return next(iter(info.labels), None)
    found = next((item for item in info.labels if item.key == key), None)
    if found is None:
        raise NotFoundError.of("label product", key, [item.key for item in info.labels])
    return found


def label_prefix(info: CorpusInfo, item: ProductInfo) -> str:
    """What stands before the names of a taxonomy's columns, of every level, in those of a label product."""
    own = "" if item.taxonomy is None else item.taxonomy.columns()[0]
    return info.label_columns[item.key][0].removesuffix(own)


def label_set(sidecar: Sidecar, key: str | None = None) -> list[str]:
    """Columns of the finest level of a label product, the first unless told; all of them where no taxonomy is known.

    Raises:
        NotFoundError: no such label product.
    """
    item = label_product(sidecar.info, key)
    if item is None:
        return list(sidecar.columns)
    known = set(sidecar.info.label_columns[item.key])
    return [column for column in sidecar.columns if column in known]
