"""Composites of a recipe: medians against bottleneck, what is published under which names, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bottleneck as bn
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.projects import TERMS, project_of

from landloom.corpus.documents import parse_corpus_json
from landloom.engine.journal import Journal
from landloom.engine.kinds import ReportFacts
from landloom.engine.place import JOURNAL
from landloom.engine.reducers import Objection
from landloom.errors import RecipeError
from landloom.imagery.composite import Observation
from landloom.model.product import RAPIDAI4EO_BANDS
from landloom.model.sensor import LANDSAT_C2_L2
from landloom.pipelines.registry import REGISTRY, Recipe
from landloom.products.composite.kind import CompositeKind, MedianReducer, products, timesteps
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.kinds import ProductRequest

LANDSAT = {"kind": "static", "href": "c.json", "sensor": LANDSAT_C2_L2.name}


def requests(folder: Path, sections: dict[str, dict[str, Any]], **changes: Any) -> dict[str, ProductRequest[Any]]:
    made = {key: {"kind": "composite", "terms": TERMS} | settings for key, settings in sections.items()}
    project = project_of(folder, products=made, **changes)
    return {one.key: one for one in REGISTRY.requests(project) if isinstance(one.kind, CompositeKind)}


@given(st.integers(0, 6), st.integers(1, 3), st.integers(0, 2**16))
def test_a_pixel_is_the_median_of_what_is_usable_and_its_count(count: int, bands: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    stack = rng.integers(1, 9_999, (count, bands, 5, 4)).astype(np.uint16)
    valid = rng.random((count, 5, 4)) < 0.6
    seen = [Observation(bands=one, valid=usable) for one, usable in zip(stack, valid, strict=True)]
    made, counted = MedianReducer(count=True).reduce(seen, (5, 4), bands)
    (alone,) = MedianReducer(count=False).reduce(seen, (5, 4), bands)
    np.testing.assert_array_equal(made, alone)
    np.testing.assert_array_equal(counted[0], valid.sum(axis=0))
    if count:
        masked = np.where(valid[:, None], stack, np.nan)
        wanted = np.nan_to_num(np.floor(bn.nanmedian(masked, axis=0)))
        np.testing.assert_array_equal(made, wanted)
    else:
        assert not made.any()


def test_a_chip_that_shows_nothing_where_something_was_seen_is_refused() -> None:
    reducer, counts = MedianReducer(count=True), np.ones((2, 2), np.uint16)
    blank = np.zeros((1, 2, 2), np.uint16)
    assert reducer.objection([blank], counts) is not None
    assert reducer.objection([blank], np.zeros((2, 2), np.uint16)) is None, "nothing was seen"
    assert reducer.objection([np.arange(4, dtype=np.uint16).reshape(1, 2, 2) + 1], counts) is None


def test_a_chip_without_any_texture_is_refused_and_one_flat_band_is_noted() -> None:
    """B01 has 4 pixels of its own in 12 × 12 of 10 m: too few to say anything."""
    reducer, counts = MedianReducer(count=False, pixels=(1, 1, 6)), np.ones((12, 12), np.uint16)
    flat, said = np.full((3, 12, 12), 700, np.uint16), "all observed pixels are 700"
    assert reducer.objection([flat], counts) == Objection(reason=f"band 1: {said}, band 2: {said}")
    flat[0] += np.arange(144, dtype=np.uint16).reshape(12, 12)
    assert reducer.objection([flat], counts) == Objection(reason=f"band 2: {said}", certain=False)
    flat[1] = flat[0]
    assert reducer.objection([flat], counts) is None


def test_names_follow_from_the_recipes_key(tmp_path: Path) -> None:
    found = requests(tmp_path, {"s2": {}, "summer_5d": {"cadence": "5 days", "resolution": 20, "bands": ["B05"]}})
    published, own = products(found["s2"]), products(found["summer_5d"])
    assert [(one.key, one.folder, one.collection) for one in published] == [
        ("s2", "S2-SR", "source_s2"),
        ("count", "S2-COUNT", "source_s2"),
    ]
    assert [(one.key, one.folder, one.collection, one.prefix) for one in own] == [
        ("summer_5d", "SUMMER-5D", "source_summer_5d", "summer_5d"),
        ("count_summer_5d", "COUNT-SUMMER-5D", "source_summer_5d", "count_summer_5d"),
    ]
    assert {(one.resolution, one.cadence) for one in own} == {(20, "5 days")}
    assert [band.name for band in own[0].bands] == ["B05"]
    assert [band.name for band in published[0].bands] == list(RAPIDAI4EO_BANDS)
    assert len(timesteps(found["s2"])) == 12
    assert len(timesteps(found["summer_5d"])) == 73
    (alone,) = products(requests(tmp_path, {"s2": {"count": False}})["s2"])
    assert alone.key == "s2"


def test_another_sensor_brings_its_own_bands(tmp_path: Path) -> None:
    (made, _) = products(requests(tmp_path, {"landsat": {"resolution": 30}}, archive=LANDSAT)["landsat"])
    assert [band.name for band in made.bands] == list(LANDSAT_C2_L2.bands)
    assert made.title == "Landsat 8/9 median composites, month"


@pytest.mark.parametrize(
    ("key", "settings", "changes", "where"),
    [
        ("s2", {"bands": ["B4"]}, {}, "products.s2.bands"),
        ("s2", {"cadence": "fortnight"}, {}, "products.s2.cadence"),
        ("s2", {"resolution": 0}, {}, "products.s2.resolution"),
        ("s2", {"clear": [12]}, {}, "products.s2.clear.0"),
        ("pfsr", {}, {}, "products.pfsr"),
        ("x", {"clear": [4]}, {"archive": LANDSAT}, "products.x.clear"),
    ],
)
def test_what_cannot_be_made_is_refused(
    tmp_path: Path, key: str, settings: dict[str, Any], changes: dict[str, Any], where: str
) -> None:
    document = project_of(tmp_path).recipe.document() | changes
    document["products"] = {key: {"kind": "composite", "terms": TERMS} | settings}
    with pytest.raises(RecipeError) as refused:
        Recipe.parse(document)
    assert [problem.where for problem in refused.value.problems] == [where]


def test_the_page_shows_observations_by_tile(tiny: Path, tiny_corpus: Path) -> None:
    request = next(one for one in REGISTRY.requests(REGISTRY.open(tiny)) if isinstance(one.kind, CompositeKind))
    with Journal(tiny_corpus / JOURNAL) as journal:
        entries = tuple(journal.entries())
    info = parse_corpus_json((tiny_corpus / "corpus.json").read_bytes())
    facts = ReportFacts(store=LocalStore(tiny_corpus), info=info, table=None, entries=entries)
    head, picture = request.kind.report(request, facts)
    assert head == "<h2>Observations</h2>"
    assert picture in (tiny_corpus / "report.html").read_text(encoding="utf-8")
    nothing = ReportFacts(store=LocalStore(tiny_corpus), info=info, table=None, entries=())
    assert request.kind.report(request, nothing) == []
