from __future__ import annotations

import pytest
import shapely

from landloom.errors import InvalidInputError
from landloom.model.granules import granule_footprint
from landloom.model.ids import GranuleId
from landloom.sampling.continents import REGIONS, continents_of
from landloom.sampling.granules import PUBLISHED


def test_most_land_decides_and_sea_has_none() -> None:
    granule = GranuleId.parse("33TWL")
    west, south, east, north = granule_footprint(granule).bounds
    most, least = shapely.box(west, south, east - 0.4, north), shapely.box(east - 0.4, south, east, north)
    assert continents_of([granule], [most, least], ["Asia", "Europe"]) == ["Asia"]
    assert continents_of([granule], [most.buffer(-0.45), least], ["Asia", "Europe"]) == ["Europe"]
    assert continents_of([GranuleId.parse("30TWL"), granule], [most], ["Africa"]) == [None, "Africa"]


def test_equal_shares_go_to_the_first_by_name() -> None:
    granule, both = GranuleId.parse("33TWL"), shapely.box(15, 44, 17, 47)
    assert continents_of([granule], [both, both], ["Europe", "Africa"]) == ["Africa"]


def test_land_beyond_the_antimeridian_counts() -> None:
    granule = GranuleId.parse("01KAA")
    west, _, east, _ = granule_footprint(granule).bounds
    assert west < -180 < east
    beyond = shapely.box(179.0, -25, 180, -15)
    assert continents_of([granule], [beyond], ["Oceania"]) == ["Australia and Oceania"]


def test_there_are_six_regions_and_antarctica_is_none() -> None:
    assert set(REGIONS.values()) == set(PUBLISHED)
    place = shapely.box(15, 44, 17, 47)
    assert continents_of([GranuleId.parse("33TWL")], [place, place.buffer(-1)], ["Antarctica", "Asia"]) == [None]
    with pytest.raises(InvalidInputError, match="Atlantis"):
        continents_of([GranuleId.parse("33TWL")], [place], ["Atlantis"])
