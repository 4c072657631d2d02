"""TempCNN: shapes, what changes nothing, what is refused, and that it learns."""

from __future__ import annotations

import pytest
import torch
from tests.training.models.series import batch, learn, padded

from landloom.errors import InvalidInputError
from landloom.training.models.tempcnn import TempCNN


def model(timesteps: int = 8) -> TempCNN:
    torch.manual_seed(1)
    return TempCNN(bands=3, classes=2, timesteps=timesteps, filters=8, dense=16, dropout=0.1)


def test_it_learns_a_batch() -> None:
    assert learn(model(), batch(), "label") == 1


def test_padding_and_invalid_values_change_nothing() -> None:
    own, data = model().eval(), batch()
    expected = own(data["image"], data["dates"], data["valid"])
    assert expected.shape == (12, 2)
    longer = padded(data, 3)
    assert torch.equal(own(longer["image"], longer["dates"], longer["valid"]), expected)
    noisy = torch.where(data["valid"][..., None], data["image"], torch.tensor(1e4))
    assert torch.equal(own(noisy, data["dates"], data["valid"]), expected)
    wide = model(11).eval()
    torch.testing.assert_close(
        wide(data["image"], data["dates"], data["valid"]), wide(longer["image"], longer["dates"], longer["valid"])
    )


def test_series_that_are_too_long_and_even_kernels_are_refused() -> None:
    data = batch(time=9)
    with pytest.raises(InvalidInputError, match="got series of 9 timesteps, expected at most 8"):
        model()(data["image"], data["dates"], data["valid"])
    with pytest.raises(InvalidInputError, match="expected an odd number"):
        TempCNN(bands=3, classes=2, timesteps=8, kernel=4)
