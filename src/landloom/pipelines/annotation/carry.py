"""Next year's campaign: the consensus of this year's is its guess, and what changed comes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import orjson

from landloom.annotate.tasks.order import with_suspects
from landloom.corpus.finished import FinishedCorpus
from landloom.errors import CorpusError, InvalidInputError
from landloom.pipelines.annotation.change import change
from landloom.pipelines.annotation.classes import Classes
from landloom.pipelines.annotation.folder import open_folder
from landloom.pipelines.annotation.guesses import ChipGuess, CorpusGuess
from landloom.pipelines.annotation.series import SeriesSource
from landloom.products.consensus.layers import NAME
from landloom.publication.raster_labels import lineage_of, raster_versions
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from landloom.annotate.tasks.values import Campaign
    from landloom.corpus.info import ProductInfo
    from landloom.model.grid import Grid
    from landloom.publication.raster_labels import RasterVersion


@dataclass(frozen=True, kw_only=True)
class CarriedGuess:
    """Reads the consensus of another campaign as guesses."""

    source: SeriesSource
    """The new series."""
    before: SeriesSource
    """The series of the campaign before."""
    consensus: CorpusGuess
    """Its consensus."""
    classes: Classes
    places: dict[tuple[int, tuple[float, ...]], str]
    """CRS and bounds → chip of the corpus before."""

    @classmethod
    def open(cls, folder: str, source: SeriesSource) -> Self:
        """Open the campaign before.

        Args:
            folder: of that campaign.
            source: the series of the new one.

        Raises:
            CorpusError: there is no campaign, or its corpus has no consensus of it yet.
            InvalidInputError: the two series have different bands or pixels.
        """
        from landloom.annotate.ledger.campaigns import campaign  # noqa: PLC0415 - the extra `annotate`
        from landloom.annotate.ledger.database import open_ledger  # noqa: PLC0415 - the extra `annotate`

        there = open_folder(folder)
        with open_ledger(there.database) as ledger:
            known = campaign(ledger, there.name)
        corpus = Corpus.open(there.corpus)
        item = _consensus(there.corpus, known, folder)
        before = SeriesSource(corpus=corpus, key=known.settings.series)
        _require_same(before, source)
        classes = _classes(known)
        rows = np.arange(len(corpus.sidecar), dtype=np.int32)
        places = {
            (int(code), tuple(square)): name
            for code, square, name in zip(
                corpus.sidecar.epsg(rows).tolist(),
                corpus.sidecar.squares(rows).tolist(),
                corpus.sidecar.texts(rows),
                strict=True,
            )
        }
        guess = CorpusGuess(corpus=corpus, item=item, classes=classes)
        return cls(source=source, before=before, consensus=guess, classes=classes, places=places)

    def read(self, chip: str) -> ChipGuess | None:
        """The consensus of the same square; its error is that of the consensus, or a change since.

        None if the campaign before had no chip there.
        """
        grid = self.source.grid(chip)
        other = self.places.get(_place(grid))
        found = None if other is None else self.consensus.read(other)
        if other is None or found is None:
            return None
        changed = change(self.before.read(other), self.source.read(chip))
        return ChipGuess(codes=found.codes, error=with_suspects(found.error, changed), unknown=found.unknown)


def _place(grid: Grid) -> tuple[int, tuple[float, ...]]:
    return grid.epsg, tuple(grid.bounds)


def _consensus(corpus: str, known: Campaign, folder: str) -> ProductInfo:
    """The newest consensus that a corpus has of a campaign; other campaigns may have put theirs beside it."""
    there = FinishedCorpus.open(corpus)
    for version, name in reversed(_versions(there)):
        if name == known.name:
            return next(one for one in there.info.products if one.key == version.key())
    raise CorpusError(f"{folder}: got a campaign without a consensus; run landloom annotate consensus {folder}")


def _versions(there: FinishedCorpus) -> list[tuple[RasterVersion, str | None]]:
    """Each consensus in a corpus, oldest first, and the campaign that it is of."""
    versions = raster_versions(there.info, NAME)
    lineages = [lineage_of(there, version) for version in versions]
    names = [None if one is None else orjson.loads(one).get("campaign") for one in lineages]
    return list(zip(versions, names, strict=True))


def published_campaigns(corpus: Corpus) -> frozenset[str]:
    """Names of the campaigns whose consensus is in a corpus."""
    if not raster_versions(corpus.info, NAME):
        return frozenset()
    return frozenset(name for _, name in _versions(FinishedCorpus.open(corpus.base)) if name is not None)


def _classes(known: Campaign) -> Classes:
    codes = {one.code: one.code for one in known.classes}
    return Classes(taxonomy=known.taxonomy, choices=known.classes, codes=codes)


def _require_same(before: SeriesSource, after: SeriesSource) -> None:
    old, new = ([band.name for band in one.bands] for one in (before, after))
    if old != new or before.item.product.resolution != after.item.product.resolution:
        raise InvalidInputError(
            f"got a series with bands {', '.join(new)} at {after.item.product.resolution} m, "
            f"expected those of the campaign before: {', '.join(old)} at {before.item.product.resolution} m"
        )
