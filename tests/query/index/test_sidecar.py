"""The arrays behind every query against plain columns of what the index was made of, for both schemes of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landloom.errors import NotFoundError
from landloom.model.ids import ChipId, SampleId, parse_sample_id

if TYPE_CHECKING:
    from tests.query.conftest import Truth

KINDS = pytest.mark.parametrize("kind", ["own", "granules"])


@pytest.fixture
def truth(kind: str, request: pytest.FixtureRequest) -> Truth:
    found: Truth = request.getfixturevalue(kind)
    return found


@KINDS
@given(st.lists(st.integers(0, 59), max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_rows_have_their_ids_places_and_shares(truth: Truth, chosen: list[int]) -> None:
    sidecar, rows = truth.corpus.sidecar, np.array(sorted(set(chosen)), np.int32)
    ids = [truth.ids[row] for row in rows.tolist()]
    assert list(sidecar.texts(rows)) == ids
    assert sidecar.ids(rows).astype(str).tolist() == ids
    assert sidecar.rows_of_ids(ids).tolist() == rows.tolist()
    samples = [parse_sample_id(sidecar.scheme, text) for text in ids]
    assert sidecar.epsg(rows).tolist() == [sample.zone.epsg for sample in samples]
    folders = [f"{sample.zone}/{sample.tile_name}" for sample in samples]
    assert sidecar.directories(rows).astype(str).tolist() == folders
    assert (sidecar.shares(rows) == truth.shares[rows][:, : len(sidecar.columns)]).all()
    corners = sidecar.corners(rows, exact=True)
    for place, row in enumerate(rows.tolist()):
        assert shapely.Polygon(corners[place]).equals_exact(truth.shapes[row], 1e-7, normalize=True)


@KINDS
def test_postings_are_the_rows_of_a_column_that_are_not_zero(truth: Truth) -> None:
    sidecar = truth.corpus.sidecar
    for place, name in enumerate(sidecar.columns):
        rows, values = sidecar.postings(name)
        assert rows.tolist() == np.flatnonzero(truth.shares[:, place]).tolist()
        assert values.tolist() == truth.shares[rows, place].tolist()
        assert sidecar.column(name).tolist() == truth.shares[:, place].tolist()
    with pytest.raises(NotFoundError, match="clc_311"):
        sidecar.postings("clc_3111")


def test_columns_cannot_be_written_into(own: Truth) -> None:
    for values in (own.corpus.sidecar.column("clc_311"), *own.corpus.sidecar.postings("clc_3")):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1


@given(st.sets(st.sampled_from(["clc_311", "clc_4", "clc_5", "clc_523", "clc_33"]), min_size=1), st.integers(0, 2_000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_rows_with_some_columns_are_their_union_or_too_many(own: Truth, names: set[str], most: int) -> None:
    sidecar = own.corpus.sidecar
    union = sorted({row for name in names for row in sidecar.postings(name)[0].tolist()})
    found = sidecar.rows_with(sorted(names), most)
    if found is None:
        members = {member for name in names for member in sidecar.groups.get(name, (name,))}
        assert sum(len(sidecar.postings(member)[0]) for member in members) > most - 8 * len(members) - len(own.ids)
    else:
        assert found.tolist() == union
    assert sidecar.rows_with(sorted(names), 10**9) is not None


@KINDS
def test_runs_hold_every_row_once(truth: Truth) -> None:
    sidecar = truth.corpus.sidecar
    runs = np.arange(len(sidecar.run_starts) - 1)
    assert sidecar.rows_of_runs(runs).tolist() == list(range(len(sidecar)))
    every = sidecar.run_of(np.arange(len(sidecar), dtype=np.int32))
    for run in runs.tolist():
        rows = sidecar.rows_of_runs(np.array([run]))
        assert rows.tolist() == np.flatnonzero(every == run).tolist()
        west, south, east, north = sidecar.run_bounds[run]
        bounds = shapely.bounds(truth.shapes[rows])
        assert west <= bounds[:, 0].min() + 1e-9
        assert south <= bounds[:, 1].min() + 1e-9
        assert east >= bounds[:, 2].max() - 1e-9
        assert north >= bounds[:, 3].max() - 1e-9
    assert len(sidecar.rows_of_runs(np.empty(0, np.int64))) == 0


def test_middles_are_within_what_they_say_of_every_corner(own: Truth) -> None:
    rows = np.arange(len(own.ids), dtype=np.int32)
    middles, reach = own.corpus.sidecar.middles(rows)
    corners = own.corpus.sidecar.corners(rows, exact=True)
    for axis in (0, 1):
        assert (np.abs(corners[:, :, axis] - middles[axis][:, None]) <= reach[axis][:, None]).all()


@pytest.mark.parametrize(
    "text", ["", "33N", "33N_16E-243N", "33N_16E-243N_00_00", "99X_16E-243N_29_01", "é", "33TWL_99", "x" * 500]
)
def test_ids_that_are_not_there_have_no_row(own: Truth, granules: Truth, text: str) -> None:
    for truth in (own, granules):
        assert truth.corpus.sidecar.rows_of_ids([text, truth.ids[3], text]).tolist() == [-1, 3, -1]


@KINDS
def test_what_exists_is_what_was_said_to(truth: Truth) -> None:
    sidecar = truth.corpus.sidecar
    codes, patterns = sidecar.availability("s2")
    assert sidecar.has_availability("s2")
    assert codes is not None
    assert (patterns[codes] == truth.exists["s2"]).all()


def test_schemes_are_told_by_their_ids(own: Truth, granules: Truth) -> None:
    assert isinstance(parse_sample_id(own.corpus.sidecar.scheme, own.ids[0]), SampleId)
    assert isinstance(parse_sample_id(granules.corpus.sidecar.scheme, granules.ids[0]), ChipId)
