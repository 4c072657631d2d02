"""Predictions of every sample of a corpus: class shares, and where a model sees pixels or parcels, maps."""

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
            InvalidInputError: a model of numbers; no sample has an image.
        """
        own = trained.description
        if not own.classes:
            raise InvalidInputError("got a model of numbers, expected one of classes: numbers are no label product")
        dataset = CorpusDataset(
            selection,
            own.product,
            None,
            bands=own.bands,
            statistics=trained.moments if trained.eats_images else None,
            missing="drop",
        )
        return cls(trained=trained, dataset=dataset, corpus=corpus, unseen=dataset.left_out)

    def __iter__(self) -> Iterator[SampleMap | tuple[str, str]]:
        """Each sample's map; or its id, and why there is none."""
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

    def _of_sample(self, sample: dict[str, Any]) -> SampleMap:
        whole = np.zeros(sample["valid"].shape[1:], np.int64)
        found = self.trained.table(unlabelled_series(sample, whole))[0].astype(np.float64)
        return SampleMap(id=sample["id"], shares=np.append(found, 0.0), probabilities=None)

    def _of_pixels(self, sample: dict[str, Any], groups: NDArray[np.int64] | None) -> SampleMap:
        if groups is None:
            return _shared(sample["id"], self.trained.pixels(sample))
        found = np.zeros((len(self.trained.description.classes), groups.size), np.float32)
        table = unlabelled_series(sample, groups)
        if len(table):
            seen = np.asarray(table.valid.any(axis=1))
            rows = self.trained.table(table) * seen[:, None]
            inside = groups.ravel() >= 0
            found[:, inside] = rows[np.searchsorted(np.unique(groups[groups >= 0]), groups.ravel()[inside])].T
        return _shared(sample["id"], found.reshape(-1, *groups.shape))

    def _of_image(self, sample: dict[str, Any]) -> SampleMap:
        batch = collate([sample])
        _, found = next(self.trained.images(iter([batch])))
        seen = batch["valid"][0].numpy().any(axis=0)
        return _shared(sample["id"], found[0] * seen)


def _shared(name: str, probabilities: NDArray[np.float32]) -> SampleMap:
    """A map with the shares of its most probable classes."""
    known = probabilities.max(axis=0) > 0
    classes = np.where(known, probabilities.argmax(axis=0), len(probabilities))
    counts = np.bincount(classes.ravel(), minlength=len(probabilities) + 1)
    return SampleMap(id=name, shares=counts / counts.sum(), probabilities=probabilities)
