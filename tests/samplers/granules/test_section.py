"""The section of granules: named or from a table, and what cannot be is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from landloom.samplers.granules.section import GranuleChips


def test_granules_are_either_named_or_from_a_table() -> None:
    assert GranuleChips(draw="granules", table="t.parquet").granules == ()
    assert GranuleChips(draw="granules", granules=("33TWL",)).table is None
    for both in ({}, {"granules": ("33TWL",), "table": "t.parquet"}):
        with pytest.raises(ValidationError, match="expected either granules or table"):
            GranuleChips.model_validate({"draw": "granules", **both})


@pytest.mark.parametrize(
    "settings",
    [
        {"granules": ("33OWL",)},
        {"granules": ("33TWL",), "chips": 0},
        {"granules": ("33TWL",), "size": 10_981},
        {"granules": ("33TWL",), "seen": 1.5},
        {"table": "t", "method": "best"},
        {"table": "t", "quotas": {"Europe": -1}},
        {"table": "t", "water": 2},
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GranuleChips(draw="granules", **settings)
