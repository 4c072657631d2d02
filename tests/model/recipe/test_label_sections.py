"""Sources of labels are found wherever a recipe holds them, and what they cannot mean is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from landloom.model.recipe.label_sections import ClassMapSource, LabelSource, ParcelSource, Sections, find_sources

LABELS = LabelSource(taxonomy="clc", file="a.gpkg", column="CODE")
PARCELS = ParcelSource(file="p.gpkg")


def test_sources_are_found_by_kind_at_any_key() -> None:
    sections = {"labels": {"clc": LABELS, "more": LABELS, "odd": 1}, "parcels": PARCELS, "name": "x"}
    assert list(find_sources(sections, LabelSource)) == ["labels.clc", "labels.more"]
    assert find_sources(sections, ParcelSource) == {"parcels": PARCELS}
    assert find_sources(sections, ClassMapSource) == {}


def test_a_source_is_only_missed_where_all_products_were_read() -> None:
    read = Sections(parcels=PARCELS)
    assert (read.lacks(ParcelSource), read.lacks(LabelSource)) == (False, True)
    read.unread_products = True
    assert not read.lacks(LabelSource)


@pytest.mark.parametrize("resolution", [2.5, 5, 10, 20, 60])
def test_parcels_nest_with_ten_metres(resolution: float) -> None:
    assert ParcelSource(file="p.gpkg", resolution=resolution).resolution == resolution


@pytest.mark.parametrize(
    ("kind", "section", "message"),
    [
        (ParcelSource, {"file": "p.gpkg", "resolution": 3}, "divide or multiply 10"),
        (ParcelSource, {"file": "p.gpkg", "resolution": 0}, "greater than 0"),
        (ParcelSource, {"file": "p.gpkg", "columns": {"name": "x"}}, "columns"),
        (ParcelSource, {"file": "p.gpkg", "codes": {"other": 1}}, "codes"),
        (LabelSource, {"file": "a.tif", "taxonomy": "clcc"}, "no taxonomy 'clcc'.*clc"),
        (ClassMapSource, {"file": "a.tif", "taxonomy": "worldcove"}, "worldcover"),
    ],
)
def test_what_cannot_be_meant_is_refused(kind: Any, section: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        kind.model_validate(section)
