"""`get_asset_hrefs` against the rules of the helper published with RapidAI4EO, written anew in plain dates."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landloom.query.index.rapidai4eo import BASE_URL
from landloom.query.published import get_asset_hrefs

IDS = ("33N_16E-243N_29_01", "30N_12E-191N_01_19", "33N_16E-243N_29_02")
FOLDERS = {"pfsr": "PF-SR", "pfqa": "PF-QA", "s2": "S2-SR"}
FIVE_DAYS = [datetime(2018, 1, 3, 10, 30, tzinfo=UTC) + timedelta(days=5 * step) for step in range(146)]
MONTHS = [datetime(2018, month, monthrange(2018, month)[1], 10, 30, tzinfo=UTC) for month in range(1, 13)]
FIRST = datetime(2017, 12, 1, tzinfo=UTC)


def published(ids: list[str], products: list[str], period: tuple[datetime, datetime] | None) -> list[str]:
    """Product by product, sample by sample, every step strictly between the ends."""
    hrefs = []
    for product in products:
        steps, form = (MONTHS, "%Y-%m") if product == "s2" else (FIVE_DAYS, "%Y-%m-%d")
        kept = [step for step in steps if period is None or period[0] < step < period[1]]
        for sample in ids:
            zone, tile, _ = sample.split("_", 2)
            folder = f"{BASE_URL}imagery/{zone}/{tile}/{sample}/{FOLDERS[product]}"
            hrefs += [f"{folder}/{step.strftime(form)}.tif" for step in kept]
    return hrefs


days = st.integers(0, 800).map(lambda day: FIRST + timedelta(days=day))
instants = st.integers(0, 800 * 86_400).map(lambda second: FIRST + timedelta(seconds=second))
steps = st.sampled_from(FIVE_DAYS + MONTHS)


@settings(max_examples=2_000, deadline=None)
@given(
    period=st.none() | st.tuples(days, days) | st.tuples(instants, instants) | st.tuples(steps, days | steps),
    products=st.lists(st.sampled_from(sorted(FOLDERS)), max_size=4),
    ids=st.lists(st.sampled_from(IDS), max_size=4),
)
def test_the_helper_and_its_rules_agree(
    period: tuple[datetime, datetime] | None, products: list[str], ids: list[str]
) -> None:
    ordered = None if period is None else (min(period), max(period))
    assert get_asset_hrefs(ids, products, ordered) == published(ids, products, ordered)


@pytest.mark.parametrize("product", sorted(FOLDERS))
def test_a_filter_that_starts_on_the_day_of_a_step_keeps_it(product: str) -> None:
    start, end = ("2018-05-31", "2018-06-30") if product == "s2" else ("2018-05-03", "2018-05-08")
    names = [href.rsplit("/", 1)[1] for href in get_asset_hrefs(IDS[0], product, (start, end))]
    assert names == (["2018-05.tif"] if product == "s2" else ["2018-05-03.tif"])
