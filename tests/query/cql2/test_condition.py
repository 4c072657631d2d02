"""Conditions find the same rows whether they look at all of them or at the few that can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landloom.errors import InvalidInputError, NotFoundError
from landloom.query.cql2.condition import Condition
from landloom.query.cql2.filter import parse_sum

if TYPE_CHECKING:
    from tests.query.conftest import Truth

LEAVES = ["clc_412 > 0.1", "clc_523 > 0", "clc_311 + clc_312 >= 0.5", "clc_331 = 0", "wet > 0.2", "clc_2 < 0.3"]
FILTERS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: (
        st.builds("({}) AND ({})".format, inner, inner)
        | st.builds("({}) OR ({})".format, inner, inner)
        | st.builds("NOT ({})".format, inner)
    ),
    max_leaves=4,
)
AGGREGATES = {"wet": parse_sum("clc_412 + clc_411")}
WORDS = st.sampled_from([None, ("DE",), ("DE", "FR")])


@given(FILTERS, WORDS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_all_rows_and_each_row_by_itself_give_one_answer(own: Truth, text: str, strata: tuple[str, ...] | None) -> None:
    sidecar = own.corpus.sidecar
    condition = Condition(sidecar, text, AGGREGATES, {"stratum": strata})
    every = np.arange(len(sidecar), dtype=np.int32)
    found = condition.of(None).tolist()
    assert found == condition.of(every).tolist()
    halves = [condition.of(every[start::2]).tolist() for start in (0, 1)]
    assert sorted(halves[0] + halves[1]) == found
    plain = Condition(sidecar, text, AGGREGATES, {}).of(None).tolist()
    assert found == [row for row in plain if strata is None or own.stratum[row] in strata]


def test_words_alone_choose_their_rows(own: Truth) -> None:
    found = Condition(own.corpus.sidecar, None, {}, {"split": ("test",), "stratum": None}).of(None)
    assert found.tolist() == [row for row, split in enumerate(own.split) if split == "test"]
    everything = Condition(own.corpus.sidecar, None, {}, {})
    assert len(everything.of(None)) == len(own.ids)
    assert everything.of(np.array([3, 5], np.int32)).tolist() == [3, 5]


def test_values_that_no_sample_has_are_named(own: Truth, published: Truth) -> None:
    with pytest.raises(NotFoundError, match="trian"):
        Condition(own.corpus.sidecar, None, {}, {"split": ("trian",)})
    with pytest.raises(InvalidInputError, match="no sample of this corpus is in a split"):
        Condition(published.corpus.sidecar, "split = 'train'", {}, {})
    Condition(published.corpus.sidecar, "split IS NULL", {}, {})
