"""The network that dates changes: what is not valid changes nothing, and neither does padding."""

from __future__ import annotations

import pytest
import torch

from landloom.errors import InvalidInputError
from landloom.training.models.tcn import TCN


def test_what_is_not_valid_changes_nothing() -> None:
    torch.manual_seed(0)
    network = TCN(3, 1).eval()
    image, dates = torch.rand(2, 20, 3), torch.arange(0, 100, 5).repeat(2, 1)
    valid = torch.rand(2, 20) < 0.6
    own = network(image, dates, valid)
    other = torch.where(valid[..., None], image, torch.rand(2, 20, 3))
    torch.testing.assert_close(network(other, dates, valid), own)
    assert (own[:, 0][~valid] < -1e30).all()
    more = (torch.nn.functional.pad(one, pad) for one, pad in ((image, (0, 0, 0, 4)), (dates, (0, 4)), (valid, (0, 4))))
    torch.testing.assert_close(network(*more)[..., :20], own)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="got series of 2 bands, expected 3"):
        TCN(3, 1)(torch.zeros(1, 4, 2), torch.zeros(1, 4, dtype=torch.int64), torch.ones(1, 4, dtype=torch.bool))
    with pytest.raises(InvalidInputError, match="expected a multiple of 4"):
        TCN(3, 1, filters=6)
