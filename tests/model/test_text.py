from __future__ import annotations

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.model.text import nfc


@pytest.mark.parametrize("name", ["Åland", "Côte d'Ivoire", "Türkiye", "São Tomé", "한국"])
def test_names_are_the_same_however_their_letters_are_made(name: str) -> None:
    assert nfc(f" {normalize('NFD', name)} ") == nfc(name) == name


@given(st.text())
def test_once_is_enough(text: str) -> None:
    assert nfc(nfc(text)) == nfc(text)
