"""Text as people compare it."""

from __future__ import annotations

from unicodedata import normalize


def nfc(text: str) -> str:
    r"""Text in Unicode's composed form, without blanks around it: what looks the same is the same.

    Example:
        >>> nfc(" A\u030aland ") == "\u00c5land"
        True
    """
    return normalize("NFC", text).strip()
