from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.formats.safe.angles import AngleGrid, merged, sun_angles, view_angles
from landloom.formats.safe.xml import SafeXml

if TYPE_CHECKING:
    from landloom.errors import Problem


@given(st.lists(st.tuples(st.floats(0, 12), st.floats(0, 359.99)) | st.none(), min_size=1, max_size=4))
def test_detectors_merge_to_the_mean_of_what_they_saw(seen: list[tuple[float, float] | None]) -> None:
    nothing = (np.nan, np.nan)
    grids = [
        AngleGrid(zenith=np.array([[(one or nothing)[0]]]), azimuth=np.array([[(one or nothing)[1]]]), step=5000.0)
        for one in seen
    ]
    both = merged(grids)
    there = [one for one in seen if one is not None]
    assert bool(np.isfinite(both.zenith).all()) == bool(np.isfinite(both.azimuth).all()) == bool(there)
    if there:
        assert both.zenith.item() == pytest.approx(np.nanmean([grid.zenith for grid in grids]))
        assert 0 <= both.azimuth.item() <= 360
    if len(there) == 1:
        assert (both.azimuth.item() - there[0][1] + 180) % 360 - 180 == pytest.approx(0, abs=1e-9)


def grid(name: str, zenith: str, azimuth: str, step: str = "5000", more: str = "") -> str:
    parts = [
        f"<{part}><COL_STEP unit='m'>{step}</COL_STEP><ROW_STEP unit='m'>{step}</ROW_STEP>"
        f"<Values_List>{''.join(f'<VALUES>{row}</VALUES>' for row in values.split('/'))}</Values_List></{part}>"
        for part, values in (("Zenith", zenith), ("Azimuth", azimuth))
    ]
    return f"<{name}{more}>{''.join(parts)}</{name}>"


def document(body: str) -> tuple[SafeXml, list[Problem]]:
    problems: list[Problem] = []
    return SafeXml("MTD_TL.xml", f"<n:T xmlns:n='u'>{body}</n:T>".encode(), problems), problems


def test_the_sun_is_read_row_by_row() -> None:
    read, problems = document(grid("Sun_Angles_Grid", "30.5 31/32 33", "150 151/152 NaN"))
    sun = sun_angles(read)
    assert sun is not None
    np.testing.assert_array_equal(sun.zenith, [[30.5, 31], [32, 33]])
    np.testing.assert_array_equal(sun.azimuth, [[150, 151], [152, np.nan]])
    assert (sun.step, problems) == (5000, [])
    assert sun_angles(document("")[0]) is None


def test_detectors_of_a_band_become_one_grid_and_bands_keep_esas_order() -> None:
    name = "Viewing_Incidence_Angles_Grids"
    body = (
        grid(name, "2 NaN", "10 NaN", more=" bandId='8' detectorId='1'")
        + grid(name, "4 6", "30 350", more=" bandId='8' detectorId='2'")
        + grid(name, "1 1", "0 0", more=" bandId='0' detectorId='1'")
    )
    read, problems = document(body)
    views = view_angles(read)
    assert list(views) == ["B01", "B8A"]
    np.testing.assert_allclose(views["B8A"].zenith, [[3, 6]])
    np.testing.assert_allclose(views["B8A"].azimuth, [[20, 350]])
    assert problems == []


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (grid("Sun_Angles_Grid", "1 2", "1 2/3 4"), "differ in shape or step"),
        (grid("Sun_Angles_Grid", "1 2/3", "1 2"), "Zenith is not a grid of numbers"),
        (grid("Sun_Angles_Grid", "1 2", "1 x"), "Azimuth is not a grid of numbers"),
        (grid("Sun_Angles_Grid", "1", "1", step="0"), "COL_STEP: got '0'"),
        (grid("Viewing_Incidence_Angles_Grids", "1", "1", more=" bandId='13'"), "got bandId '13', expected 0 to 12"),
    ],
)
def test_a_grid_that_cannot_be_read_is_named(body: str, wanted: str) -> None:
    read, problems = document(body)
    assert (sun_angles(read), view_angles(read)) == (None, {})
    (problem,) = problems
    assert wanted in str(problem)
