"""Label rasters in requests: checked for length before they are decoded, and for codes before they are kept."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable


def encoded_length(pixels: int) -> int:
    """Length of a raster in base64.

    Example:
        >>> encoded_length(1024)
        1368
    """
    return -(-pixels // 3) * 4


def decode_labels(text: object, pixels: int) -> bytes:
    """A label raster from base64.

    Args:
        text: what the client sent.
        pixels: pixels of the task.

    Raises:
        InvalidInputError: no text, another length, or not base64.

    Example:
        >>> decode_labels("AQIB", 3)
        b'\\x01\\x02\\x01'
    """
    if not isinstance(text, str) or len(text) != encoded_length(pixels):
        got = f"{len(text)} characters" if isinstance(text, str) else type(text).__name__
        raise InvalidInputError(f"labels: got {got}, expected {encoded_length(pixels)} of base64 for {pixels} pixels")
    try:
        labels = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInputError("labels: got characters that are not base64") from error
    return check_length(labels, pixels)


def check_length(labels: bytes, pixels: int) -> bytes:
    """Refuse a raster of another length.

    Raises:
        InvalidInputError: it has another length.
    """
    if len(labels) != pixels:
        raise InvalidInputError(f"labels: got {len(labels)} bytes, expected {pixels}, one for each pixel")
    return labels


def check_codes(labels: bytes, codes: Iterable[int], *, whole: bool) -> bytes:
    """Refuse codes that are not the campaign's.

    Args:
        labels: uint8 codes.
        codes: those of the campaign.
        whole: whether 0, not labelled, is refused as well.

    Raises:
        InvalidInputError: there are others.

    Example:
        >>> check_codes(b"\\x01\\x09", [1, 2], whole=True)
        Traceback (most recent call last):
            ...
        landloom.errors.InvalidInputError: labels: got code 9, expected codes of the campaign's classes: 1, 2
    """
    known = sorted(codes)
    others = labels.translate(None, bytes(known if whole else [0, *known]))
    if others:
        expected = f"codes of the campaign's classes: {', '.join(map(str, known))}"
        raise InvalidInputError(f"labels: got code {min(others)}, expected {expected}")
    return labels
