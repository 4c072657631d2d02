"""Label polygons: overlaps resolved as shapely would, whatever the order of rows, and every bad row by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from landloom.errors import InvalidInputError, Problem
from landloom.labels.polygons import (
    geometry_problems,
    label_polygons,
    overlapping_polygons,
    polygonal,
    refuse,
    resolve_overlaps,
)
from landloom.model.taxonomy import taxonomy

if TYPE_CHECKING:
    import random

CLC = taxonomy("clc")
BOXES = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 6), st.integers(1, 6)).map(
        lambda box: shapely.box(box[0], box[1], box[0] + box[2], box[1] + box[3])
    ),
    min_size=1,
    max_size=7,
)


def array(shapes: list[Any]) -> np.ndarray[Any, Any]:
    made = np.empty(len(shapes), object)
    made[:] = shapes
    return made


@given(BOXES)
@settings(deadline=None)
def test_overlapping_pairs_are_those_that_share_ground(shapes: list[Any]) -> None:
    pairs, areas = overlapping_polygons(array(shapes))
    wanted = {
        (a, b): shared.area
        for a in range(len(shapes))
        for b in range(a + 1, len(shapes))
        if (shared := shapes[a].intersection(shapes[b])).area > 0
    }
    assert dict(zip(map(tuple, pairs.tolist()), areas.tolist(), strict=True)) == pytest.approx(wanted)


@given(BOXES, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_ground_is_kept_given_once_and_to_the_smaller_polygon(shapes: list[Any], chance: random.Random) -> None:
    codes = [chance.choice(["111", "311"]) for _ in shapes]
    solved, overlaps = resolve_overlaps(array(shapes), codes)
    union = shapely.union_all(shapes)
    assert sum(shape.area for shape in solved) == pytest.approx(union.area)
    assert shapely.union_all(solved).symmetric_difference(union).area == pytest.approx(0, abs=1e-9)
    assert len(overlapping_polygons(solved)[0]) == 0
    smallest = min(range(len(shapes)), key=lambda i: (shapes[i].area, codes[i], shapely.to_wkb(shapes[i].normalize())))
    assert solved[smallest].equals(shapes[smallest])
    order = chance.sample(range(len(shapes)), len(shapes))
    again, _ = resolve_overlaps(array([shapes[i] for i in order]), [codes[i] for i in order])
    by_code = [
        shapely.union_all([shape for shape, code in zip(some, named, strict=True) if code == "311"])
        for some, named in ((solved, codes), (again, [codes[i] for i in order]))
    ]
    assert by_code[0].symmetric_difference(by_code[1]).area == pytest.approx(0, abs=1e-9)
    assert [one.area for one in overlaps] == sorted((one.area for one in overlaps), reverse=True)


def test_only_the_polygons_of_a_collection_are_kept() -> None:
    box = shapely.box(0, 0, 1, 1)
    mixed = shapely.GeometryCollection([box, shapely.LineString([(0, 0), (5, 5)]), shapely.Point(9, 9)])
    found = polygonal(array([mixed, shapely.LineString([(0, 0), (1, 1)]), box]))
    assert [shape.area for shape in found] == [1, 0, 1]
    assert {shape.geom_type for shape in found} <= {"Polygon", "MultiPolygon"}


def test_every_kind_of_bad_geometry_has_its_words() -> None:
    shapes = [None, shapely.Polygon(), shapely.Point(0, 0), shapely.box(0, 0, 1, 1)]
    assert geometry_problems(array(shapes)) == {
        0: "no geometry",
        1: "empty geometry",
        2: "got a Point, expected a polygon",
    }


def test_twenty_bad_rows_are_named_and_the_rest_counted() -> None:
    refuse([], "labels")
    problems = [Problem(where=f"row {number}", what="empty geometry") for number in range(23)]
    with pytest.raises(InvalidInputError, match="23 bad rows") as caught:
        refuse(problems, "labels")
    text = str(caught.value)
    assert "row 19" in text
    assert "row 20" not in text
    assert "and 3 more" in text


def test_labels_without_a_crs_or_with_codes_missing_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="without a CRS"):
        label_polygons([shapely.box(0, 0, 1, 1)], ["311"], CLC, epsg=None)
    with pytest.raises(InvalidInputError, match="1 geometries and 2 codes"):
        label_polygons([shapely.box(0, 0, 1, 1)], ["311", "312"], CLC, epsg=3035)
