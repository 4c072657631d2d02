"""Differences of colours against published examples."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.model.rendering.colour import difference, lab


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [  # Sharma, Wu and Dalal 2005, table 1
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_published_differences(first: tuple[float, ...], second: tuple[float, ...], wanted: float) -> None:
    assert difference(np.array(first), np.array(second)).round(4) == wanted
    assert difference(np.array(second), np.array(first)).round(4) == wanted


def test_red_and_green_look_alike_without_their_cones() -> None:
    pair = lab(["#8a6e2f", "#6e7a2f"]), lab(["#8a6e2f", "#6e7a2f"], "deuteranopia")
    normal, seen = (float(difference(one[0], one[1])) for one in pair)
    assert seen < normal / 2
    for vision in ("normal", "protanopia", "deuteranopia"):
        grey = lab(["#777777"], vision)[0]
        assert np.abs(grey[1:]).max() < 0.05  # greys stay grey
