"""Losses against PyTorch's own, and the limits of generalised cross-entropy."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy, mse_loss

from landloom.errors import InvalidInputError
from landloom.training.losses import LossSettings, class_loss, value_loss

DRAW = torch.Generator().manual_seed(5)
LOGITS = torch.randn(6, 4, 3, 2, generator=DRAW, dtype=torch.float64)
CLASSES = torch.randint(-1, 4, (6, 3, 2), generator=DRAW)
ONES = torch.ones(6)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_is_pytorchs(smoothing: float) -> None:
    expected = cross_entropy(LOGITS, CLASSES, ignore_index=-1, label_smoothing=smoothing)
    torch.testing.assert_close(class_loss(LOGITS, CLASSES, ONES, LossSettings(smoothing=smoothing)), expected)


def test_shares_are_soft_targets() -> None:
    shares = torch.rand(6, 4, 3, 2, generator=DRAW, dtype=torch.float64)
    shares /= shares.sum(dim=1, keepdim=True)
    torch.testing.assert_close(class_loss(LOGITS, shares, ONES, LossSettings()), cross_entropy(LOGITS, shares))
    shares[:, :, 0] = 0
    rest = class_loss(LOGITS[:, :, 1:], shares[:, :, 1:], ONES, LossSettings(smoothing=0.1))
    torch.testing.assert_close(class_loss(LOGITS, shares, ONES, LossSettings(smoothing=0.1)), rest)


def test_weights_are_repetitions() -> None:
    weight = torch.tensor([0.0, 1, 2, 0, 3, 1])
    repeated = torch.repeat_interleave(torch.arange(6), weight.long())
    expected = class_loss(LOGITS[repeated], CLASSES[repeated], torch.ones(7), LossSettings(q=0.7))
    torch.testing.assert_close(class_loss(LOGITS, CLASSES, weight, LossSettings(q=0.7)), expected)
    per_pixel = weight[:, None, None].expand(6, 3, 2)
    torch.testing.assert_close(class_loss(LOGITS, CLASSES, per_pixel, LossSettings(q=0.7)), expected)


def test_generalised_cross_entropy_lies_between_cross_entropy_and_absolute_error() -> None:
    known = CLASSES.clamp(min=0)
    near = class_loss(LOGITS, known, ONES, LossSettings(q=1e-9))
    torch.testing.assert_close(near, cross_entropy(LOGITS, known), rtol=1e-6, atol=1e-6)
    absolute = 1 - LOGITS.softmax(dim=1).gather(1, known[:, None]).mean()
    torch.testing.assert_close(class_loss(LOGITS, known, ONES, LossSettings(q=1)), absolute)


def test_nothing_to_learn_from_is_zero() -> None:
    logits = LOGITS.clone().requires_grad_()
    loss = class_loss(logits, torch.full_like(CLASSES, -1), ONES, LossSettings())
    torch.autograd.backward(loss)
    assert loss == 0
    assert logits.grad is not None
    assert (logits.grad == 0).all()


def test_squares_are_pytorchs() -> None:
    values, target = LOGITS[:, :1, 0, 0], torch.tensor([1.0, 2, 3, 4, 5, torch.nan], dtype=torch.float64)
    torch.testing.assert_close(value_loss(values, target, ONES), mse_loss(values[:5, 0], target[:5]))


def test_shares_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="smoothing"):
        LossSettings(smoothing=1)
    with pytest.raises(InvalidInputError, match="q 2"):
        LossSettings(q=2)
