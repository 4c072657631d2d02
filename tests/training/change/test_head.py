"""The head learns steps, whatever is left out of a series, and is the same for the same seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from landloom.errors import InvalidInputError
from landloom.imagery.change.scores import score_breaks
from landloom.training.change.head import ChangeHead, fit_head
from landloom.training.change.learn import DatedExamples, moments_of, require_changes
from landloom.training.change.series import DatedSeries
from landloom.training.fit.settings import FitSettings
from landloom.training.models.tcn import TCN

if TYPE_CHECKING:
    from pathlib import Path

DAYS = np.arange(0, 365, 10)


def steps(seed: int, pixels: int = 256) -> DatedSeries:
    """Half of the pixels lose their green at a day of their own."""
    rng = np.random.default_rng(seed)
    event = np.where(np.arange(pixels) % 2 == 0, rng.uniform(60, 300, pixels), np.nan)
    nir = np.where(DAYS[None] >= event[:, None], 0.15, 0.4) + rng.normal(0, 0.01, (pixels, len(DAYS)))
    red = 0.1 + rng.normal(0, 0.01, nir.shape)
    return DatedSeries(
        image=np.stack([red, nir], axis=-1).astype(np.float32),
        dates=np.tile(DAYS, (pixels, 1)),
        valid=rng.random(nir.shape) < 0.7,
        event=event[:, None],
    )


def trained(folder: Path) -> ChangeHead:
    torch.manual_seed(0)
    network, series = TCN(2, 1, filters=16), steps(0)
    fit_head(network, series, steps(1, 64), FitSettings(epochs=12, batch=16, rate=5e-3, patience=12), folder)
    mean, deviation = moments_of(series)
    return ChangeHead(network=network, bands=("B04", "B08"), mean=mean, deviation=deviation)


def test_steps_are_learnt_and_dated(tmp_path: Path) -> None:
    head, series = trained(tmp_path), steps(2)
    image = series.image.transpose(1, 2, 0).reshape(len(DAYS), 2, 16, 16)
    found = head.breaks(image, DAYS, series.valid.T.reshape(len(DAYS), 16, 16))
    scores, which = score_breaks(found.date, series.event.reshape(16, 16), (0.0, 365.0))
    assert scores.f1 > 0.85
    assert scores.false_share < 0.05
    there = which == 0
    assert np.median(found.change[0][there]) == pytest.approx(0.2 - 0.6, abs=0.05)
    assert (found.margin[0][there] > 0).all()


def test_what_is_left_out_depends_on_the_epoch_alone() -> None:
    series = steps(0, 32)
    one, other = (DatedExamples(series, *moments_of(series), thinned=0.5, seed=3) for _ in range(2))
    first = one.__getitems__([4, 5, 6])
    assert torch.equal(first["valid"], other.__getitems__([4, 5, 6])["valid"])
    one.set_epoch(1)
    assert not torch.equal(first["valid"], one.__getitems__([4, 5, 6])["valid"])
    assert bool((first["changed"].sum(dim=1) <= 1).all())
    whole = DatedExamples(series, *moments_of(series))[4]
    assert float(whole["weight"]) == series.valid[4].sum()


def test_what_teaches_nothing_is_refused() -> None:
    series = steps(0, 8)
    with pytest.raises(InvalidInputError, match="got 4 series of which none changes"):
        require_changes(series.rows(np.arange(1, 8, 2)))
    with pytest.raises(InvalidInputError, match="band 0 without variation"):
        moments_of(DatedSeries(image=series.image * 0, dates=series.dates, valid=series.valid, event=series.event))
    with pytest.raises(InvalidInputError, match="without an observation"):
        moments_of(DatedSeries(image=series.image, dates=series.dates, valid=series.valid & False, event=series.event))
