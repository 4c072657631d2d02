"""`CorpusDataModule`: training, validation and test parts of a corpus for Lightning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from lightning import LightningDataModule
from torch.utils.data import DataLoader

from landloom.errors import InvalidInputError, NotFoundError
from landloom.query.corpus import Corpus
from landloom.training.datasets.collate import collate
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.datasets.order import EpochSampler

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from landloom.training.datasets.plan import Missing
    from landloom.training.datasets.targets import Target


class CorpusDataModule(LightningDataModule):
    """The parts of a split set as loaders of batches, normalised by the statistics of the training part.

    Training reads random windows and dates in an order of its own in each epoch; validation, test and prediction read
    every window of a grid, all dates, in index order. Before the first batch, every sample is read once.

    Args:
        corpus: the corpus, its folder or address.
        products: as of `CorpusDataset`.
        target: as of `CorpusDataset`.
        split_set: name of the split set; by default the splits of the corpus's recipe.
        parts: stage (`train`, `val`, `test`) → its splits; by default those of the same name.
        where: a filter that all samples pass.
        batch_size: examples in a batch.
        workers: processes that read; 0 reads by threads.
        normalise: whether images are normalised; needs `landloom statistics`.
        bands: as of `CorpusDataset`.
        dates: as of `CorpusDataset`; a number of random dates is for training only.
        crop: as of `CorpusDataset`.
        seed: of windows, dates and order.
        missing: as of `CorpusDataset`.
        check: whether every sample is read before the first batch.

    Raises:
        NotFoundError: no such corpus, split set, split, product, band or target; no statistics.
    """

    def __init__(  # noqa: PLR0913 - every one is a question of its own, and all are optional
        self,
        corpus: Corpus | str | os.PathLike[str],
        products: str | Iterable[str] | None = None,
        target: str | Target | None = None,
        *,
        split_set: str | None = None,
        parts: Mapping[str, str | Sequence[str]] | None = None,
        where: str | None = None,
        batch_size: int = 32,
        workers: int = 0,
        normalise: bool = True,
        bands: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
        dates: int | Sequence[str] | None = None,
        crop: int | tuple[int, int] | None = None,
        seed: int = 0,
        missing: Missing = "error",
        check: bool = True,
    ) -> None:
        super().__init__()
        self.corpus = corpus if isinstance(corpus, Corpus) else Corpus.open(corpus)
        self.split_set, self.where, self.batch_size, self.workers = split_set, where, batch_size, workers
        self.parts = {"train": "train", "val": "val", "test": "test"} | dict(parts or {})
        self.seed, self.check = seed, check
        keys = (products,) if isinstance(products, str) or products is None else tuple(products)
        self._options: dict[str, Any] = {
            "products": None if keys == (None,) else keys,
            "target": target,
            "bands": bands,
            "crop": crop,
            "seed": seed,
            "missing": missing,
            "statistics": self._statistics() if normalise else None,
        }
        self._dates = dates
        self._datasets: dict[str, CorpusDataset] = {}

    def _statistics(self) -> Any:
        from landloom.query.split_sets import read_statistics  # noqa: PLC0415

        train = self.parts["train"]
        splits = (train,) if isinstance(train, str) else tuple(train)
        return read_statistics(self.corpus.sidecar, self.corpus.base, self.split_set, splits)

    def dataset(self, part: str) -> CorpusDataset:
        """The dataset of a part.

        Raises:
            NotFoundError: no such part, or no such split.
            InvalidInputError: samples that cannot be trained on.
        """
        if part not in self.parts:
            raise NotFoundError.of("part", part, self.parts)
        if part not in self._datasets:
            chosen = self.corpus.query(split=self.parts[part], split_set=self.split_set, where=self.where)
            is_train = part == "train"
            dates = None if isinstance(self._dates, int) and not is_train else self._dates
            self._datasets[part] = CorpusDataset(
                chosen, **self._options, dates=dates, crop_at="random" if is_train else "grid"
            )
        return self._datasets[part]

    def setup(self, stage: str) -> None:
        """Open the parts of a stage, and read every sample once."""
        parts = {"fit": ("train", "val"), "validate": ("val",), "test": ("test",), "predict": ("test",)}
        for part in parts.get(stage, ("test",)):
            dataset = self.dataset(part)
            if self.check:
                dataset.check()

    def train_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Batches for training; the order follows from seed and epoch."""
        dataset = self.dataset("train")
        rank, world = (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)
        if world > 1 and getattr(self.trainer, "use_distributed_sampler", False):
            raise InvalidInputError("several processes: expected Trainer(use_distributed_sampler=False)")
        return self._loader(dataset, EpochSampler(dataset, seed=self.seed, rank=rank, world=world))

    def val_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Batches for validation, in index order."""
        return self._loader(self.dataset("val"), None)

    def test_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Batches for the test, in index order."""
        return self._loader(self.dataset("test"), None)

    def predict_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Batches of the test part for prediction."""
        return self._loader(self.dataset("test"), None)

    def _loader(self, dataset: CorpusDataset, order: EpochSampler | None) -> DataLoader[dict[str, Any]]:
        return DataLoader(
            dataset,
            batch_size=self.batch_size,
            sampler=order,
            collate_fn=collate,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),  # so that copies to a card overlap with its work
            multiprocessing_context="forkserver" if self.workers else None,
        )
