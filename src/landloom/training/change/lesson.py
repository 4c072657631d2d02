"""What changes are learnt from: simulated worlds, dates that a corpus holds, or both."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from landloom.corpus.info import software
from landloom.errors import InvalidInputError
from landloom.imagery.change.indices import index_bands
from landloom.query.pixel_series import is_series, series_of
from landloom.query.split_sets import read_split_set
from landloom.training.change.head import INDEX
from landloom.training.change.learn import moments_of
from landloom.training.change.reading import DATE, read_dated
from landloom.training.change.series import DatedSeries
from landloom.training.change.worlds import SEEDS, STOPPED_BY, WORLD, simulated_bands, world_series
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.fit.folder import ModelDescription
from landloom.training.fit.learn import Splits
from landloom.training.fit.provenance import corpus_digests

if TYPE_CHECKING:
    from collections.abc import Callable

    from landloom.query.corpus import Corpus
    from landloom.query.selection import Selection
    from landloom.training.datasets.rasters import RasterReader
    from landloom.training.datasets.targets import Target
    from landloom.training.fit.learn import Lesson


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChangeLesson:
    """A lesson on dates of changes, checked against a corpus."""

    corpus: Corpus
    lesson: Lesson
    target: Target | None
    """Raster of dates that the corpus holds; None of simulated worlds alone."""
    worlds: tuple[int, ...]
    """Seeds of simulated worlds."""
    product: str
    """Key of the images."""
    bands: tuple[str, ...]
    splits: Splits | None
    """None of simulated worlds alone."""

    @classmethod
    def of(cls, corpus: Corpus, lesson: Lesson) -> Self:
        """Check a lesson, before anything is read.

        Raises:
            NotFoundError: an unknown product, band or split.
            InvalidInputError: nothing to learn from, or a product that is no series of reflectance.
        """
        target = None if lesson.target is None else lesson.chosen()
        count = lesson.worlds if lesson.worlds is not None else (0 if target else len(SEEDS))
        if not 0 <= count <= len(SEEDS):
            raise InvalidInputError(f"got {count} simulated worlds, expected 0 to {len(SEEDS)}")
        if target is None and not count:
            raise InvalidInputError("got no dates to learn from, expected a target such as value:change, or worlds")
        if target is not None and not lesson.split_set:
            raise InvalidInputError("got a target without a split set, expected one: landloom split makes it")
        splits = None
        if target is not None:
            splits = Splits.of(lesson, read_split_set(corpus.base, lesson.split_set).names)
        plain = CorpusDataset(corpus.query(), lesson.product, None, bands=lesson.bands, missing="drop")
        item = corpus.info.product(plain.products[0])
        if not is_series(item) or item.product.dtype != "uint16":
            raise InvalidInputError(f"product: got {item.key!r}, expected one of {', '.join(series_of(corpus.info))}")
        bands = plain.bands[item.key]
        index_bands(INDEX, bands)
        made = cls(
            corpus=corpus,
            lesson=lesson,
            target=target,
            worlds=SEEDS[:count],
            product=item.key,
            bands=bands,
            splits=splits,
        )
        if count:
            made.simulated()
        return made

    def simulated(self) -> tuple[str, ...]:
        """The bands of the simulated sensor that stand for those of the images.

        Raises:
            InvalidInputError: one has none.
        """
        known = {band.name: band for band in self.corpus.info.product(self.product).product.bands}
        return simulated_bands([known[name] for name in self.bands])

    def reader(self, selection: Selection) -> tuple[RasterReader, dict[str, str]]:
        """Reads the dates of the samples that have images and dates; samples that were left out, and why.

        Raises:
            InvalidInputError: a target without bands of dates.
        """
        dataset = CorpusDataset(selection, self.product, self.target, bands=self.bands, missing="drop")
        reader = None if dataset.plan.target is None else dataset.plan.target.raster
        if reader is None or not any(name.startswith(DATE) for name in reader.bands):
            told = "none" if reader is None else ", ".join(reader.bands)
            raise InvalidInputError(f"target: got the bands {told}, expected {DATE}_1, … as of landloom change")
        return reader, dict(dataset.left_out)

    def series(
        self, splits: tuple[str, ...], seeds: tuple[int, ...], done: Callable[[str], None] = lambda _: None
    ) -> tuple[DatedSeries | None, dict[str, str]]:
        """Series of some splits and worlds, if any; and the samples that were left out."""
        parts: list[DatedSeries] = []
        left_out: dict[str, str] = {}
        for seed in seeds:
            parts.append(world_series(seed, self.simulated(), self.lesson.pixels))
            done(f"{WORLD} {seed}")
        if splits:
            reader, left_out = self.reader(self.lesson.selection(self.corpus, splits))
            options: dict[str, Any] = {"pixels": self.lesson.pixels, "seed": self.lesson.settings.seed}
            parts.append(read_dated(self.corpus, reader, self.product, self.bands, done=done, **options))
        return (DatedSeries.joined(parts) if parts else None), left_out

    @property
    def stopped_by(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Splits and worlds by whose loss training stops."""
        val = () if self.splits is None or self.splits.val is None else (self.splits.val,)
        return val, (STOPPED_BY,) if self.worlds else ()

    def describe(self, series: DatedSeries) -> ModelDescription:
        """What the model of the lesson is.

        Args:
            series: that it is trained on.
        """
        lesson, info = self.lesson, self.corpus.info
        item = None if self.target is None else self.target.item(info)
        mean, deviation = moments_of(series)
        target = {"kind": "dates", "product": None, "index": INDEX}
        if self.target is not None and item is not None:
            target = asdict(self.target) | {"kind": "dates", "product": item.key, "index": INDEX}
        return ModelDescription(
            task=lesson.task,
            model=lesson.model,
            options=dict(lesson.options),
            settings=lesson.settings.document() | {"pixels": lesson.pixels, "worlds": list(self.worlds)},
            product=self.product,
            bands=self.bands,
            timesteps=series.valid.shape[1],
            axis=None,
            target=target,
            taxonomy={},
            classes=(),
            mean=tuple(mean.tolist()),
            deviation=tuple(deviation.tolist()),
            corpus=corpus_digests(self.corpus, self.product, item),
            split_set=self._split_set(),
            statistics="",
            seed=lesson.settings.seed,
            software=software(),
        )

    def _split_set(self) -> dict[str, Any]:
        if self.splits is None:
            return {"name": "", "digest": "", "proof": {}, "train": [], "val": None}
        found = read_split_set(self.corpus.base, self.lesson.split_set)
        return {
            "name": self.lesson.split_set,
            "digest": found.digest,
            "proof": dict(found.proof),
            "train": list(self.splits.train),
            "val": self.splits.val,
        }
