"""The four names of the published products, and that no two of them clash."""

from __future__ import annotations

import pytest

from landloom.errors import NotFoundError
from landloom.model.product import LANDCOVERNET_BANDS, PRODUCTS, RAPIDAI4EO_BANDS, product
from landloom.model.sensor import SENTINEL2


def test_published_names_are_those_of_the_paper() -> None:
    assert {key: (row.folder, row.collection, row.prefix) for key, row in PRODUCTS.items()} == {
        "s2": ("S2-SR", "source_s2", "s2"),
        "pfsr": ("PF-SR", "source_pf", "sr"),
        "pfqa": ("PF-QA", "source_pf", "qa"),
        "labels": (None, "labels", "labels"),
    }
    assert product("pfqa").asset_key("2018-01-03") == "qa_2018-01-03"
    assert product("labels").asset_key(None) == "labels"
    assert [product(key).role for key in PRODUCTS] == ["data", "data", "metadata", "labels"]


def test_keys_are_their_rows_and_assets_of_a_collection_stay_apart() -> None:
    assert all(key == row.key for key, row in PRODUCTS.items())
    assert len({(row.collection, row.prefix) for row in PRODUCTS.values()}) == len(PRODUCTS)


def test_published_bands_are_bands_of_sentinel_2() -> None:
    assert set(LANDCOVERNET_BANDS) < set(RAPIDAI4EO_BANDS) < set(SENTINEL2)
    assert [band.name for band in product("s2").bands] == list(RAPIDAI4EO_BANDS)


def test_an_unknown_product_is_named() -> None:
    with pytest.raises(NotFoundError, match="s3"):
        product("s3")
