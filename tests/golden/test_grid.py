"""Known answers of the published corpus and of published scenes."""

from __future__ import annotations

import pytest
import shapely

from landloom.model.granules import granule_grid
from landloom.model.ids import GranuleId, SampleId

PUBLISHED = {
    "35N_19E-292N_23_31": ((26.49348, 63.29178), (26.49338, 63.29717)),
    "35N_19E-292N_01_05": ((26.17905, 63.40880), (26.17889, 63.41418)),
    "35N_19E-292N_17_03": ((26.15755, 63.32251), (26.15739, 63.32789)),
    "35N_19E-292N_05_11": ((26.25168, 63.38765), (26.25154, 63.39304)),
    "35N_19E-292N_36_28": ((26.45890, 63.22165), (26.45880, 63.22704)),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_footprints_are_the_published_ones(name: str) -> None:
    corners = shapely.get_coordinates(SampleId.parse(name).footprint).tolist()
    found = tuple((round(x, 5), round(y, 5)) for x, y in corners[:2])
    assert found == PUBLISHED[name]
    assert len(corners) == 5
    assert corners[0] == corners[4]


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("33TWL", (499_980, 4_990_200, 609_780, 5_100_000)),
        ("01CEH", (499_980, 690_220, 609_780, 800_020)),
        ("01FBE", (199_980, 4_390_240, 309_780, 4_500_040)),
    ],
)
def test_granules_lie_where_esa_puts_them(name: str, bounds: tuple[int, int, int, int]) -> None:
    assert granule_grid(GranuleId.parse(name), 60).bounds == bounds
