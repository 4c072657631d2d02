"""Class mappings of parcel files: text or numbers → codes of the class map, recorded completely."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

Unmapped = Literal["error", "unknown", "background", "ignore"]
"""How to treat values that a mapping does not name."""

_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_HIGHEST: Final = 2**32 - 4
"""Highest code; the three above are reserved for background, unknown and ignore."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMapping:
    """Value in the source → code in the class map; recorded completely in `classes.csv` and `corpus.json`.

    Example:
        >>> mapping = class_mapping(["maize", "wheat", "fallow"], {"maize": 1, "wheat": 1}, unmapped="ignore")
        >>> mapping.codes, mapping.ignore, mapping.dtype
        ({'fallow': 255, 'maize': 1, 'wheat': 1}, 255, dtype('uint8'))
        >>> class_mapping([0, 3]).codes
        {'0': 1, '3': 4}
    """

    codes: Mapping[str, int]
    """Value as text → code, sorted by value."""
    background: int
    """Code of pixels that no parcel covers."""
    ignore: int
    """Code of parcels that training should skip."""
    unknown: int
    """Code of parcels whose value the mapping does not name, under the policy `unknown`."""
    dtype: np.dtype[Any]
    """Type of the class map, the smallest that holds every code."""

    def rows(self) -> list[dict[str, str | int]]:
        """Rows of `classes.csv`: `value, code, role` with the role class, background, ignore or unknown."""
        special = {self.background: "background", self.ignore: "ignore", self.unknown: "unknown"}
        named: list[dict[str, str | int]] = [
            {"value": value, "code": code, "role": special.get(code, "class")} for value, code in self.codes.items()
        ]
        for code, role in sorted(special.items()):
            named.append({"value": "", "code": code, "role": role})
        return named

    def apply(self, values: Iterable[object]) -> NDArray[np.int64]:
        """Codes of values that the mapping contains."""
        return np.array([self.codes[value_text(value)] for value in values], dtype=np.int64)


def value_text(value: object) -> str:
    """A value in the notation of mappings: 3, 3.0 and " 3" are the same, "0513" and 513 are not.

    Example:
        >>> value_text(3.0), value_text(" 3"), value_text("0513"), value_text(True)
        ('3', '3', '0513', 'true')
    """
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return unicodedata.normalize("NFC", str(value)).strip()


def class_mapping(
    values: Iterable[object],
    classes: Mapping[Any, int] | None = None,
    *,
    unmapped: Unmapped = "error",
    background: int | None = None,
    ignore: int | None = None,
    unknown: int | None = None,
) -> ClassMapping:
    """Assign a code to every value that occurs.

    Without `classes`, whole numbers from 0 keep their number, unless one of them is the code of the background: then
    all are raised by one, as the published system does. Text gets 1, 2, … in sorted order.

    Args:
        values: values in the source; rows without one must be rejected before.
        classes: value → code, several to one.
        unmapped: how to treat values that `classes` does not name.
        background: code of pixels without a parcel; by default 0, or the number below `unknown` if `classes`
            gives 0 to a class, because the two must differ.
        ignore: code to skip; by default the highest number of the class map's type.
        unknown: code of unnamed values; by default the number below `ignore`.

    Raises:
        InvalidInputError: values without a code under `unmapped="error"`; codes that are negative or taken by
            background, ignore or unknown.
    """
    found = sorted({value_text(value) for value in values})
    named = _default(found, background or 0) if classes is None else _given(classes)
    missing = [value for value in found if value not in named]
    if missing and unmapped == "error":
        raise InvalidInputError(f"got values without a code: {missing[:20]}, expected them in `classes` or a policy")
    top = max([0, background or 0, ignore or 0, unknown or 0, *named.values()])
    bits = next(bits for bits in (8, 16, 32) if top <= 2**bits - 4 or bits == 32)
    dtype = np.dtype(f"uint{bits}")
    highest = 2**bits - 1
    ignore = highest if ignore is None else ignore
    unknown = highest - 1 if unknown is None else unknown
    if background is None:
        background = highest - 2 if 0 in named.values() else 0
    special = {"background": background, "ignore": ignore, "unknown": unknown}
    _check(named, special)
    policy = special.get(unmapped, background)
    codes = {value: named.get(value, policy) for value in sorted({*found, *(named if classes is not None else ())})}
    return ClassMapping(codes=codes, background=background, ignore=ignore, unknown=unknown, dtype=dtype)


def _given(classes: Mapping[Any, int]) -> dict[str, int]:
    result: dict[str, int] = {}
    for value, code in classes.items():
        text = value_text(value)
        if result.get(text, code) != code:
            raise InvalidInputError(f"got the codes {result[text]} and {code} for {text!r}, expected one")
        if not 0 <= code <= _HIGHEST or int(code) != code:
            raise InvalidInputError(f"got code {code!r} for {text!r}, expected a whole number from 0")
        result[text] = int(code)
    return result


def _default(found: list[str], background: int) -> dict[str, int]:
    whole = all(
        value.isascii() and value.isdigit() and (value == "0" or value[0] != "0") and len(value) < 10 for value in found
    )
    if not whole:
        return {value: position + (position >= background > 0) for position, value in enumerate(found, 1)}
    shift = 1 if str(background) in found else 0
    return {value: int(value) + shift for value in found}


def _check(named: Mapping[str, int], special: Mapping[str, int]) -> None:
    if len(set(special.values())) != len(special):
        raise InvalidInputError(f"got the codes {dict(special)}, expected different ones")
    for role, code in special.items():
        taken = [value for value, own in named.items() if own == code]
        if taken and role == "background":
            raise InvalidInputError(
                f"got code {code} for {taken[:5]}, which is the background's: class {code} must differ from it"
            )
