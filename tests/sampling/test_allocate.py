from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError
from landloom.model.shapes import reproject
from landloom.sampling.allocate import areas, ellipsoid_area, quotas


@pytest.mark.parametrize("latitude", [-70.0, -20.0, 0.0, 35.0, 52.0, 71.0])
def test_area_agrees_with_an_equal_area_projection(latitude: float) -> None:
    shape = shapely.Point(10.0, latitude).buffer(1.5).difference(shapely.Point(10.2, latitude).buffer(0.4))
    equal_area = reproject(shapely.segmentize(shape, 0.005), 4326, 6933)
    assert ellipsoid_area(shape) == pytest.approx(equal_area.area, rel=1e-5)


def test_lines_and_points_that_an_intersection_leaves_have_no_area() -> None:
    mixed = shapely.GeometryCollection([shapely.Point(0, 0), shapely.LineString([(0, 0), (1, 1)])])
    assert ellipsoid_area(mixed) == 0
    assert areas(shapely.box(0, 0, 1, 1), [("beside", shapely.box(1, 0, 2, 1))]) == {"beside": 0.0}


def test_parts_of_a_country_outside_the_region_do_not_count() -> None:
    islands = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(50, 0, 60, 10)])
    found = areas(shapely.box(0, 0, 10, 10), [("A", islands)])
    assert found["A"] == pytest.approx(ellipsoid_area(shapely.box(0, 0, 1, 1)))


def test_quotas_are_the_largest_remainders() -> None:
    assert quotas({"a": 5.5, "b": 3.3, "c": 1.2}, 10) == {"a": 6, "b": 3, "c": 1}
    assert quotas({"a": 41.0, "b": 29.0, "c": 17.0, "d": 13.0}, 10) == {"a": 4, "b": 3, "c": 2, "d": 1}


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0.001, 1e7), min_size=1, max_size=12),
    st.integers(0, 10**6),
    st.integers(0, 99),
)
def test_quotas_sum_stay_near_the_share_and_ignore_order(weights: dict[str, float], total: int, seed: int) -> None:
    found = quotas(weights, total)
    assert sum(found.values()) == total
    whole = sum(weights.values())
    assert all(abs(found[n] - weights[n] / whole * total) < 1 + 1e-6 for n in weights)
    names = [list(weights)[i] for i in np.random.default_rng(seed).permutation(len(weights))]
    assert quotas({n: weights[n] for n in names}, total) == found


def test_no_area_at_all_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="2 strata"):
        quotas({"a": 0.0, "b": 0.0}, 5)
