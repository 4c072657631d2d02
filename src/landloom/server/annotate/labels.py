"""Label rasters in documents: checked for length before they are decoded; the ledger checks their codes."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode

from landloom.errors import InvalidInputError


def encoded_length(pixels: int) -> int:
    """Length of a raster in base64.

    Example:
        >>> encoded_length(1024)
        1368
    """
    return -(-pixels // 3) * 4


def encode_labels(labels: bytes) -> str:
    r"""A label raster in base64.

    Example:
        >>> encode_labels(b"\x01\x02\x01")
        'AQIB'
    """
    return b64encode(labels).decode()


def decode_labels(text: object, *, most: int) -> bytes:
    r"""A label raster from base64; its exact length is checked against its task, in the ledger.

    Args:
        text: what the client sent.
        most: pixels of the largest task.

    Raises:
        InvalidInputError: no text, too long, or not base64.

    Example:
        >>> decode_labels("AQIB", most=1024)
        b'\x01\x02\x01'
    """
    longest = encoded_length(most)
    if not isinstance(text, str) or not 0 < len(text) <= longest or len(text) % 4:
        got = f"{len(text)} characters" if isinstance(text, str) else type(text).__name__
        raise InvalidInputError(f"labels: got {got}, expected base64, at most {longest} characters")
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInputError("labels: got characters that are not base64") from error
