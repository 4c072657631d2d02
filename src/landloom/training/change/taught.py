"""A head for the judge: taught by other worlds than those that it is judged on."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import torch

from landloom.simulate.judge.change import CHANGE_BANDS
from landloom.training.change.head import ChangeHead, fit_head
from landloom.training.change.learn import moments_of
from landloom.training.change.series import DatedSeries
from landloom.training.change.worlds import SEEDS, STOPPED_BY, world_series
from landloom.training.fit.settings import FitSettings
from landloom.training.models.table import make_network

if TYPE_CHECKING:
    from collections.abc import Callable

PIXELS: Final = 600
"""Of each world that is learnt from."""
SETTINGS: Final = FitSettings(epochs=30, batch=64, rate=2e-3, patience=8, accelerator="cpu")


def taught_head(
    worlds: int = len(SEEDS), settings: FitSettings = SETTINGS, done: Callable[[str], None] = lambda _: None
) -> ChangeHead:
    """Train the head in the bands of the judge; the same call gives the same head on one CPU.

    Args:
        worlds: that it learns from.
        settings: how it is trained.
        done: is called after each step.
    """
    parts = []
    for seed in SEEDS[:worlds]:
        parts.append(world_series(seed, CHANGE_BANDS, PIXELS))
        done(f"world {seed}")
    train, val = DatedSeries.joined(parts), world_series(STOPPED_BY, CHANGE_BANDS, PIXELS)
    torch.manual_seed(settings.seed)
    network = make_network("tcn", bands=len(CHANGE_BANDS), outputs=1, timesteps=0, options={})
    with TemporaryDirectory() as folder:
        fitted = fit_head(network, train, val, settings, Path(folder), lambda row: done(f"epoch {row['epoch']:.0f}"))
    network.load_state_dict(dict(fitted.weights))
    mean, deviation = moments_of(train)
    return ChangeHead(network=network, bands=CHANGE_BANDS, mean=mean, deviation=deviation)
