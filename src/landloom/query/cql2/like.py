r"""Patterns of LIKE (CQL2, section 6.5): `%` is any text, `_` one character, a backslash makes the next one plain."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_PART: Final = re.compile(r"\\(.)|([%_])|(.)", re.DOTALL)


def _segments(pattern: str) -> list[str]:
    """Regular expressions of what stands between the `%` of a pattern."""
    segments = [""]
    for part in _PART.finditer(pattern):
        escaped, wildcard, plain = part.groups()
        if wildcard == "%":
            segments.append("")
        else:
            segments[-1] += "." if wildcard else re.escape(escaped or plain)
    return segments


@lru_cache(maxsize=256)
def like(pattern: str) -> Callable[[str], bool]:
    r"""A test of whether a whole text matches a pattern, in time that does not grow with the number of `%`.

    What stands between two `%` is taken where it occurs first and never tried again elsewhere (atomic groups): a later
    place could not help what follows.

    Example:
        >>> held = like(r"33N\_16E%")
        >>> held("33N_16E-243N_29_01"), held("33NX16E-243N_29_01"), like("_R")("FR"), like("%a%b%")("xbxax")
        (True, False, True, False)
    """
    first, *others = _segments(pattern)
    *middle, last = others or [""]
    text = first + "".join(f"(?>.*?{segment})" for segment in middle if segment)
    expression = re.compile(f"{text}.*{last}" if others else first, re.DOTALL)
    return lambda word: expression.fullmatch(word) is not None
