"""What the published corpus is, by the numbers of its documentation."""

from __future__ import annotations

from landloom.model.product import PRODUCTS
from landloom.query.index.rapidai4eo import PERIODS, TERMS, published_info, published_steps


def test_timesteps_are_as_many_as_published() -> None:
    """Two years of five-day steps and twelve months (documentation 1.0, section 3)."""
    steps = {key: published_steps(key) for key in PERIODS}
    assert {key: len(own) for key, own in steps.items()} == {"pfsr": 146, "pfqa": 146, "s2": 12, "labels": 0}
    assert steps["s2"][0].name == "2018-01"
    assert steps["pfsr"][0].name == "2018-01-03"
    assert steps["pfsr"] == steps["pfqa"]


def test_products_have_their_published_names_and_terms() -> None:
    info = published_info("demo")
    assert info.name == "demo"
    assert {item.key for item in info.products} == set(PRODUCTS) == set(TERMS)
    assert all(item.product == PRODUCTS[item.key] for item in info.products)
    assert {item.key: item.terms.licence for item in info.products} == {
        key: terms["licence"] for key, terms in TERMS.items()
    }
    assert {item.key for item in info.products if item.terms.non_commercial} == {"pfsr", "pfqa"}
