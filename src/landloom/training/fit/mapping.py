"""Predictions of every sample of a corpus: class shares, numbers, and where a model sees pixels or parcels, maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.errors import InvalidInputError
from landloom.training.datasets.collate import collate
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.datasets.groups import parcel_groups
from landloom.training.fit.learn import parcel_reader
from landloom.training.fit.tasks import task_of
from landloom.training.fit.trained import unlabelled_series

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from landloom.query.corpus import Corpus
    from landloom.query.selection import Selection
    from landloom.training.fit.trained import Trained


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampleMap:
    """What a model says of a sample."""

    id: str
    shares: NDArray[np.float64]
    """(class + 1,) share of the sample's area of each class, and last of what the model says nothing about."""
    probabilities: NDArray[np.float32] | None
    """(class, y, x), 0 where it says nothing; None of models of whole samples."""

    @property
    def known(self) -> NDArray[np.bool_] | None:
        """(y, x) where it says something."""
        if self.probabilities is None:
            return None
        known: NDArray[np.bool_] = self.probabilities.max(axis=0) > 0
        return known


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampleNumbers:
    """Numbers that a model says of a sample."""

    id: str
    numbers: NDArray[np.float32]
    """(y, x), NaN where it says nothing; (1, 1) of models of whole samples."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mapper:
    """Predicts the samples of a selection, one after another."""

    trained: Trained
    dataset: CorpusDataset
    corpus: Corpus
    unseen: Mapping[str, str]
    """Samples without any image, and why."""

    @classmethod
    def of(cls, trained: Trained, corpus: Corpus, selection: Selection) -> Mapper:
        """Check a model against a corpus, before anything is read.

        Raises:
            NotFoundError: the corpus lacks the model's images or bands.
            InvalidInputError: no sample has an image.
        """
        own = trained.description
        dataset = CorpusDataset(
            selection,
            own.product,
            None,
            bands=own.bands,
            statistics=trained.moments if trained.eats_images else None,
            missing="drop",
        )
        return cls(trained=trained, dataset=dataset, corpus=corpus, unseen=dataset.left_out)

    @property
    def ids(self) -> tuple[str, ...]:
        """Samples that are predicted."""
        return self.dataset.ids

    def __iter__(self) -> Iterator[SampleMap | SampleNumbers | tuple[str, str]]:
        """Each sample's map or numbers; or its id, and why there are none."""
        unit = task_of(self.trained.description.task).unit
        parcels = parcel_reader(self.dataset, self.corpus) if unit == "parcel" else None
        for number, name in enumerate(self.dataset.ids):
            try:
                sample = self.dataset[number]
            except InvalidInputError as error:  # a series without a valid pixel
                yield name, str(error)
                continue
            if self.trained.eats_images:
                yield self._of_image(sample)
                continue
            arrays = {key: one.numpy() if hasattr(one, "numpy") else one for key, one in sample.items()}
            groups = None if parcels is None else parcel_groups(parcels, number, arrays["valid"].shape[1:])
            yield self._of_sample(arrays) if unit == "sample" else self._of_pixels(arrays, groups)

    def _of_sample(self, sample: dict[str, Any]) -> SampleMap | SampleNumbers:
        whole = np.zeros(sample["valid"].shape[1:], np.int64)
        found = self.trained.table(unlabelled_series(sample, whole))[0]
        if not self.trained.description.classes:
            return SampleNumbers(id=sample["id"], numbers=np.full((1, 1), found, np.float32))
        return SampleMap(id=sample["id"], shares=np.append(found.astype(np.float64), 0.0), probabilities=None)

    def _of_pixels(
        self, sample: dict[str, Any], groups: NDArray[np.int64] | None
    ) -> SampleMap | SampleNumbers | tuple[str, str]:
        if groups is None:
            return self._told(sample["id"], self.trained.pixels(sample))
        found = self.trained.nothing(groups.size)
        table = unlabelled_series(sample, groups)
        if len(table):
            rows = self.trained.table(table)
            unseen = ~np.asarray(table.valid.any(axis=1))
            rows[unseen] = self.trained.nothing(int(unseen.sum())).T
            inside = groups.ravel() >= 0
            found[..., inside] = rows[np.searchsorted(np.unique(groups[groups >= 0]), groups.ravel()[inside])].T
        return self._told(sample["id"], found.reshape(*found.shape[:-1], *groups.shape))

    def _of_image(self, sample: dict[str, Any]) -> SampleMap | SampleNumbers | tuple[str, str]:
        batch = collate([sample])
        _, found = next(self.trained.images(iter([batch])))
        seen = batch["valid"][0].numpy().any(axis=0)
        nothing = self.trained.nothing(seen.size)
        return self._told(sample["id"], np.where(seen, found[0], nothing.reshape(found[0].shape)))

    def _told(self, name: str, found: NDArray[np.float32]) -> SampleMap | SampleNumbers | tuple[str, str]:
        """Of (class, y, x) probabilities or (y, x) numbers."""
        if self.trained.description.classes:
            return _shared(name, found)
        if np.isnan(found).all():
            return name, "nothing in it was seen that the model says a number of"
        return SampleNumbers(id=name, numbers=found)


def _shared(name: str, probabilities: NDArray[np.float32]) -> SampleMap:
    """A map with the shares of its most probable classes."""
    known = probabilities.max(axis=0) > 0
    classes = np.where(known, probabilities.argmax(axis=0), len(probabilities))
    counts = np.bincount(classes.ravel(), minlength=len(probabilities) + 1)
    return SampleMap(id=name, shares=counts / counts.sum(), probabilities=probabilities)
