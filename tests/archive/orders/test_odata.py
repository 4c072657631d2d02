"""Searching an OData service: pages, services that stop giving links, and no service at all."""

from __future__ import annotations

import pytest
from tests.archive.orders.service import (
    REGION,
    YEAR,
    Archive,
    named,
    provider,
)

from landloom.archive.orders.odata import ODataProducts, ODataService
from landloom.archive.orders.odata_products import parse_product
from landloom.archive.selection import Policy, choose_scenes
from landloom.errors import InvalidDocumentError, PermanentFaultError, TransientFaultError
from landloom.store.patience import Patience


def test_search_pages_and_gives_scenes_that_policies_choose_from(archive: Archive) -> None:
    archive.count = 5
    source = provider(archive)
    scenes = source.search(REGION, YEAR)
    assert [scene.id for scene in scenes] == [named(number) for number in range(5)]
    assert (scenes[2].granule, scenes[2].orbit, scenes[2].cloud_cover) == ("33TWL", 122, 2.0)
    assert choose_scenes(scenes, Policy.parse("least-cloudy 2"), YEAR).ids == (named(0), named(1))
    assert source.problems == ()


@pytest.mark.parametrize("count", [3, 4, 5, 7])
def test_search_goes_on_where_the_service_stops_giving_links(archive: Archive, count: int) -> None:
    archive.count, archive.skips_nothing = count, True
    source = ODataProducts(ODataService(catalogue=f"{archive.url}/odata", download=""), page=3)
    assert [scene.id for scene in source.search(REGION, YEAR)] == [named(number) for number in range(count)]


def test_a_search_that_cannot_go_on_says_so(archive: Archive) -> None:
    archive.count, archive.skips_nothing, archive.one_instant = 5, True, True
    source = ODataProducts(ODataService(catalogue=f"{archive.url}/odata", download=""), page=3)
    with pytest.raises(PermanentFaultError, match="smaller region"):
        source.search(REGION, YEAR)


def test_no_server_is_transient() -> None:
    patience = Patience(attempts=2, sleep=lambda _: None)
    service = ODataService(catalogue="http://127.0.0.1:9", download="http://127.0.0.1:9")
    with pytest.raises(TransientFaultError):
        ODataProducts(service, patience=patience).search(REGION, YEAR)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("S2A_OPER_PRD_MSIL1C_PDMC_20151206T093912_R090_V20151206T043239_20151206T043239.SAFE", "states no granule"),
        ("S2A_USER_PRD_MSIL2A_PDMC_20160504T225644_R094_V20160504T105917_20160504T105917.SAFE", "states no granule"),
        ("S2A_MSIL1B_20180605T100031_N0206_R122_T33UUU_20180605T120101.SAFE", "Level-1C or Level-2A"),
        ("S1A_IW_GRDH_1SDV_20180605T165015", "Level-1C or Level-2A"),
        ("", "Level-1C or Level-2A"),
    ],
)
def test_a_name_that_says_too_little_is_named_with_the_reason(name: str, why: str) -> None:
    with pytest.raises(InvalidDocumentError, match=why) as error:
        parse_product({"Name": name, "Id": "1"})
    assert repr(name) in str(error.value)
