"""Laws of every identity: it reads what it writes, and sorts as its text does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.model.ids import CELL_SIZE, ChipId, GranuleId, SampleId, TileId, WindowId, Zone

zones = st.builds(Zone, st.integers(1, 60), st.booleans())
tiles = st.builds(TileId, zones, st.integers(0, 99), st.integers(0, 999))
samples = st.builds(SampleId, tiles, st.integers(1, 40), st.integers(1, 40))
granules = st.builds(
    GranuleId,
    st.integers(1, 60),
    st.sampled_from("CDEFGHJKLMNPQRSTUVWX"),
    st.text("ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=2, max_size=2),
)
chips = st.builds(ChipId, granules, st.integers(0, 99))
many_chips = st.builds(ChipId, granules, st.integers(0, 9999))
anchors = st.one_of(
    st.builds(str, granules),
    st.builds(lambda z, e, n: f"{z}-{e}E-{n}N", zones, st.integers(0, 10**6), st.integers(0, 10**7)),
)
years = st.one_of(st.none(), st.integers(1984, 2100))
windows = st.builds(WindowId, anchors, st.integers(1, 9999), st.integers(1, 9999), years)


@pytest.mark.parametrize("identities", [zones, tiles, samples, granules, many_chips, windows])
def test_every_identity_reads_what_it_writes(identities: st.SearchStrategy[SampleId]) -> None:
    @given(identities)
    def law(one: SampleId) -> None:
        again = type(one).parse(str(one))
        assert again == one
        assert hash(again) == hash(one)
        assert str(again) == str(one)

    law()


@pytest.mark.parametrize("identities", [zones, tiles, samples, granules, chips, windows])
def test_order_is_the_order_of_text(identities: st.SearchStrategy[SampleId]) -> None:
    @given(st.lists(identities, max_size=8))
    def law(some: list[SampleId]) -> None:
        assert [str(one) for one in sorted(some)] == sorted(str(one) for one in some)

    law()


@given(samples, st.floats(0, CELL_SIZE, exclude_max=True), st.floats(0, CELL_SIZE, exclude_max=True))
def test_a_cell_is_found_from_every_point_in_it(sample: SampleId, east: float, south: float) -> None:
    grid = sample.grid(10)
    # Northings of millions of metres hold a nanometre, no less.
    x, y = min(grid.west + east, grid.east - 1e-6), max(grid.north - south, grid.south + 1e-6)
    assert SampleId.at(sample.zone, x, y) == sample


@given(samples)
def test_cells_lie_inside_their_tile(sample: SampleId) -> None:
    west, south, east, north = sample.tile.grid(10).bounds
    inner = sample.grid(10).bounds
    assert west <= inner[0] < inner[2] <= east
    assert south <= inner[1] < inner[3] <= north
