"""The retry policy: waits are bounded, and what a server asks is read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.store.patience import Patience, retry_after


@pytest.mark.parametrize(("text", "wanted"), [("", None), ("soon", None), ("-5", None), (" 7 ", 7.0)])
def test_retry_after_that_cannot_be_read(text: str, wanted: float | None) -> None:
    assert retry_after(text, datetime(2024, 1, 1, tzinfo=UTC)) == wanted


@given(
    st.builds(Patience, attempts=st.integers(1, 9), first_wait=st.floats(0.1, 5), longest_wait=st.floats(1, 100)),
    st.integers(1, 60),
    st.floats(0, 1, exclude_max=True),
    st.none() | st.floats(0, 100),
)
def test_waits_are_drawn_from_the_upper_half_and_never_shorter_than_asked(
    patience: Patience, failures: int, lot: float, asked: float | None
) -> None:
    bound = min(patience.first_wait * 2 ** (failures - 1), patience.longest_wait)
    wait = patience.pause(failures, asked, draw=lambda: lot)
    if asked is None:
        assert bound / 2 <= wait <= bound
    else:
        assert asked <= wait <= asked + 1
