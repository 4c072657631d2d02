"""How far colours lie apart, as seen by people of any colour vision.

Differences are those of CIEDE2000 (Sharma, Wu and Dalal 2005, Color Research and Application 30(1)) between sRGB
colours under D65. What people without cones for long (protanopia) or middle wavelengths (deuteranopia) see is simulated
in linear RGB (Machado, Oliveira and Fernandes 2009, IEEE TVCG 15(6), severity 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

VISIONS: Final[dict[str, tuple[tuple[float, ...], ...]]] = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
}
"""Kind of vision → matrix from linear RGB to the linear RGB that looks the same."""
_XYZ: Final = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE: Final = np.array([0.95047, 1.0, 1.08883])


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of a colour, 0 to 255.

    Example:
        >>> rgb("#1f5fbf")
        (31, 95, 191)
    """
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def lab(colours: Sequence[str], vision: str = "normal") -> NDArray[np.float64]:
    """CIE L*a*b* of colours, (n, 3), as people of a kind of vision see them.

    Example:
        >>> np.round(lab(["#ffffff", "#000000"])[:, 0]).tolist()
        [100.0, 0.0]
    """
    part = np.array([rgb(colour) for colour in colours], np.float64).reshape(-1, 3) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    tone = np.clip(linear @ np.array(VISIONS[vision]).T, 0, 1) @ _XYZ.T / _WHITE
    curve = np.where(tone > 216 / 24389, np.cbrt(tone), (24389 / 27 * tone + 16) / 116)
    x, y, z = curve.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def difference(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """CIEDE2000 between colours in L*a*b*, over the last axis.

    Example:
        >>> float(difference(np.array([50, 2.6772, -79.7751]), np.array([50, 0, -82.7485])).round(4))
        2.0425
    """
    (l1, a1, b1), (l2, a2, b2) = (np.moveaxis(np.asarray(one, np.float64), -1, 0) for one in (first, second))
    seventh = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(seventh / (seventh + 25.0**7))
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a * stretch)) % 360 for a, b in ((a1, b1), (a2, b2)))
    grey = c1 * c2 == 0
    turn = np.where(grey, 0.0, (h2 - h1 + 180) % 360 - 180)
    far = np.abs(h1 - h2) > 180
    middle = np.where(grey, h1 + h2, (h1 + h2 + 360.0 * far) / 2 % 360)
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    return _weighted((l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))), lightness, chroma, middle)


def _weighted(parts: tuple[Any, Any, Any], lightness: Any, chroma: Any, hue: Any) -> NDArray[np.float64]:
    """Length of a difference in lightness, chroma and hue, weighted as the eye weights them there."""

    def cosine(times: int, shift: float) -> Any:
        return np.cos(np.radians(times * hue + shift))

    tint = 1 - 0.17 * cosine(1, -30) + 0.24 * cosine(2, 0) + 0.32 * cosine(3, 6) - 0.2 * cosine(4, -63)
    away = (lightness - 50) ** 2
    weights = (1 + 0.015 * away / np.sqrt(20 + away), 1 + 0.045 * chroma, 1 + 0.015 * chroma * tint)
    light, strong, shade = (part / weight for part, weight in zip(parts, weights, strict=True))
    seventh = chroma**7
    angle = np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2)))
    turned = -2 * np.sqrt(seventh / (seventh + 25.0**7)) * np.sin(angle)
    found: NDArray[np.float64] = np.sqrt(light**2 + strong**2 + shade**2 + turned * strong * shade)
    return found


def least_difference(colours: Sequence[str], vision: str | None = None) -> float:
    """The smallest difference between any two colours; over all kinds of vision, unless one is named.

    Args:
        colours: two or more.
        vision: a key of `VISIONS`.

    Example:
        >>> least_difference(["#d98032", "#8a9a3b"]) < 4 < 30 < least_difference(["#d98032", "#8a9a3b"], "normal")
        True
    """
    first, second = np.triu_indices(len(colours), 1)
    seen = [lab(colours, name) for name in ([vision] if vision else VISIONS)]
    return min(float(difference(one[first], one[second]).min()) for one in seen)
