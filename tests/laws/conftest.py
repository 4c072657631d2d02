"""What the laws may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.readers import Limited

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def limited() -> Iterator[Limited]:
    """A process with little memory for each call of a reader."""
    with Limited() as process:
        yield process
