from __future__ import annotations

import pytest
import shapely

from landloom.errors import InvalidIdentityError
from landloom.model.ids import (
    CELL_SIZE,
    SCHEMES,
    ChipId,
    GranuleId,
    Identity,
    SampleId,
    TileId,
    WindowId,
    Zone,
    parse_sample_id,
)


@pytest.mark.parametrize(
    ("longitude", "latitude", "zone"),
    [
        (-180.0, 10.0, "01N"),
        (180.0, 10.0, "01N"),  # the same meridian
        (179.999, 10.0, "60N"),
        (-174.0, -10.0, "02S"),  # a border belongs to the zone east of it
        (5.999999, 50.0, "31N"),
        (6.0, 50.0, "32N"),
        (4.0, 61.0, "31N"),  # no exception for Norway
        (10.0, 78.0, "32N"),  # nor for Svalbard
        (0.0, 0.0, "31N"),  # the equator belongs to the north
        (0.0, -1e-9, "31S"),
        (366.0, 50.0, "32N"),
        (-186.0, 50.0, "60N"),
    ],
)
def test_zones_of_places(longitude: float, latitude: float, zone: str) -> None:
    assert str(Zone.of(longitude, latitude)) == zone


def test_zones_and_epsg_codes_agree_both_ways() -> None:
    for number in range(1, 61):
        for north in (True, False):
            zone = Zone(number, north)
            assert Zone.from_epsg(zone.epsg) == zone
            assert Zone.of(zone.central_meridian, 1.0 if north else -1.0) == zone
    for code in (4326, 32600, 32661, 32760 + 1, 3035):
        with pytest.raises(InvalidIdentityError, match=str(code)):
            Zone.from_epsg(code)


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        ("utm24", "33N_16E-243N_29_01"),
        ("utm24", "33S_16E-043N_01_40"),
        ("granule", "37TDK_27"),
        ("granule", "01CCV_00"),
        ("granule", "37TDK_100"),
        ("window", "33TWL_0012_0034"),
        ("window", "33TWL_0012_0034_2018"),
        ("window", "33S-499980E-5100000N_0001_0002"),
    ],
)
def test_ids_of_every_scheme_read_what_they_write(scheme: str, text: str) -> None:
    identity = parse_sample_id(scheme, text)
    assert isinstance(identity, Identity)
    assert isinstance(identity, SCHEMES[scheme])
    assert str(identity) == text
    assert str(identity.zone) in (text[:3], "37N", "01S", "33N")
    assert identity.tile_name


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Zone, "33"),
        (Zone, "61N"),
        (Zone, "00N"),
        (Zone, "33U"),
        (TileId, "33N_16E_243N"),
        (TileId, "33N_6E-243N"),
        (SampleId, "33N_16E-243N_00_01"),
        (SampleId, "33N_16E-243N_29_41"),
        (SampleId, "33N_16E-243N_29_1"),
        (SampleId, "33N_16E-243N"),
        (SampleId, " 33N_16E-243N_29_01"),
        (GranuleId, "33IWL"),
        (GranuleId, "33TIL"),
        (GranuleId, "61TWL"),
        (GranuleId, "33TWLX"),
        (ChipId, "37TDK"),
        (ChipId, "37TDK_7"),
        (ChipId, "37TDK_007"),
        (WindowId, "33TWL_12_34"),
        (WindowId, "33TWL_0000_0034"),
        (WindowId, "elsewhere_0001_0034"),
    ],
)
def test_text_that_is_no_id_is_refused_and_shown(kind: type[SampleId], text: str) -> None:
    with pytest.raises(InvalidIdentityError, match=r"got .*, expected"):
        kind.parse(text)


def test_granules_read_the_spellings_in_use() -> None:
    assert GranuleId.parse("T33TWL") == GranuleId.parse("33TWL")
    assert str(GranuleId.parse("1CCV")) == "01CCV"
    assert not GranuleId.parse("01CCV").zone.north
    assert GranuleId.parse("33NWL").zone.north


def test_rows_count_from_the_north_edge_and_columns_from_the_west() -> None:
    tile = TileId.parse("33N_16E-243N")
    west, south, east, north = tile.grid(10).bounds
    first, last = SampleId(tile, 1, 1).grid(10), SampleId(tile, 40, 40).grid(10)
    assert (first.west, first.north) == (west, north)
    assert (last.east, last.south) == (east, south)
    assert len(set(tile.samples())) == 1600
    assert list(tile.samples()) == sorted(tile.samples())


def test_a_cell_owns_its_north_and_west_edges() -> None:
    sample = SampleId.parse("33S_16E-243N_01_01")
    grid = sample.grid(10)
    assert SampleId.at(sample.zone, grid.west, grid.north - 1e-6) == sample
    assert SampleId.at(sample.zone, grid.west, grid.north) == sample
    assert SampleId.at(sample.zone, grid.west - 1e-6, grid.north) != sample
    below = SampleId.at(sample.zone, grid.west, grid.south)
    assert below == SampleId(sample.tile, 2, 1)
    last = SampleId(sample.tile, 40, 1).grid(10)
    assert SampleId.at(sample.zone, last.west, last.south) == SampleId(TileId.parse("33S_16E-242N"), 1, 1)


def test_footprints_of_the_south_run_from_the_south_east_corner_counter_clockwise() -> None:
    outline = SampleId.parse("22S_20E-343N_05_06").footprint
    assert shapely.is_ccw(shapely.get_exterior_ring(outline))
    (x0, y0), (x1, y1), (x2, y2) = shapely.get_coordinates(outline)[:3]
    assert y0 < y1
    assert x2 < x1
    assert y0 < 0
    assert outline.bounds == pytest.approx((min(x2, x0 - 0.01), y0, x0, y1), abs=0.01)
    assert x0 == pytest.approx(x1, abs=1e-3)
    assert y1 == pytest.approx(y2, abs=1e-3)


def test_ids_sort_as_text_does() -> None:
    texts = ["33S_16E-243N", "33N_16E-243N", "32S_99E-000N", "33N_09E-999N", "33N_10E-000N"]
    assert [str(tile) for tile in sorted(map(TileId.parse, texts))] == sorted(texts)
    windows = ["33TWL_0012_0034_2018", "33TWL_0012_0034", "33TWL_0012_0033_2019", "33N-0E-0N_0001_0001"]
    assert [str(window) for window in sorted(map(WindowId.parse, windows))] == sorted(windows)


def test_ids_do_not_compare_with_anything_else() -> None:
    with pytest.raises(TypeError):
        assert Zone(33) < "33N"
    with pytest.raises(TypeError):
        assert WindowId.parse("33TWL_0012_0034") < 5


def test_cells_nest_pixels_of_10_20_and_60_metres() -> None:
    grid = SampleId.parse("33N_16E-243N_29_01").grid(10)
    assert grid.bounds == grid.snapped().bounds
    assert [grid.at(size).shape for size in (10, 20, 60)] == [(60, 60), (30, 30), (10, 10)]
    assert CELL_SIZE == 600
