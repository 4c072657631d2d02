"""Units: ids that are derived and tell them apart, keys by content, and outcomes that survive being written down."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.outcomes import as_values, observations, outcomes
from tests.engine.tasks import Square, unit

from landloom.engine.units import Note, NoteKind, Observed, Outcome, Unit, unit_digest
from landloom.errors import InvalidDocumentError

PRODUCTS = st.from_regex(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9-]*)?", fullmatch=True)
TILES = st.sampled_from(["33N_16E-243N", "33N_33UUR", "33N_33N-499980E-5100000N", "all", "01K"])
PARTS = st.none() | st.integers(0, 20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.tuples(PRODUCTS, TILES, PARTS), unique=True, max_size=30))
def test_ids_are_unique_and_follow_from_product_tile_and_part_alone(places: list[tuple[str, str, int | None]]) -> None:
    units = [unit(product, tile=tile, part=part) for product, tile, part in places]
    assert len({one.id for one in units}) == len(units)
    for one in units:
        other = replace(one, kind="other", key="other", memory=9, needs=("x",), makes=("y",), task=Square(number=3))
        assert other.id == one.id


def test_an_id_reads_well() -> None:
    assert unit("s2").id == "s2/33N_16E-243N"
    assert unit("labels.clc", part=0).id == "labels.clc/33N_16E-243N part 1"


def test_a_unit_is_a_value() -> None:
    one: Unit = unit("s2", Square(number=2))
    assert one == unit("s2", Square(number=2)) != unit("s2", Square(number=3))
    with pytest.raises(AttributeError):
        one.key = "other"  # type: ignore[misc]


@given(JSON)
def test_a_digest_is_of_values_not_of_their_order(value: Any) -> None:
    def turned(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: turned(part[key]) for key in reversed(list(part))}
        return [turned(one) for one in part] if isinstance(part, list) else part

    assert unit_digest(value) == unit_digest(turned(value)) == unit_digest(json.loads(json.dumps(value)))
    assert len(unit_digest(value)) == 32


@given(st.lists(JSON, max_size=4), st.lists(JSON, max_size=4))
def test_a_digest_tells_values_apart(left: list[Any], right: list[Any]) -> None:
    same = json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
    assert (unit_digest(*left) == unit_digest(*right)) == same


def test_parts_of_a_digest_do_not_run_together() -> None:
    assert unit_digest("a", "b") != unit_digest("ab") != unit_digest(["a", "b"])
    assert unit_digest(None) != unit_digest("None") != unit_digest()


@given(observations())
def test_what_was_observed_survives_being_written_down(observed: Observed) -> None:
    again = Observed.parse(json.loads(json.dumps(observed.document())))
    assert (again.product, again.timesteps) == (observed.product, observed.timesteps)
    assert again.table.dtype == np.bool_
    np.testing.assert_array_equal(again.table, observed.table)


@given(outcomes())
def test_an_outcome_survives_being_written_down(outcome: Outcome) -> None:
    again = Outcome.parse(outcome.files, json.loads(json.dumps(outcome.document())))
    assert as_values(again) == as_values(outcome)


def test_notes_are_of_known_kinds_and_lineage_of_known_fields() -> None:
    document = Outcome(files=(), notes=(Note(kind=NoteKind.OVERLAP, what="two"),)).document()
    with pytest.raises(ValueError, match="rumour"):
        Outcome.parse((), document | {"notes": [{"kind": "rumour", "what": "x", "count": 1}]})
    with pytest.raises(InvalidDocumentError, match="clouds"):
        Outcome.parse((), document | {"lineage": {"timesteps": [], "clouds": 3}})
