"""Sections of cells: a list is given once, and what cannot be is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from landloom.samplers.cells.section import AllCells, AreaClassDraw, ListedCells

STRATA = {"file": "c.gpkg", "column": "id"}


def test_a_list_is_either_here_or_in_a_file() -> None:
    assert ListedCells(draw="list", ids=("a",)).file is None
    for both in ({}, {"ids": ("a",), "file": "b"}):
        with pytest.raises(ValidationError, match="expected either ids or file"):
            ListedCells.model_validate({"draw": "list", **both})


@pytest.mark.parametrize(
    ("section", "settings"),
    [
        (AreaClassDraw, {"count": 0, "strata": STRATA, "labels": "clc"}),
        (AreaClassDraw, {"count": 1, "strata": STRATA, "labels": "CLC"}),
        (AreaClassDraw, {"count": 1, "strata": {"file": "c.gpkg"}, "labels": "clc"}),
        (AreaClassDraw, {"count": 1, "strata": STRATA, "labels": "clc", "tiles": 0}),
        (AllCells, {"draw": "all", "count": 3}),
        (AllCells, {}),
    ],
)
def test_what_cannot_be_is_refused(section: Any, settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        section(**settings)
