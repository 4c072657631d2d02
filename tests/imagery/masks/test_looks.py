"""What looks like cloud: reflectances of known surfaces, from the literature."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.imagery.masks.looks import looks_like_cloud

NAMES = ("blue", "green", "red", "nir", "swir16")
# Surface reflectance in percent, as spectral libraries give it.
SURFACES = {
    "thick cloud": ((60, 61, 62, 64, 45), True),
    "thin cloud over a field": ((22, 23, 22, 38, 28), True),
    "grass": ((3, 7, 4, 45, 22), False),
    "bare soil": ((8, 11, 15, 22, 30), False),
    "deep water": ((5, 4, 2, 1, 0.5), False),
    "fresh snow": ((90, 91, 90, 85, 8), False),
    "no reflectance at all": ((0, 0, 0, 0, 0), False),
}


@pytest.mark.parametrize("name", SURFACES)
def test_known_surfaces(name: str) -> None:
    percent, cloudy = SURFACES[name]
    bands = {band: np.array([[value / 100]]) for band, value in zip(NAMES, percent, strict=True)}
    assert looks_like_cloud(bands).tolist() == [[cloudy]]


def test_snow_needs_the_short_wave_infrared() -> None:
    snow, _ = SURFACES["fresh snow"]
    bands = {band: np.array([value / 100]) for band, value in zip(NAMES[:4], snow, strict=False)}
    assert looks_like_cloud(bands).tolist() == [True]
