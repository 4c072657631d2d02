"""L-TAE: shapes, what changes nothing, and that it learns."""

from __future__ import annotations

import torch
from tests.training.models.series import batch, learn, padded

from landloom.training.models.ltae import LTAE


def model() -> LTAE:
    torch.manual_seed(1)
    return LTAE(bands=3, classes=2, heads=4, width=32, out=32)


def test_it_learns_a_batch() -> None:
    assert learn(model(), batch(), "label") == 1


def test_padding_order_and_invalid_values_change_nothing() -> None:
    own, data = model().eval(), batch()
    expected = own(data["image"], data["dates"], data["valid"])
    longer = padded(data, 3)
    torch.testing.assert_close(own(longer["image"], longer["dates"], longer["valid"]), expected)
    noisy = torch.where(data["valid"][..., None], data["image"], torch.tensor(1e4))
    torch.testing.assert_close(own(noisy, data["dates"], data["valid"]), expected)
    order = [0, *torch.randperm(7, generator=torch.Generator().manual_seed(2)).add(1).tolist()]
    shuffled = own(data["image"][:, order], data["dates"][:, order], data["valid"][:, order])
    torch.testing.assert_close(shuffled, expected)


def test_a_sample_does_not_depend_on_its_batch() -> None:
    own, data = model().train(), batch()
    own.attention.dropout.p = own.attention.mix[3].p = 0.0  # type: ignore[assignment]
    whole = own(data["image"], data["dates"], data["valid"])
    torch.testing.assert_close(own(data["image"][:1], data["dates"][:1], data["valid"][:1]), whole[:1])


def test_dates_of_other_years_are_the_same() -> None:
    own, data = model().eval(), batch()
    expected = own(data["image"], data["dates"], data["valid"])
    torch.testing.assert_close(own(data["image"], data["dates"] + 365, data["valid"]), expected)
    later = own(data["image"], data["dates"] + 90, data["valid"])
    assert not torch.allclose(later, expected, atol=1e-4)
