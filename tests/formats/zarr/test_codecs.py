"""Compression of cubes: any bytes are decoded or refused by name."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.formats.zarr.codecs import CODECS, LEVELS, codec_document, codec_named, compress, decompress, read_codec

if TYPE_CHECKING:
    from landloom.formats.zarr.codecs import Codec

NUMBERS = np.random.default_rng(5).integers(0, 200, (4, 3, 5, 7)).astype("<u2")


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("dtype", ["u1", "<u2", "<f4", "<f8"])
def test_numbers_come_back(codec: Codec, dtype: str) -> None:
    numbers = NUMBERS.astype(dtype)
    room = np.empty_like(numbers)
    decompress(codec, compress(codec, numbers[:, :, ::-1]), room, "a")
    np.testing.assert_array_equal(room, numbers[:, :, ::-1])
    document = codec_document(codec, dtype, LEVELS[codec])
    assert read_codec(document) == (codec, LEVELS[codec])


def test_shuffled_bytes_are_smaller() -> None:
    """Blosc must know the size of a number, which is what its shuffling needs."""
    ramp = np.arange(20_000, dtype="<u2")
    assert len(compress("lz4", ramp)) < ramp.nbytes / 20


@pytest.mark.parametrize("codec", CODECS)
@given(place=st.integers(0, 600), flip=st.integers(1, 255), cut=st.integers(0, 40))
@settings(max_examples=60)
def test_damaged_bytes_are_named(codec: Codec, place: int, flip: int, cut: int) -> None:
    """Numbers may differ, since checksums are elsewhere, but nothing else happens than an error with the name."""
    chunk, room = bytearray(compress(codec, NUMBERS)), np.empty_like(NUMBERS)
    chunk[place % len(chunk)] ^= flip
    with suppress(InvalidInputError):
        decompress(codec, bytes(chunk), room, "sample 3")
    with pytest.raises(InvalidInputError, match="sample 3"):
        decompress(codec, bytes(chunk[:cut]), room, "sample 3")


@pytest.mark.parametrize("codec", CODECS)
def test_other_sizes_are_refused(codec: Codec) -> None:
    chunk = compress(codec, NUMBERS)
    for numbers in (NUMBERS[:2], np.concatenate([NUMBERS, NUMBERS])):
        with pytest.raises(InvalidInputError, match="a"):
            decompress(codec, chunk, np.empty_like(numbers), "a")


def test_other_codecs_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="expected zstd or lz4"):
        codec_named("gzip")
