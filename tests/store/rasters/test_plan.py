"""A plan fetches what its reads need, once and joined; reads beside it are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landloom.errors import PermanentFaultError, TransientFaultError
from landloom.formats.geotiff import encode_cog
from landloom.model.grid import Grid
from landloom.store.patience import Patience
from landloom.store.raster import open_raster
from landloom.store.rasters.fetching import fetcher
from landloom.store.rasters.plan import ReadPlan, remote_spans

if TYPE_CHECKING:
    from tests.web import FaultyServer

HASTY = Patience(attempts=1, first_wait=0, longest_wait=0)
GRID = Grid.of_bounds(32633, (500_000, 5_000_000, 507_000, 5_006_000), 10)
PIXELS = np.random.default_rng(5).integers(0, 9000, (2, *GRID.shape), np.uint16)
DATA = encode_cog(PIXELS, GRID, nodata=0, block=128, overviews=False)
READS = st.lists(
    st.tuples(st.integers(-50, 650), st.integers(-50, 750), st.integers(1, 200), st.integers(1, 2)), max_size=8
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(READS, READS)
def test_reads_are_the_same_with_and_without_a_plan(
    faulty: FaultyServer, planned: list[tuple[int, int, int, int]], others: list[tuple[int, int, int, int]]
) -> None:
    (faulty.root / "a.tif").write_bytes(DATA)
    padded = np.pad(PIXELS, ((0, 0), (300, 300), (300, 300)))
    with open_raster(f"{faulty.address}/a.tif") as raster:
        before = fetcher().held
        plan = [(GRID.window(row, column, side, side), band) for row, column, side, band in planned]
        with ReadPlan(raster.planned(window, band, at) for at, (window, band) in enumerate(plan)):
            for row, column, side, band in [*planned[::2], *others, *planned]:
                got = raster.read(GRID.window(row, column, side, side), band=band)
                want = padded[band - 1, 300 + row :, 300 + column :][:side, :side]
                np.testing.assert_array_equal(got, np.pad(want, ((0, side - len(want)), (0, side - want.shape[1]))))
        assert fetcher().held == before


def test_a_plan_of_all_windows_is_one_range_and_nothing_is_left(faulty: FaultyServer) -> None:
    (faulty.root / "a.tif").write_bytes(DATA)
    with open_raster(f"{faulty.address}/a.tif") as raster:
        windows = [GRID.window(row, column, 120, 70) for row in range(0, 600, 120) for column in range(0, 700, 70)]
        every = [raster.planned(window, 1, at) for at, window in enumerate(windows)]
        assert len(remote_spans(every)) == 30
        with ReadPlan(every):
            for window in windows:
                raster.read(window)
            assert fetcher().held == 0
    assert len(faulty.requests) == 2


@pytest.mark.parametrize(("status", "kind"), [(503, TransientFaultError), (404, PermanentFaultError)])
def test_faults_of_what_is_fetched_ahead_are_raised_where_it_is_read(
    faulty: FaultyServer, status: int, kind: type[Exception]
) -> None:
    (faulty.root / "a.tif").write_bytes(DATA)
    with open_raster(f"{faulty.address}/a.tif", patience=HASTY) as raster:
        faulty.fail(status=status)
        with ReadPlan([raster.planned(GRID, 1, 0)]), pytest.raises(kind, match=rf"a\.tif.*{status}"):
            raster.read(GRID)
        faulty.heal()
        with ReadPlan([raster.planned(GRID, 1, 0)]):
            np.testing.assert_array_equal(raster.read(GRID), PIXELS[0])
