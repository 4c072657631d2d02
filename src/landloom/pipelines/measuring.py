"""Measure the training part of a finished corpus, and keep its statistics beside the split set."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from landloom.corpus.split_statistics import ALL, PERCENTILES, statistics_key
from landloom.query.corpus import Corpus
from landloom.store.open import open_store
from landloom.training.statistics.measure import split_statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from landloom.corpus.split_statistics import BandStatistics, SplitStatistics

SHOWN: Final = (2, 50, 98)
"""Percentiles that are told; all of `PERCENTILES` are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsReport:
    """Result of measuring."""

    path: str
    """Path of the statistics in the corpus."""
    changed: bool
    """False if the same statistics were there already."""
    statistics: SplitStatistics

    def document(self) -> dict[str, Any]:
        """As JSON values: what was measured, and each band over all timesteps."""
        found = self.statistics
        return {
            "path": self.path,
            "changed": self.changed,
            "digest": found.digest,
            "split_set": found.split_set,
            "splits": list(found.splits),
            "samples": found.count,
            "products": {
                key: {
                    "unit": own.unit,
                    "percentile_error": own.error,
                    "bands": {
                        band: {"pixels": row.count, "mean": row.mean, "std": row.std} | _percentiles(row)
                        for band, row in zip(own.bands, own.groups[ALL], strict=True)
                    },
                }
                for key, own in found.products.items()
            },
        }


def _percentiles(row: BandStatistics) -> dict[str, float | None]:
    """The values that pictures are stretched by, and the median: `p2`, `p50`, `p98`; None without valid pixels."""
    known = dict(zip(PERCENTILES, row.percentiles, strict=False))
    return {f"p{share}": known.get(share) for share in SHOWN}


def measure_corpus(
    corpus: str,
    split_set: str | None = None,
    *,
    splits: Sequence[str] = (),
    products: Sequence[str] = (),
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> StatisticsReport:
    """Statistics of the training part of a corpus, written as `splits/NAME.statistics.json`.

    Args:
        corpus: its folder, or an address that can be written to.
        split_set: name of the split set; None for the splits of its recipe.
        splits: of the training part, such as all folds but one; by default `train`.
        products: keys; by default all images and quality layers.
        threads: that read; by default one for each core.
        progress: called with samples done, and all.

    Raises:
        InvalidInputError: a part that is held out, or an empty one.
        NotFoundError: no such corpus, split set, split or product.

    Example:
        >>> measure_corpus("absent", "blocks-3000")
        Traceback (most recent call last):
        landloom.errors.NotFoundError: ...
    """
    opened = Corpus.open(corpus)
    found = split_statistics(
        opened,
        split_set,
        splits=splits,
        products=products,
        threads=threads or os.cpu_count() or 1,
        progress=progress,
    )
    store, key, content = open_store(opened.base.rstrip("/")), statistics_key(split_set, found.splits), found.encoded()
    changed = not store.exists(key) or store.get(key) != content
    if changed:
        store.put(key, content)
    return StatisticsReport(path=key, changed=changed, statistics=found)
