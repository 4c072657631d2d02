"""The drop-in for the published helper: its counts, its rules of time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from landloom.errors import InvalidIdentityError, InvalidValueError, NotFoundError
from landloom.model.ids import SampleId
from landloom.query.index.rapidai4eo import BASE_URL
from landloom.query.index.synthetic import synthetic_samples
from landloom.query.published import PRODUCTS, get_asset_hrefs

YEAR = ("2018-01-01T00:00:00Z", "2019-01-01T00:00:00Z")


@pytest.fixture(scope="module")
def ids() -> list[str]:
    return synthetic_samples(3_214, 6, seed=1).ids


@pytest.mark.parametrize(
    ("samples", "products", "period", "count"),
    [
        (198, None, None, 60_192),
        (198, ["pfsr", "s2"], None, 31_284),
        (198, "s2", None, 2_376),
        (198, ["pfsr", "s2"], YEAR, 16_830),
        (2_753, "pfsr", None, 401_938),
        (3_214, ["pfsr", "s2"], YEAR, 273_190),
    ],
)
def test_published_counts(ids: list[str], samples: int, products: Any, period: Any, count: int) -> None:
    hrefs = get_asset_hrefs(ids[:samples], products, period)
    assert len(hrefs) == len(set(hrefs)) == count
    assert all(href.startswith(BASE_URL) for href in hrefs)


def test_published_addresses() -> None:
    hrefs = get_asset_hrefs(["30N_12E-191N_01_19"])
    folder = f"{BASE_URL}imagery/30N/12E-191N/30N_12E-191N_01_19/"
    assert hrefs[0] == f"{folder}PF-SR/2018-01-03.tif"
    assert hrefs[145] == f"{folder}PF-SR/2019-12-29.tif"
    assert hrefs[146] == f"{folder}PF-QA/2018-01-03.tif"
    assert hrefs[-1] == f"{folder}S2-SR/2018-12.tif"
    assert PRODUCTS == ["pfsr", "pfqa", "s2"]
    assert get_asset_hrefs(["30N_12E-191N_01_19"], "s2", base_url="/data")[0].startswith("/data/imagery/30N/")


def names(products: str, start: str, end: str) -> list[str]:
    hrefs = get_asset_hrefs(["30N_12E-191N_01_19"], products, (start, end))
    return [href.rsplit("/", 1)[1].removesuffix(".tif") for href in hrefs]


def test_both_ends_are_strict_and_steps_stand_at_half_past_ten() -> None:
    assert names("pfsr", "2018-01-03", "2018-01-13") == ["2018-01-03", "2018-01-08"]
    assert names("pfsr", "2018-01-03T10:30:00Z", "2018-01-13T10:30:00Z") == ["2018-01-08"]
    assert names("pfsr", "2018-01-03T10:29:59Z", "2018-01-13T10:30:01Z") == ["2018-01-03", "2018-01-08", "2018-01-13"]
    assert names("s2", "2018-01-31", "2018-03-31") == ["2018-01", "2018-02"]
    assert names("s2", "2018-01-31T10:30:00Z", "2018-04-01") == ["2018-02", "2018-03"]
    assert names("s2", "2018-01-01", "2018-01-31") == []


def test_times_may_be_of_any_kind() -> None:
    import pandas as pd

    expected = names("s2", *YEAR)
    for start, end in (
        (pd.to_datetime(YEAR[0]), pd.to_datetime(YEAR[1])),
        (datetime(2018, 1, 1, tzinfo=UTC), datetime(2019, 1, 1, tzinfo=UTC)),
    ):
        assert len(get_asset_hrefs(pd.Index(["30N_12E-191N_01_19"]), "s2", (start, end))) == len(expected) == 12


def test_bad_input_is_named() -> None:
    with pytest.raises(NotFoundError, match="pfsr"):
        get_asset_hrefs([], "pfs")
    with pytest.raises(InvalidIdentityError, match="33N_16E-243N_29_1'"):
        get_asset_hrefs(["33N_16E-243N_29_01", "33N_16E-243N_29_1"])
    with pytest.raises(InvalidIdentityError, match="33N_16E-243N_29_0x"):
        get_asset_hrefs(["33N_16E-243N_29_01", "33N_16E-243N_29_0x"])
    with pytest.raises(InvalidIdentityError, match="ü"):
        get_asset_hrefs(["ü"])
    with pytest.raises(InvalidValueError, match="before it begins"):
        get_asset_hrefs([], None, ("2019-01-01", "2018-01-01"))
    assert get_asset_hrefs([]) == []


def test_ids_are_parsed_as_the_model_parses_them(ids: list[str]) -> None:
    sample = SampleId.parse(ids[0])
    href = get_asset_hrefs(ids[:1], "s2")[0]
    assert href == f"{BASE_URL}imagery/{sample.zone}/{sample.tile_name}/{sample}/S2-SR/2018-01.tif"
