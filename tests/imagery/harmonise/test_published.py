"""Published coefficients, as printed by Claverie et al. (2018): means of the two satellites, and back again."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.imagery.harmonise.normalise import Line
from landloom.imagery.harmonise.published import published_lines
from landloom.model.sensor import LANDSAT_C2_L2, SENTINEL2

PRINTED = {
    "B02": ((0.9778, -0.0040), (0.9778, -0.0040)),
    "B03": ((1.0053, -0.0009), (1.0075, -0.0008)),
    "B04": ((0.9765, 0.0009), (0.9761, 0.0010)),
    "B8A": ((0.9983, -0.0001), (0.9966, 0.0000)),
    "B11": ((0.9987, -0.0011), (1.0000, -0.0003)),
    "B12": ((1.0030, -0.0012), (0.9867, 0.0004)),
}
"""Band → slope and offset of Sentinel-2A and 2B."""


@pytest.mark.parametrize("name", PRINTED)
def test_lines_are_means_of_both_satellites(name: str) -> None:
    (line,) = published_lines([SENTINEL2[name]], "msi", "oli")
    slope, offset = np.mean(PRINTED[name], axis=0)
    assert (line.slope, line.offset / 10_000) == pytest.approx((slope, offset), abs=1e-9)


def test_the_way_back_undoes_them_and_others_have_none() -> None:
    names = ("B2", "B3", "B4", "B5", "B6", "B7")
    back = published_lines([LANDSAT_C2_L2.bands[name] for name in names], "oli", "msi")
    there = published_lines([SENTINEL2[name] for name in PRINTED], "msi", "oli")
    for one, other in zip(back, there, strict=True):
        assert float(one.apply(other.apply(np.float64(1_234.0)))) == pytest.approx(1_234.0)
    assert published_lines([SENTINEL2["B05"]], "msi", "oli") == (Line(),)
    assert published_lines([SENTINEL2["B02"]], "msi", "msi") == (Line(),)
