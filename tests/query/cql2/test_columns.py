"""Columns of some rows are those rows of the columns of all, and of what the index was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landloom.errors import NotFoundError
from landloom.query.cql2.columns import TEXTS, NoLabels, RowColumns

if TYPE_CHECKING:
    from tests.query.conftest import Truth

    from landloom.query.cql2.evaluation import Words


def values(words: Words) -> list[str | None]:
    return [words.texts[code] for code in words.codes.tolist()]


@given(st.sets(st.integers(0, 1_499), max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_rows_hold_what_the_index_was_made_of(own: Truth, chosen: set[int]) -> None:
    rows = np.array(sorted(chosen), np.int32)
    columns = RowColumns(own.corpus.sidecar, rows)
    assert len(columns) == len(rows)
    for place, name in enumerate(own.corpus.sidecar.columns[:12]):
        found = columns.number(name)
        assert found is not None
        assert found[0].tolist() == own.shares[rows, place].tolist()
        assert found[1:] == (1_000_000, 1_000_000)
    assert values(columns.words("id")) == [own.ids[row] for row in rows]
    assert values(columns.words("stratum")) == [own.stratum[row] for row in rows]
    assert values(columns.words("split")) == [own.split[row] for row in rows]
    assert values(columns.words("tile")) == [own.ids[row][:12] for row in rows]
    assert values(columns.words("zone")) == [own.ids[row][:3] for row in rows]


def test_a_group_is_the_sum_of_its_columns(own: Truth) -> None:
    columns = RowColumns(own.corpus.sidecar)
    place = {name: number for number, name in enumerate(own.corpus.sidecar.columns)}
    for group, members in own.corpus.sidecar.groups.items():
        found = columns.number(group)
        assert found is not None
        assert found[0].tolist() == own.shares[:, [place[name] for name in members]].sum(axis=1).tolist()


def test_text_is_no_number_and_unknown_columns_are_named(own: Truth) -> None:
    columns = RowColumns(own.corpus.sidecar)
    assert {columns.number(name) for name in TEXTS} == {None}
    with pytest.raises(NotFoundError, match="stratu"):
        columns.words("stratu")


def test_a_row_without_labels_has_none_of_any() -> None:
    columns = NoLabels(["clc_1", "clc_2"])
    assert len(columns) == 1
    found = columns.number("clc_1")
    assert found is not None
    assert found[0].tolist() == [0]
    with pytest.raises(NotFoundError, match="label column"):
        columns.words("split")
