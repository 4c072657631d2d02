"""U-TAE: shapes of any size, what changes nothing, what is refused, and that it learns."""

from __future__ import annotations

import pytest
import torch
from tests.training.models.series import images, learn, padded

from landloom.errors import InvalidInputError
from landloom.training.models.utae import UTAE


def model() -> UTAE:
    torch.manual_seed(1)
    return UTAE(bands=2, classes=2, encoder=(8, 8, 16), decoder=(8, 8, 16), heads=4, width=16)


def test_it_learns_a_batch() -> None:
    assert learn(model(), images(), "mask", steps=40) > 0.97


@pytest.mark.parametrize("size", [1, 5, 8, 13])
def test_images_of_any_size(size: int) -> None:
    data = images(size=size, time=3)
    assert model()(data["image"], data["dates"], data["valid"]).shape == (2, 2, size, size)


def test_padding_order_and_invalid_values_change_nothing() -> None:
    own, data = model().eval(), images()
    expected = own(data["image"], data["dates"], data["valid"])
    longer = padded(data, 2)
    torch.testing.assert_close(own(longer["image"], longer["dates"], longer["valid"]), expected)
    noisy = torch.where(data["valid"][:, :, None], data["image"], torch.tensor(1e4))
    torch.testing.assert_close(own(noisy, data["dates"], data["valid"]), expected)
    order = [0, 3, 1, 2]
    shuffled = own(data["image"][:, order], data["dates"][:, order], data["valid"][:, order])
    torch.testing.assert_close(shuffled, expected, atol=1e-5, rtol=1e-4)


def test_a_batch_without_any_valid_pixel_is_finite() -> None:
    data = images()
    out = model()(data["image"], data["dates"], torch.zeros_like(data["valid"]))
    assert out.isfinite().all()
    torch.autograd.backward(out.sum())


def test_channels_have_to_fit() -> None:
    with pytest.raises(InvalidInputError, match="expected as many levels, the coarsest equal"):
        UTAE(bands=2, classes=2, encoder=(16, 16), decoder=(16, 32))
    with pytest.raises(InvalidInputError, match="got 24 channels, expected multiples of 4, in the encoder of 16"):
        UTAE(bands=2, classes=2, encoder=(24, 16), decoder=(16, 16))
