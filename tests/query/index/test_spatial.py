"""Regions: every answer equals shapely's on all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely

from landloom.errors import LandloomWarning

if TYPE_CHECKING:
    from tests.query.conftest import Truth

    from landloom.query.index.spatial import Relation

KINDS = ("published", "own", "granules")


@pytest.fixture(params=KINDS)
def truth(request: pytest.FixtureRequest) -> Truth:
    found: Truth = request.getfixturevalue(request.param)
    return found


def brute(truth: Truth, shape: Any, relation: Relation) -> list[str]:
    test = shapely.within if relation == "within" else shapely.intersects
    return [identity for identity, hit in zip(truth.ids, test(truth.shapes, shape), strict=True) if hit]


def star(rng: np.random.Generator, x: float, y: float, size: float, points: int) -> shapely.Polygon:
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    radius = size * (1 + 0.4 * np.sin(5 * angle + rng.uniform(0, 6)) + 0.05 * rng.normal(size=points))
    return shapely.Polygon(np.column_stack([x + 1.6 * radius * np.cos(angle), y + radius * np.sin(angle)])).buffer(0)


@pytest.mark.parametrize("relation", ["intersects", "within"])
def test_boxes_equal_brute_force(truth: Truth, relation: Relation) -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(150):
        x, y = shapely.centroid(truth.shapes[rng.integers(len(truth.shapes))]).coords[0]
        width, height = 10 ** rng.uniform(-3.5, 1, 2)
        shift = rng.uniform(0, 1, 2)
        box = (x - width * shift[0], y - height * shift[1], x + width * (1 - shift[0]), y + height * (1 - shift[1]))
        expected = brute(truth, shapely.box(*box), relation)
        assert list(truth.corpus.query(region=box, relation=relation, quiet=True).ids) == expected
        hits += 0 < len(expected) < len(truth.ids)
    assert hits > 30


@pytest.mark.parametrize("relation", ["intersects", "within"])
def test_polygons_equal_brute_force(truth: Truth, relation: Relation) -> None:
    rng = np.random.default_rng(6)
    hits = 0
    for _ in range(40):
        x, y = shapely.centroid(truth.shapes[rng.integers(len(truth.shapes))]).coords[0]
        shape = star(rng, x, y, 10 ** rng.uniform(-2, 0.7), int(rng.integers(8, 300)))
        expected = brute(truth, shape, relation)
        assert list(truth.corpus.query(region=shape, relation=relation, quiet=True).ids) == expected
        hits += 0 < len(expected) < len(truth.ids)
    assert hits > 10


@pytest.mark.parametrize("relation", ["intersects", "within"])
def test_a_published_footprint_meets_itself_to_the_last_digit(truth: Truth, relation: Relation) -> None:
    for row in range(0, len(truth.ids), max(len(truth.ids) // 25, 1)):
        shape = truth.shapes[row]
        answer = list(truth.corpus.query(region=shape, relation=relation, quiet=True).ids)
        assert answer == brute(truth, shape, relation)
        assert truth.ids[row] in answer
        box = tuple(shape.bounds)
        assert list(truth.corpus.query(region=box, relation=relation, quiet=True).ids) == brute(
            truth, shapely.box(*box), relation
        )


def test_lines_points_and_collections_equal_brute_force(truth: Truth) -> None:
    points = [shapely.centroid(shape) for shape in truth.shapes[::10]]
    line = shapely.LineString(points[:12])
    for shape in (points[3], shapely.MultiPoint(points), line, shapely.GeometryCollection([points[0], line])):
        assert list(truth.corpus.query(region=shape, quiet=True).ids) == brute(truth, shape, "intersects")
        assert list(truth.corpus.query(region=shape, relation="within", quiet=True).ids) == []


def test_a_box_across_the_antimeridian_is_two_boxes(published: Truth) -> None:
    around = published.corpus.query(region=(20, -60, 10, 80))
    shape = shapely.union_all([shapely.box(20, -60, 180, 80), shapely.box(-180, -60, 10, 80)])
    assert list(around.ids) == brute(published, shape, "intersects")
    assert 0 < len(around) < len(published.ids)


def test_swapped_axes_are_named_where_the_corpus_tells_them_apart(published: Truth) -> None:
    from landloom.errors import InvalidInputError

    middle = shapely.centroid(published.shapes[0])
    swapped = (middle.y - 0.2, middle.x - 0.2, middle.y + 0.2, middle.x + 0.2)
    with pytest.raises(InvalidInputError, match="swapped axes"):
        published.corpus.query(region=swapped)


def test_a_region_far_away_is_empty_and_draws_a_warning(published: Truth) -> None:
    with pytest.warns(LandloomWarning, match="nothing of rapidai4eo is there"):
        assert len(published.corpus.query(region=(-120, -50, -110, -40))) == 0


def test_outlines_that_are_no_squares_are_kept_and_asked(tmp_path: Any) -> None:
    import gzip
    import json

    from landloom.query.corpus import Corpus
    from landloom.query.index.synthetic import synthetic_samples, write_resources

    made = synthetic_samples(60, 1, seed=2)
    files = write_resources(made, tmp_path / "resources")
    with gzip.open(files.geometries, "rt") as file:
        document = json.load(file)
    odd, moved = document["features"][0], document["features"][1]
    ring = odd["geometry"]["coordinates"][0]
    odd["geometry"]["coordinates"] = [[ring[0], ring[1], ring[2], ring[0]]]  # a triangle
    moved["geometry"]["coordinates"][0] = [[x + 0.5, y] for x, y in moved["geometry"]["coordinates"][0]]
    with gzip.open(files.geometries, "wt") as file:
        json.dump(document, file, indent=1)
    corpus = Corpus.open(tmp_path, cache=tmp_path / "cache")
    assert len(corpus.sidecar.odd_rows) == 2
    shapes = {
        feature["properties"]["sample_id"]: shapely.geometry.shape(feature["geometry"])
        for feature in document["features"]
    }
    stored = corpus.query().to_geodataframe().geometry
    assert all(shapely.equals(shapes[identity], stored[identity]) for identity in shapes)
    for identity in (odd["properties"]["sample_id"], moved["properties"]["sample_id"]):
        middle = shapes[identity].centroid
        for region in (middle, middle.buffer(0.02), tuple(middle.buffer(0.02).bounds)):
            shape = shapely.box(*middle.buffer(0.02).bounds) if isinstance(region, tuple) else region
            expected = sorted(name for name, own in shapes.items() if own.intersects(shape))
            assert sorted(corpus.query(region=region, quiet=True).ids) == expected
