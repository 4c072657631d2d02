"""Native series of a recipe: a product for each resolution, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.projects import SERIES, TERMS

from landloom.engine.kinds import PlanInputs
from landloom.engine.placement import Placement
from landloom.engine.project import Project
from landloom.errors import InvalidInputError, RecipeError
from landloom.model.sensor import SENTINEL2
from landloom.pipelines.registry import REGISTRY, Recipe
from landloom.products.series.kind import SeriesKind, products

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.kinds import ProductRequest


def document(**settings: Any) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(SERIES)
    read["products"]["s2_native"] |= settings
    return read


def request(folder: Path, **settings: Any) -> ProductRequest[Any]:
    project = Project(recipe=Recipe.parse(document(**settings)), folder=folder)
    return next(one for one in REGISTRY.requests(project) if isinstance(one.kind, SeriesKind))


@pytest.mark.parametrize(
    ("settings", "made"),
    [
        ({}, {"s2_10m": 4, "s2_20m": 6, "s2_60m": 2, "s2_valid": 1}),
        ({"bands": ["B11", "B04"]}, {"s2_10m": 1, "s2_20m": 1, "s2_valid": 1}),
        ({"bands": ["B11"], "valid": False}, {"s2_20m": 1}),
        ({"bands": ["B10", "B01"]}, {"s2_60m": 2, "s2_valid": 1}),
    ],
)
def test_each_band_goes_to_the_product_of_its_resolution(
    tmp_path: Path, settings: dict[str, Any], made: dict[str, int]
) -> None:
    one = request(tmp_path, **settings)
    found = products(one)
    assert {item.key: len(item.bands) for item in found} == made
    for item in found[: len(made) - ("s2_valid" in made)]:
        assert {SENTINEL2[band.name].resolution for band in item.bands} == {item.resolution}
    if "s2_valid" in made:
        assert found[-1].resolution == found[0].resolution, "the mask is as fine as the finest bands"
    assert all(item.acquired for item in one.kind.describe(one))


def test_bands_of_a_product_are_in_the_sections_order(tmp_path: Path) -> None:
    found = products(request(tmp_path, bands=["B08", "B02", "B04"]))
    assert [band.name for band in found[0].bands] == ["B08", "B02", "B04"]


def test_all_bands_but_cirrus_are_taken_by_default(tmp_path: Path) -> None:
    assert set(request(tmp_path).section.bands) == set(SENTINEL2) - {"B10"}


def test_a_tile_without_any_scene_is_said_when_it_is_planned(tmp_path: Path) -> None:
    one = request(tmp_path)
    inputs = PlanInputs(
        placement=Placement(samples=()),
        tiles={"33N_33UUR": ()},
        scenes={one.path: {"33N_33UUR": ()}},
        identities={},
        store="nowhere",
        layout=one.project.layout,
    )
    with pytest.raises(InvalidInputError, match="33N_33UUR: the archive has no scene"):
        one.kind.units(one, inputs)


@pytest.mark.parametrize(
    ("settings", "changes", "where"),
    [
        ({"bands": ["B4"]}, {}, "products.s2_native.bands"),
        ({"least_data": 1.5}, {}, "products.s2_native.least_data"),
        ({"dilate": -1}, {}, "products.s2_native.dilate"),
        (
            {"bands": ["B8A"]},
            {"archive": {"kind": "static", "href": "c.json", "sensor": "landsat-c2-l2"}},
            "products.s2_native.bands",
        ),
        ({}, {"products": {name: {"kind": "series", "terms": TERMS} for name in ("a", "b")}}, "products.b"),
    ],
)
def test_what_cannot_be_made_is_refused(settings: dict[str, Any], changes: dict[str, Any], where: str) -> None:
    with pytest.raises(RecipeError) as refused:
        Recipe.parse(document(**settings) | changes)
    assert [problem.where for problem in refused.value.problems] == [where]
