"""Bands and masks of a section: those of the archive's sensor, and nothing that would be ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.projects import TERMS, project_of

from landloom.engine.pixels.bands import band_problems, clear_classes, completed_bands, sensor_of
from landloom.engine.pixels.mask_sections import pixel_mask
from landloom.model.recipe import ArchiveSection
from landloom.model.recipe.label_sections import Sections
from landloom.model.sensor import CLEAR, LANDSAT_C2_L2, SENTINEL2, SENTINEL_2_L1C, SENTINEL_2_L2A
from landloom.products.composite.section import CompositeProduct

if TYPE_CHECKING:
    from pathlib import Path

STATIC = ArchiveSection(kind="static", href="c.json")
LANDSAT = ArchiveSection(kind="static", href="c.json", sensor=LANDSAT_C2_L2.name)


def section(**settings: Any) -> CompositeProduct:
    return CompositeProduct(terms=TERMS, **settings)


@pytest.mark.parametrize(
    ("read", "archive", "sensor"),
    [
        ({"archive": STATIC}, None, SENTINEL_2_L2A),
        ({"archive": LANDSAT}, None, LANDSAT_C2_L2),
        ({"archive": ArchiveSection(kind="safe", href="x", level="L1C")}, None, SENTINEL_2_L1C),
        ({"archive": ArchiveSection(kind="landsat-look")}, None, LANDSAT_C2_L2),
        ({"archives": {"a": STATIC, "b": LANDSAT}}, "b", LANDSAT_C2_L2),
        ({"archives": {"a": LANDSAT}}, None, LANDSAT_C2_L2),
        ({"archives": {"a": STATIC, "b": LANDSAT}}, None, None),
        ({"archives": {"a": STATIC}}, "c", None),
        ({"archive": ArchiveSection(kind="shoebox")}, None, None),
        ({"archive": ArchiveSection(kind="static", href="x", sensor="kodak")}, None, None),
        ({}, None, None),
    ],
)
def test_the_sensor_is_that_of_the_archive_that_a_section_takes(
    read: dict[str, Any], archive: str | None, sensor: object
) -> None:
    """None where that is another problem of the recipe, which is said elsewhere."""
    assert sensor_of(section(archive=archive), read) is sensor


@pytest.mark.parametrize(
    ("settings", "archive", "where"),
    [
        ({"bands": ["B04", "B04"]}, STATIC, ["products.x.bands"]),
        ({"bands": []}, STATIC, ["products.x.bands"]),
        ({"bands": ["B4"]}, STATIC, ["products.x.bands"]),
        ({"bands": ["B04"]}, LANDSAT, ["products.x.bands"]),
        ({"clear": [4]}, LANDSAT, ["products.x.clear"]),
        ({"bands": ["B04"], "clear": [4]}, LANDSAT, ["products.x.bands", "products.x.clear"]),
        ({"bands": ["B4"], "dilate": 2}, LANDSAT, []),
        ({"bands": list(SENTINEL2), "clear": [4]}, STATIC, []),
        ({}, STATIC, []),
    ],
)
def test_what_the_sensor_does_not_have_is_refused(
    settings: dict[str, Any], archive: ArchiveSection, where: list[str]
) -> None:
    found = list(band_problems("products.x", section(**settings), Sections(archive=archive)))
    assert [problem.where for problem in found] == where


def test_what_a_recipe_does_not_say_is_completed_by_sensor(tmp_path: Path) -> None:
    """Wanted bands that the sensor has, all of its own where it has none of them; classes where it has classes."""
    recipe = project_of(tmp_path).recipe
    landsat = recipe.model_copy(update={"archive": LANDSAT})
    plain, said = section(), section(bands=["B08"], clear=[4])
    classes = tuple(sorted(int(one) for one in CLEAR))
    assert completed_bands(plain, recipe, bands=("B04", "B99")) == {"bands": ("B04",), "clear": classes}
    assert completed_bands(plain, recipe, bands=("B04",), clear=(4, 5)) == {"bands": ("B04",), "clear": (4, 5)}
    assert completed_bands(said, recipe, bands=("B04",), clear=(4, 5)) == {}
    assert completed_bands(plain, landsat, bands=("B04",)) == {"bands": tuple(LANDSAT_C2_L2.bands)}
    assert completed_bands(plain, recipe.model_copy(update={"archive": None}), bands=("B04",)) == {}


def test_masks_are_those_of_the_section() -> None:
    mask = pixel_mask(section(clear=[5, 4], dilate=3), SENTINEL_2_L2A)
    assert (mask.clear, mask.dilate) == (frozenset({4, 5}), 3)
    assert pixel_mask(section(), SENTINEL_2_L2A).clear is None
    assert SENTINEL_2_L2A.classification is not None
    assert clear_classes(SENTINEL_2_L2A.classification) == tuple(sorted(map(int, CLEAR)))


def test_classes_of_a_product_that_has_none_are_refused(tmp_path: Path) -> None:
    """Level-1C has masks of its own, so that a recipe's classes would be ignored."""
    recipe = project_of(tmp_path).recipe.model_copy(
        update={"archive": ArchiveSection(kind="safe", href=".", level="L1C")}
    )
    read = Sections(recipe)
    assert [one.where for one in band_problems("products.s2", section(clear=[4]), read)] == ["products.s2.clear"]
    assert completed_bands(section(), recipe, bands=("B04",)) == {"bands": ("B04",)}
