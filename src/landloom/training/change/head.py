"""A trained network that dates changes, with what it needs: of series of pixels to dated breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.imagery.change.indices import index_bands
from landloom.training.change.breaks import dated_breaks
from landloom.training.change.learn import THINNED, DatedExamples, changed_loss, moments_of, probabilities
from landloom.training.change.series import DatedSeries
from landloom.training.fit.batches import whole
from landloom.training.fit.networks import Parts, fit_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    from landloom.imagery.change.breaks import Breaks
    from landloom.training.fit.networks import Fitted, Row
    from landloom.training.fit.settings import FitSettings

INDEX: Final = "ndvi"
"""Index whose change is the magnitude."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChangeHead:
    """A network and the moments that its images are normalised by."""

    network: torch.nn.Module
    bands: tuple[str, ...]
    mean: NDArray[np.float64]
    """(band)."""
    deviation: NDArray[np.float64]
    """(band)."""

    def breaks(
        self, image: NDArray[np.float32], dates: NDArray[np.int64], valid: NDArray[np.bool_], most: int = 2
    ) -> Breaks:
        """Breaks of all pixels of an image series, with their probability as score.

        Args:
            image: (time, band, y, x) reflectance.
            dates: (time) days.
            valid: (time, y, x).
            most: breaks of a pixel.

        Raises:
            InvalidInputError: bands without those of the index.
        """
        high, low = index_bands(INDEX, self.bands)
        times, _, height, width = image.shape
        series = DatedSeries(
            image=np.ascontiguousarray(image.reshape(times, image.shape[1], -1).transpose(2, 0, 1)),
            dates=np.tile(dates, (height * width, 1)),
            valid=np.ascontiguousarray(valid.reshape(times, -1).T),
            event=np.full((height * width, 1), np.nan),
        )
        chance = probabilities(self.network, series, self.mean, self.deviation)
        total = image[:, high] + image[:, low]
        index = np.where(total > 0, (image[:, high] - image[:, low]) / np.where(total > 0, total, 1), 0)
        return dated_breaks(
            np.ascontiguousarray(chance.T).reshape(times, height, width),
            index.astype(np.float32),
            valid,
            dates,
            most=most,
        )


def fit_head(
    network: torch.nn.Module,
    train: DatedSeries,
    val: DatedSeries | None,
    settings: FitSettings,
    folder: Path,
    heard: Callable[[Row], None] = lambda _: None,
) -> Fitted:
    """Train a network, or go on where a killed run stopped.

    Args:
        network: with first weights; trained in place.
        train: series whose changes are known; images are normalised by their moments.
        val: series by whose loss training stops, if any.
        settings: how.
        folder: for the checkpoint.
        heard: is called after every epoch.

    Raises:
        InvalidInputError: no series, or no loss that is a number.
    """
    moments = moments_of(train)
    parts = Parts(
        train=DatedExamples(train, *moments, thinned=THINNED, seed=settings.seed),
        val=None if val is None else DatedExamples(val, *moments),
        collate=whole,
        loss=changed_loss,
    )
    return fit_network(network, parts, settings, folder, heard)
