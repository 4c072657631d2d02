"""Published resource files: labels are exact, and shares that are none are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.errors import InvalidInputError
from landloom.query.index.resources import to_millionths

if TYPE_CHECKING:
    from tests.query.conftest import Truth


def test_labels_of_published_files_are_exact(published: Truth) -> None:
    assert np.array_equal(
        published.corpus.sidecar.shares(np.arange(len(published.ids), dtype=np.int32)), published.shares
    )


def test_shares_that_are_none_are_named() -> None:
    with pytest.raises(InvalidInputError, match="b"):
        to_millionths(np.array([[0.5, 0.5], [0.7, 0.7]]), None, ["a", "b"])
    with pytest.raises(InvalidInputError, match="a"):
        to_millionths(np.array([[1.5, -0.5]]), None, ["a"])
    with pytest.raises(InvalidInputError, match="a"):
        to_millionths(np.array([[np.nan, 1.0]]), None, ["a"])
