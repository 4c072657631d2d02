"""Label products apart from each other: each speaks of the whole area of a sample, so no two are ever summed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from landloom.errors import NotFoundError
from landloom.model.apportion import MILLION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.query.index.sidecar import Rows, Sidecar


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


def level_columns(sidecar: Sidecar, level: int | None, key: str | None) -> Mapping[str, Sequence[str]]:
    """Columns of a level of a label product → the columns of the finest level that they sum.

    Args:
        sidecar: the index.
        level: of its taxonomy, 1 is the coarsest; None for the finest.
        key: of the label product; the first unless told.

    Raises:
        NotFoundError: no such label product or level.
    """
    if level is None:
        return {column: [column] for column in label_set(sidecar, key)}
    item = label_product(sidecar.info, key)
    own = None if item is None else item.taxonomy
    if item is None or own is None:
        return {}
    found: dict[str, Sequence[str]] = {}
    prefix = label_prefix(sidecar.info, item)
    for column in (prefix + name for name in own.columns(level)):
        if level != own.levels:
            found[column] = sidecar.groups[column]
        elif column in sidecar.columns:
            found[column] = [column]
    return found


def areas(sidecar: Sidecar, rows: Rows, columns: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Area of some samples in classes that occur, in samples.

    Args:
        sidecar: the index.
        rows: of the samples.
        columns: name → columns of the finest level that it sums.
    """
    chosen = np.zeros(len(sidecar), dtype=bool)
    chosen[rows] = True
    sums = {}
    for number, column in enumerate(sidecar.columns):
        places, values = sidecar.labels.entries(number)
        sums[column] = int(values[chosen[places]].sum(dtype=np.int64))
    totals = {name: sum(sums[member] for member in members) for name, members in columns.items()}
    return {name: total / MILLION for name, total in totals.items() if total}
