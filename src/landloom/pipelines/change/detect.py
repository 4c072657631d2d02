"""`landloom change`: dated breaks in a series of a corpus, written into it as rasters or told as a table."""

from __future__ import annotations

from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.info import software
from landloom.engine.executors import inline, submit
from landloom.engine.run import Silent
from landloom.errors import InvalidInputError, counted
from landloom.imagery.change.indices import index_bands
from landloom.model.recipe import Terms
from landloom.pipelines.change.layers import break_products, break_rasters
from landloom.pipelines.change.series import EPOCH, IndexSeries
from landloom.publication.raster_labels import AddedRasters, add_rasters, next_version, require_local, same_lineage
from landloom.query.corpus import Corpus
from landloom.query.pixel_series import is_series, series_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.engine.executors import Factory
    from landloom.engine.run import Listener
    from landloom.imagery.change.breaks import Breaks
    from landloom.pipelines.change.series import ChangeSettings
    from landloom.query.selection import Selection

    Made = TypeVar("Made")

NAME: Final = "change"
"""Key of the product, and start of the keys of its further layers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleChange:
    """A break of a sample as a whole, or that it has none."""

    sample: str
    date: str | None
    """`2018-07-24`; None without a break."""
    margin: float | None
    """Days on either side."""
    change: float | None
    """Change of the index at the date."""
    score: float | None
    """σ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReport:
    """Result of looking for breaks in all pixels."""

    product: str
    """Key of the product of dates in the corpus."""
    version: str
    added: bool
    """False if the corpus had the same rasters already."""
    samples: int
    pixels: int
    """Pixels looked at."""
    changed: int
    """Pixels with a break."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def change_rasters(
    corpus: str,
    settings: ChangeSettings,
    *,
    factory: Factory = inline,
    listener: Listener | None = None,
) -> ChangeReport:
    """Find the breaks of all pixels of a corpus, and add them to it as raster labels with lineage.

    The same breaks of the same imagery are not written again; others become a new label version, and later builds keep
    them.

    Args:
        corpus: folder of a finished corpus.
        settings: product, index and test.
        factory: makes executors.
        listener: receives progress.

    Raises:
        CorpusError: it is none on a local disk.
        InvalidInputError: the product is no series of reflectance, lacks a band of the index, or has too few dates.
        NotFoundError: no such product or index.
    """
    folder = require_local(corpus)
    opened = Corpus.open(folder)
    item = _checked(opened.info, settings)
    version = next_version(opened.info, NAME)
    products = break_products(
        version,
        _terms(item),
        method=f"{settings.index.upper()} of {item.key}",
        most=settings.test.most,
        resolution=float(item.product.resolution or 10),
        period=item.period,
    )
    found = _each(corpus, opened.query().ids, _pixels, (settings, products), factory, listener)
    pixels, changed = sum(one[1] for one in found.values()), sum(one[2] for one in found.values())
    origin = _lineage(corpus, settings, {name: one[2] / one[1] for name, one in found.items()})
    same = same_lineage(corpus, NAME, origin)
    if same is None:
        rasters = {name: one[0] for name, one in found.items()}
        add_rasters(
            corpus,
            AddedRasters(version=version, products=products, rasters=rasters, mappings={}, lineage=origin),
        )
    told = same or version
    return ChangeReport(
        product=told.key(),
        version=str(told.number),
        added=same is None,
        samples=len(found),
        pixels=pixels,
        changed=changed,
    )


def change_samples(
    selection: Selection,
    settings: ChangeSettings,
    *,
    factory: Factory = inline,
    listener: Listener | None = None,
) -> list[SampleChange]:
    """The breaks of each sample as a whole; one row without a date for a sample without.

    Args:
        selection: samples; nothing is written.
        settings: as of `change_rasters`.
        factory: as of `change_rasters`.
        listener: as of `change_rasters`.

    Raises:
        InvalidInputError: as of `change_rasters`.
        NotFoundError: no such product or index.
    """
    _checked(selection.sidecar.info, settings)
    found = _each(selection.base.rstrip("/"), selection.ids, _whole, (settings,), factory, listener)
    return [row for name in selection.ids for row in found[name]]


def _checked(info: CorpusInfo, settings: ChangeSettings) -> ProductInfo:
    item = info.product(settings.product)
    if not is_series(item):
        raise InvalidInputError(f"product: got {item.key!r}, expected one of {', '.join(series_of(info))}")
    index_bands(settings.index, [band.name for band in item.product.bands])
    return item


def _each(
    corpus: str,
    samples: Sequence[str],
    work: Callable[..., Made],
    options: tuple[Any, ...],
    factory: Factory,
    listener: Listener | None,
) -> dict[str, Made]:
    """Sample → result, in the order of the samples."""
    shown, made = listener or Silent(), {}
    shown.started("change", len(samples))
    with factory() as pool:
        waiting = {submit(pool, work, corpus, sample, *options): sample for sample in samples}
        for done in as_completed(waiting):
            made[waiting[done]] = done.result()
            shown.advanced(waiting[done], None)
    return {sample: made[sample] for sample in samples}


def _pixels(
    corpus: str, sample: str, settings: ChangeSettings, products: tuple[ProductInfo, ...]
) -> tuple[dict[str, bytes], int, int]:
    """Rasters of a sample, its pixels, and those with a break."""
    series = IndexSeries.read(Corpus.open(corpus), sample, settings)
    found = series.breaks(settings.test)
    return break_rasters(found, series.grid, products), found.count.size, int((found.count > 0).sum())


def _whole(corpus: str, sample: str, settings: ChangeSettings) -> list[SampleChange]:
    series = IndexSeries.read(Corpus.open(corpus), sample, settings)
    return _rows(sample, series.mean().breaks(settings.test))


def _rows(sample: str, found: Breaks) -> list[SampleChange]:
    rows = [
        SampleChange(
            sample=sample,
            date=str(EPOCH + int(np.floor(date))),
            margin=round(float(found.margin[n, 0, 0]), 1),
            change=round(float(found.change[n, 0, 0]), 4),
            score=round(float(found.score[n, 0, 0]), 2),
        )
        for n, date in enumerate(found.date[:, 0, 0])
        if np.isfinite(date)
    ]
    return rows or [SampleChange(sample=sample, date=None, margin=None, change=None, score=None)]


def _terms(item: ProductInfo) -> Terms:
    """Those of the imagery, which the breaks are made of."""
    return Terms(licence=item.terms.licence, licence_url=item.terms.licence_url, attribution=item.terms.attribution)


def _lineage(corpus: str, settings: ChangeSettings, shares: dict[str, float]) -> bytes:
    """Where the breaks come from: product, files by digest, settings."""
    there = FinishedCorpus.open(corpus)
    folder = there.info.product(settings.product).product.folder
    digests = {
        entry.path: entry.sha256
        for tile in there.tiles
        for entry in there.data(tile)
        if folder is not None and entry.path.startswith("imagery/") and folder in entry.path
    }
    document = {
        "product": settings.product,
        "index": settings.index,
        "test": asdict(settings.test),
        "files": counted(len(digests), "file"),
        "sha256": _digest(digests),
        "changed": {name: round(share, 6) for name, share in sorted(shares.items())},
        "software": software(),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _digest(digests: dict[str, str]) -> str:
    return sha256("".join(f"{path} {digests[path]}\n" for path in sorted(digests)).encode()).hexdigest()
