"""Values of metadata in the spellings that providers use: numbers and flags as text, baselines, platforms, levels.

Each function gives the one value that a spelling stands for, or raises `InvalidValueError`; what cannot be understood
is never guessed.
"""

from __future__ import annotations

import math
import re
from typing import Final

from landloom.errors import InvalidValueError

ROUNDED: Final = 0.5
"""Percent by which a stated percentage may leave 0 to 100 and still be rounded to the nearer end."""
_TRUE: Final = frozenset({"true", "yes", "y", "1", "on"})
_FALSE: Final = frozenset({"false", "no", "n", "0", "off"})
_SENTINEL_2: Final = re.compile(r"(?:sentinel|s)[-_ ]?0?2[-_ ]?([a-d])?")
_LANDSAT: Final = re.compile(r"(?:landsat|l[cteo]?)[-_ ]?0?([1-9])")
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_BASELINE: Final = re.compile(r"[Nn]?([0-9]{1,2})\.([0-9]{1,2})|[Nn]?([0-9]{2})([0-9]{2})|[Nn]?([0-9]{1,2})")
_LEVEL: Final = re.compile(r"(?:s2msi|msi)?[ _-]*(?:l|level)?[ _-]*(1c|2a|1|2)p?")
_EPSG: Final = re.compile(
    r"(?:epsg:|urn:ogc:def:crs:epsg:[^:]*:|https?://www\.opengis\.net/def/crs/epsg/[^/]+/)?([0-9]+)(?:\.0)?"
)


def is_absent(value: object) -> bool:
    """Whether a value is missing; tables have NaN where JSON has no key.

    Example:
        >>> is_absent(None), is_absent(float("nan")), is_absent(""), is_absent(0)
        (True, True, True, False)
    """
    return (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or (isinstance(value, str) and not value.strip())
    )


def number(value: object) -> float:
    """A finite number, as one or as text.

    Example:
        >>> number(" 12.5 "), number("12.5 %"), number(7)
        (12.5, 12.5, 7.0)
    """
    if isinstance(value, str):
        text = value.strip().removesuffix("%").strip()
        found = float(text) if _NUMBER.fullmatch(text) else math.nan
    else:
        whole = isinstance(value, int | float) and not isinstance(value, bool)
        try:
            found = float(value) if whole else math.nan  # type: ignore[arg-type]
        except OverflowError:
            found = math.inf
    if not math.isfinite(found):
        raise InvalidValueError(f"got {value!r}, expected a number")
    return found


def whole_number(value: object) -> int:
    """A whole number, as one or as text.

    Example:
        >>> whole_number("22"), whole_number(22.0)
        (22, 22)
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = number(value)
    if not found.is_integer():
        raise InvalidValueError(f"got {value!r}, expected a whole number")
    return int(found)


def percentage(value: object) -> float:
    """Percent from 0 to 100; what rounding took a little beyond is brought back.

    Example:
        >>> percentage("12.5"), percentage(100.00000000000001), percentage(100.2)
        (12.5, 100.0, 100.0)
    """
    found = number(value)
    if not -ROUNDED < found < 100 + ROUNDED:
        raise InvalidValueError(f"got {value!r}, expected a percentage from 0 to 100")
    return min(max(found, 0.0), 100.0)


def flag(value: object) -> bool:
    """Yes or no, as a boolean, a number or text.

    Example:
        >>> flag("True"), flag(0)
        (True, False)
    """
    text = str(value).strip().lower() if isinstance(value, bool | int | str) else ""
    if text in _TRUE | _FALSE:
        return text in _TRUE
    raise InvalidValueError(f"got {value!r}, expected true or false")


def baseline_name(value: object) -> str:
    """A processing baseline such as `05.09`, from a number or text in any of ESA's forms.

    Example:
        >>> baseline_name(2.06), baseline_name("N0500"), baseline_name("05.1"), baseline_name("0509"), baseline_name(4)
        ('02.06', '05.00', '05.10', '05.09', '04.00')
    """
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    match = _BASELINE.fullmatch(text)
    if match is None:
        raise InvalidValueError(f"got {value!r}, expected a baseline such as 05.09")
    whole, part = match[1] or match[3] or match[5], match[2] or match[4] or "0"
    return f"{int(whole):02d}.{part:0<2}"


def platform_name(text: str) -> str:
    """The one spelling of a platform: `sentinel-2a`, `landsat-8`; others in small letters with hyphens.

    Example:
        >>> platform_name("S2A"), platform_name("SENTINEL_2B"), platform_name("Landsat 8"), platform_name("LANDSAT_9")
        ('sentinel-2a', 'sentinel-2b', 'landsat-8', 'landsat-9')
        >>> platform_name("Terra")
        'terra'
    """
    small = " ".join(text.lower().split())
    if match := _SENTINEL_2.fullmatch(small):
        return f"sentinel-2{match[1] or ''}"
    if match := _LANDSAT.fullmatch(small):
        return f"landsat-{match[1]}"
    return re.sub(r"[ _]", "-", small)


def level_name(text: str) -> str:
    """A processing level of Sentinel-2: `L1C` or `L2A`.

    Example:
        >>> level_name("S2MSI2A"), level_name("Level-1C"), level_name("L2"), level_name("S2MSI2Ap")
        ('L2A', 'L1C', 'L2A', 'L2A')
    """
    match = _LEVEL.fullmatch(text.strip().lower())
    if match is None:
        raise InvalidValueError(f"got {text!r}, expected L1C or L2A")
    return {"1": "L1C", "2": "L2A"}.get(match[1], f"L{match[1].upper()}")


def epsg_code(value: object) -> int:
    """An EPSG code, from a number or any way to write its name.

    Example:
        >>> epsg_code(32633.0), epsg_code("EPSG:32633"), epsg_code("urn:ogc:def:crs:EPSG::32633")
        (32633, 32633, 32633)
    """
    text = str(value).strip().lower() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    match = _EPSG.fullmatch(text)
    if match is None or not 1024 <= int(match[1]) <= 1_000_000:
        raise InvalidValueError(f"got {value!r}, expected an EPSG code")
    return int(match[1])
