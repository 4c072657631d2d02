"""Training of a network that dates changes, on series whose changes are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch.utils.data import Dataset

from landloom.errors import InvalidInputError
from landloom.training.fit.networks import predict_batches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.training.change.series import DatedSeries
    from landloom.training.fit.batches import Batch

THINNED: Final = 0.5
"""Share of a series' observations that may be left out in an epoch, so that denser and sparser series are known."""
_AT_ONCE: Final = 4096


class DatedExamples(Dataset["Batch"]):
    """Series as examples, with 1 at the first timestep after each change.

    Training leaves out a random share of the observations of each series, which depends on seed, epoch and batch.
    `weight` is the number of timesteps that are seen.
    """

    def __init__(
        self,
        series: DatedSeries,
        mean: NDArray[np.float64],
        deviation: NDArray[np.float64],
        *,
        thinned: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.series, self.mean, self.deviation = series, mean.astype(np.float32), deviation.astype(np.float32)
        self.thinned, self.seed, self.epoch = thinned, seed, 0

    def __len__(self) -> int:
        return len(self.series)

    def set_epoch(self, epoch: int) -> None:
        """Choose what is left out in an epoch."""
        self.epoch = epoch

    def __getitem__(self, index: int) -> Batch:
        return {name: one[0] for name, one in self.__getitems__([index]).items()}

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """A batch."""
        rows = np.asarray(indices)
        own = self.series.rows(rows)
        if self.thinned:
            random = np.random.default_rng((self.seed, self.epoch, int(rows[0])))
            share = random.uniform(0, self.thinned, (len(rows), 1))
            own = type(own)(
                image=own.image,
                dates=own.dates,
                valid=own.valid & (random.random(own.valid.shape) >= share),
                event=own.event,
            )
        scaled = np.where(own.valid[..., None], (own.image - self.mean) / self.deviation, np.float32(0))
        return {
            "image": torch.from_numpy(scaled.astype(np.float32)),
            "dates": torch.from_numpy(own.dates),
            "valid": torch.from_numpy(own.valid),
            "changed": torch.from_numpy(own.changed),
            "weight": torch.from_numpy(own.valid.sum(axis=1).astype(np.float32)),
        }


def moments_of(series: DatedSeries) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(band) means and standard deviations of what is observed.

    Raises:
        InvalidInputError: nothing is, or a band does not vary.
    """
    seen = series.image[series.valid].astype(np.float64)
    if not len(seen):
        raise InvalidInputError("got series without an observation, expected some to learn from")
    mean, deviation = seen.mean(axis=0), seen.std(axis=0)
    if not (deviation > 0).all():
        raise InvalidInputError(f"got band {int(np.argmin(deviation))} without variation, expected some")
    return mean, deviation


def require_changes(series: DatedSeries) -> None:
    """Refuse series of which none changes.

    Raises:
        InvalidInputError: none does.
    """
    if not series.changed.any():
        raise InvalidInputError(f"got {len(series):,} series of which none changes, expected some that do")


def changed_loss(out: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Cross-entropy of whether a change came just before each valid timestep.

    Args:
        out: (batch, 1, time) logits.
        batch: with `changed` and `valid`.
    """
    valid = batch["valid"]
    if not valid.any():
        return (out * 0).sum()
    return torch.nn.functional.binary_cross_entropy_with_logits(out[:, 0][valid], batch["changed"][valid])


def probabilities(
    network: torch.nn.Module, series: DatedSeries, mean: NDArray[Any], deviation: NDArray[Any]
) -> NDArray[np.float32]:
    """(row, time) probability that a change came just before each timestep; 0 where not valid."""
    examples = DatedExamples(series, mean, deviation)
    starts = range(0, len(series), _AT_ONCE)
    batches = (examples.__getitems__(range(start, min(start + _AT_ONCE, len(series)))) for start in starts)
    parts = [_sigmoid(found) for _, found in predict_batches(network, batches, classes=False)]
    return np.concatenate(parts) if parts else np.zeros(series.valid.shape, np.float32)


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = (1 / (1 + np.exp(-np.clip(logits, -60, 60)))).astype(np.float32)
    return found
