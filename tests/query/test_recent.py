"""A keeper of few values against a list kept by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from landloom.query.recent import Kept


@given(st.lists(st.sampled_from("abcdef"), max_size=40), st.integers(1, 4))
def test_the_values_used_last_are_kept_and_made_once(asked: list[str], most: int) -> None:
    kept, made, order = Kept[str](most), list[str](), list[str]()
    for name in asked:
        expected = name not in order
        order = [*(one for one in order if one != name), name][-most:]
        before = len(made)

        def make(name: str = name) -> str:
            made.append(name)
            return name.upper()

        assert kept.get(name, make) == name.upper()
        assert (len(made) > before) == expected
        assert [one for one in "abcdef" if one in kept] == sorted(order)
