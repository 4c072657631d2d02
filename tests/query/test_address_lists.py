"""Addresses made by the hundred thousand equal those that the layout gives one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.corpus.layout import ANY_SAMPLE, Layout
from landloom.errors import InvalidIdentityError
from landloom.model.ids import SampleId
from landloom.model.product import product
from landloom.query.address_lists import blocks, directories_of, filled

LAYOUT = Layout(name="demo", version="1.0")
IDS = st.builds(
    "{:02d}{}_{:02d}E-{:03d}N_{:02d}_{:02d}".format,
    st.integers(1, 60),
    st.sampled_from("NS"),
    st.integers(7, 34),
    st.integers(0, 388),
    st.integers(1, 40),
    st.integers(1, 40),
)


@given(st.lists(IDS, max_size=20), st.sampled_from(["", "https://example.org/x/"]))
def test_every_line_is_the_layouts_own_address(ids: list[str], base: str) -> None:
    asked = np.array(ids, dtype="S18")
    keys = [
        LAYOUT.label(ANY_SAMPLE),
        *(LAYOUT.chip(ANY_SAMPLE, product("s2"), f"2018-{month:02d}") for month in (1, 2)),
    ]
    found = b"".join(blocks(directories_of(asked), asked, keys, base)).decode().splitlines()
    samples = [SampleId.parse(text) for text in ids]
    assert found == [
        f"{base}{key}"
        for sample in samples
        for key in (
            LAYOUT.label(sample),
            *(LAYOUT.chip(sample, product("s2"), f"2018-{month:02d}") for month in (1, 2)),
        )
    ]


@given(st.lists(IDS, min_size=1, max_size=9))
def test_folders_are_those_of_the_layout(ids: list[str]) -> None:
    found = directories_of(np.array(ids, dtype="S")).astype(str).tolist()
    assert found == [Layout.tile_folder(SampleId.parse(text)) for text in ids]


@pytest.mark.parametrize(
    "text", [b"33N_16E-243N_29_1", b"33X_16E-243N_29_01", b"33N_16W-243N_29_01", b"33N-16E-243N_29_01"]
)
def test_the_first_id_that_is_none_is_named(text: bytes) -> None:
    with pytest.raises(InvalidIdentityError, match=text.decode()):
        directories_of(np.array([b"33N_16E-243N_29_01", text], dtype="S18"))


def test_nothing_gives_nothing() -> None:
    empty = np.empty(0, dtype="S18")
    assert len(directories_of(empty)) == 0
    assert list(blocks(directories_of(empty), empty, ["a"])) == []
    one = np.array([b"33N_16E-243N_29_01"])
    assert list(blocks(directories_of(one), one, [])) == []


def test_gaps_that_stand_apart_are_filled_too() -> None:
    one = np.array([b"33N_16E-243N_29_01"])
    keys = [f"a/{Layout.tile_folder(ANY_SAMPLE)}", f"b/{ANY_SAMPLE}.txt", "c"]
    lines = b"".join(blocks(directories_of(one), one, keys)).decode().splitlines()
    assert lines == [filled(key, "33N/16E-243N", "33N_16E-243N_29_01") for key in keys]
