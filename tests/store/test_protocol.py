"""A key that passes stays below the root."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import StoreError
from landloom.store.local import LocalStore
from landloom.store.protocol import check_key


@given(st.text())
def test_a_key_that_passes_stays_below_the_root(key: str) -> None:
    try:
        check_key(key)
    except StoreError:
        return
    root = LocalStore("/root-of-a-store")
    assert root.path(key).is_relative_to(root.root)
    assert root.path(key).relative_to(root.root).as_posix() == key
