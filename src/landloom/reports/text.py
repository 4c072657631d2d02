"""Text that others wrote, made fit to be shown: on a terminal, in a figure, on a page."""

from __future__ import annotations

import unicodedata
from typing import Final

INSTEAD: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands for a character that is never shown as it is."""
_KEPT: Final = frozenset("\n\t\N{NO-BREAK SPACE}")
_HIDDEN: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of control characters, halves of surrogate pairs, private and unassigned ones, separators."""
_TURNING: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of the text around them."""


def plain(text: str) -> str:
    r"""The same text without characters that would steer a terminal or a page; line feeds and tabs stay.

    Example:
        >>> plain("Côte d'Ivoire"), plain("\x1b[2Jgone") == f"{INSTEAD}[2Jgone"
        ("Côte d'Ivoire", True)
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(INSTEAD if _is_hidden(letter) else letter for letter in text)


def plain_line(text: str) -> str:
    r"""The same on one line: line feeds and tabs are replaced, too.

    Example:
        >>> plain_line("a\nb") == f"a{INSTEAD}b"
        True
    """
    return plain(text).replace("\n", INSTEAD).replace("\t", INSTEAD)


def _is_hidden(letter: str) -> bool:
    return letter not in _KEPT and (letter in _TURNING or unicodedata.category(letter) in _HIDDEN)
