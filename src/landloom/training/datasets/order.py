"""The order in which an epoch reads a dataset: the same wherever it is read, and another in each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch.utils.data import Sampler

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.training.datasets.dataset import CorpusDataset


class EpochSampler(Sampler[int]):
    """Examples of a dataset in random order, by seed and epoch; `set_epoch` chooses the dataset's epoch, too.

    Args:
        dataset: of one process.
        seed: of the order.
        rank: number of this process among `world`.
        world: number of processes; each gets as many examples, and those that are left over, fewer than `world`, wait
            for another epoch.
    """

    def __init__(self, dataset: CorpusDataset, *, seed: int = 0, rank: int = 0, world: int = 1) -> None:
        if not 0 <= rank < world:
            raise InvalidInputError(f"got rank {rank} of {world} processes, expected 0 to {world - 1}")
        self.dataset, self.seed, self.rank, self.world = dataset, seed, rank, world

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; Lightning calls it."""
        self.dataset.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.dataset) // self.world

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng((self.seed, self.dataset.epoch)).permutation(len(self.dataset))
        return iter(order[self.rank : len(self) * self.world : self.world].tolist())
