"""Series of granules in a recipe: what is published, in which bands, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.projects import project_of

from landloom.errors import RecipeError
from landloom.model.product import LANDCOVERNET_BANDS
from landloom.model.sensor import LANDCOVERNET_CLEAR
from landloom.pipelines.registry import REGISTRY, Recipe
from landloom.products.granule_series.kind import GranuleSeriesKind, products

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.kinds import ProductRequest

STATIC = {"kind": "static", "href": "c.json"}


def request(folder: Path, **settings: Any) -> ProductRequest[Any]:
    document = project_of(folder, "demo-landcovernet").recipe.document()
    document["products"]["s2"] |= settings
    project = project_of(folder, "demo-landcovernet", products=document["products"])
    return next(one for one in REGISTRY.requests(project) if isinstance(one.kind, GranuleSeriesKind))


def test_what_is_published_follows_from_the_section(tmp_path: Path) -> None:
    whole, plain = request(tmp_path), request(tmp_path, filled=False, bands=["B04", "B08"])
    assert [one.key for one in products(whole)] == ["s2_scenes", "scl", "s2_filled", "s2_observed"]
    assert [one.key for one in products(plain)] == ["s2_scenes", "scl"]
    assert [band.name for band in products(plain)[0].bands] == ["B04", "B08"]
    assert all(item.acquired and item.timesteps == () for item in whole.kind.describe(whole))
    assert whole.kind.scenes(whole) is None, "the granules' own"


def test_bands_and_classes_are_completed_as_published(tmp_path: Path) -> None:
    section = request(tmp_path, bands=None, clear=None).section
    assert (section.bands, section.clear) == (LANDCOVERNET_BANDS, LANDCOVERNET_CLEAR)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"products": {"s2": {"bands": ["B4"]}}}, "products.s2.bands"),
        ({"archive": STATIC | {"sensor": "landsat-c2-l2"}}, "guess"),
        ({"archive": {"kind": "safe", "href": "x", "level": "L1C"}}, "products.s2"),
    ],
)
def test_guesses_need_the_series_of_sentinel_2(tmp_path: Path, changes: dict[str, Any], where: str) -> None:
    document = project_of(tmp_path, "demo-landcovernet").recipe.document()
    document["products"]["s2"] |= {"bands": None, "clear": None}
    for key, value in changes.items():
        if key == "products":
            document[key]["s2"] |= value["s2"]
        else:
            document[key] = value
    with pytest.raises(RecipeError) as refused:
        Recipe.parse(document)
    assert where in [problem.where for problem in refused.value.problems]
