"""The retry policy: waits are bounded, and what a server asks is read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from landloom.store.patience import retry_after


@pytest.mark.parametrize(("text", "wanted"), [("", None), ("soon", None), ("-5", None), (" 7 ", 7.0)])
def test_retry_after_that_cannot_be_read(text: str, wanted: float | None) -> None:
    assert retry_after(text, datetime(2024, 1, 1, tzinfo=UTC)) == wanted
