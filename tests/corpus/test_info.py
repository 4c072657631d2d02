"""What a corpus says of itself: periods, collections, columns and providers follow from its products."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.corpus.conftest import CLC, make_info

from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.errors import InvalidValueError, NotFoundError
from landloom.model.product import product
from landloom.model.taxonomy import taxonomy
from landloom.model.time import Cadence, Period

YEAR = Period.year(2018)


def labels(key: str, name: str) -> ProductInfo:
    return ProductInfo(product=replace(product("labels"), key=key), terms=CLC, taxonomy=taxonomy(name))


def corpus(*products: ProductInfo) -> CorpusInfo:
    return replace(make_info(), products=products)


def test_products_stand_once_and_are_found_by_key() -> None:
    info = make_info()
    assert [info.product(item.key) for item in info.products] == list(info.products)
    with pytest.raises(NotFoundError, match="s3"):
        info.product("s3")
    for products in ((), (info.products[0], info.products[0])):
        with pytest.raises(InvalidValueError, match="each once"):
            corpus(*products)


def test_collections_hold_every_product_once_in_order() -> None:
    info = make_info()
    members = [item.key for group in info.collections.values() for item in group]
    assert sorted(members) == sorted(item.key for item in info.products)
    assert all(item.product.collection == name for name, group in info.collections.items() for item in group)


def test_a_period_is_that_of_the_timesteps_or_the_stated_one() -> None:
    steps = Cadence.parse("month").timesteps(YEAR)
    dated = ProductInfo(product=product("s2"), terms=CLC, timesteps=steps[2:5])
    stated = ProductInfo(product=product("labels"), terms=CLC, stated_period=Period.parse("2018-06-01", "2018-07-01"))
    assert dated.period == Period(steps[2].period.start, steps[4].period.end)
    assert (dated.slots, stated.slots) == (3, 1)
    assert corpus(dated, stated).period == Period.parse("2018-03-01", "2018-07-01")
    assert corpus(dated, stated).period_of((stated,)) == stated.period
    silent = ProductInfo(product=product("pfsr"), terms=CLC)
    assert corpus(dated, silent).period_of((silent,)) == dated.period
    with pytest.raises(InvalidValueError, match="no product"):
        _ = corpus(silent).period


def test_a_second_product_of_a_taxonomy_has_columns_of_its_own() -> None:
    info = corpus(labels("a", "clc"), labels("b", "clc"), labels("c", "worldcover"))
    columns = info.label_columns
    assert columns["a"] == taxonomy("clc").columns()
    assert columns["b"] == tuple(f"b_{name}" for name in taxonomy("clc").columns())
    assert columns["c"] == taxonomy("worldcover").columns()
    every = [name for own in columns.values() for name in own]
    assert len(set(every)) == len(every)


def test_providers_stand_once() -> None:
    info = make_info()
    names = [provider.name for provider in info.providers()]
    assert len(set(names)) == len(names)
    assert {provider.name for item in info.products for provider in item.terms.providers} == set(names)
