"""Pretraining: the validity layer is the mask, a killed run goes on, and it is worth something."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from tests.training.pretrain.series import seasons

from landloom.errors import InvalidInputError
from landloom.training.fit.settings import FitSettings
from landloom.training.pretrain.learn import PretrainSettings, Scale, UnlabelledSeries, pretrain, random_encoder
from landloom.training.pretrain.probe import filled_series, linear_probe

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.training.pretrain.learn import Pretrained

SMALL = PretrainSettings(
    options={"width": 16, "heads": 2, "layers": 1, "out": 8, "hidden": 16},
    fit=FitSettings(epochs=4, batch=16, rate=5e-3, patience=9, seed=2),
)


def run(folder: Path, series: UnlabelledSeries, settings: PretrainSettings = SMALL, **more: Any) -> Pretrained:
    folder.mkdir(exist_ok=True)
    return pretrain(series, settings, folder, **more)


def weights(made: Pretrained) -> list[torch.Tensor]:
    return list(made.network.state_dict().values())


def test_what_is_not_valid_changes_nothing(tmp_path: Path) -> None:
    series, _ = seasons()
    noise = np.random.default_rng(5).normal(0, 9, series.image.shape).astype(np.float32)
    other = replace(series, image=np.where(series.valid[..., None], series.image, noise))
    first, second = run(tmp_path / "first", series), run(tmp_path / "second", other)
    assert first.history == second.history
    assert all(torch.equal(one, two) for one, two in zip(weights(first), weights(second), strict=True))
    assert np.array_equal(first.embed(series), second.embed(other))


def test_padding_changes_nothing(tmp_path: Path) -> None:
    series, _ = seasons()
    made = run(tmp_path, series)
    more = ((0, 0), (0, 5))
    padded = UnlabelledSeries(
        image=np.pad(series.image, (*more, (0, 0))), dates=np.pad(series.dates, more), valid=np.pad(series.valid, more)
    )
    assert np.abs(made.embed(series) - made.embed(padded)).max() < 1e-5
    alone = series.rows(np.array([7]))
    assert np.abs(made.embed(series)[7] - made.embed(alone)[0]).max() < 1e-5


def test_a_run_that_was_stopped_goes_on_with_the_same_numbers(tmp_path: Path) -> None:
    series, _ = seasons()
    expected = run(tmp_path / "whole", series)

    def stop(row: dict[str, float]) -> None:
        if row["epoch"] == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", series, heard=stop)
    found = run(tmp_path / "stopped", series)
    assert found.history == expected.history
    assert all(torch.equal(one, two) for one, two in zip(weights(found), weights(expected), strict=True))


def test_it_learns_to_tell_hidden_timesteps_and_helps_a_probe(tmp_path: Path) -> None:
    series, late = seasons(400)
    settings = replace(SMALL, fit=replace(SMALL.fit, epochs=25, batch=32))
    made = run(tmp_path, series, settings)
    losses = [row["val_loss"] for row in made.history]
    assert losses[-1] < losses[0] / 2
    before = random_encoder(2, made.scale, settings)
    asked, truth = seasons(400, seed=1)
    right = {
        name: (linear_probe(one.embed(series)[:20], late[:20], one.embed(asked)) == truth).mean()
        for name, one in (("before", before), ("after", made))
    }
    assert right["after"] > 0.95
    assert right["after"] > right["before"]


def test_what_cannot_be_learnt_from_is_refused(tmp_path: Path) -> None:
    series, _ = seasons(20)
    with pytest.raises(InvalidInputError, match="got 0 series with two valid timesteps"):
        run(tmp_path, replace(series, valid=np.zeros_like(series.valid)))
    with pytest.raises(InvalidInputError, match="without variation"):
        Scale.of(replace(series, image=np.ones_like(series.image)))
    with pytest.raises(InvalidInputError, match="got options"):
        random_encoder(2, Scale.of(series), PretrainSettings(options={"wide": 3}))
    with pytest.raises(InvalidInputError, match="even multiple"):
        random_encoder(2, Scale.of(series), PretrainSettings(options={"width": 10, "heads": 4}))
    nothing = replace(series, valid=np.zeros_like(series.valid))
    assert np.isnan(random_encoder(2, Scale.of(series), SMALL).embed(nothing)).all()


def test_filled_series_are_those_of_numpy() -> None:
    series, _ = seasons(30)
    found = filled_series(series.image, series.dates, series.valid).reshape(series.image.shape)
    for row in range(30):
        there = series.valid[row]
        for band in range(2):
            line = np.interp(series.dates[row], series.dates[row][there], series.image[row, there, band])
            assert np.allclose(found[row, :, band], line, atol=1e-6)
