"""Sections of windows: an anchor is one that ids can have."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from landloom.samplers.windows.section import ParcelWindows, WindowGrid


@pytest.mark.parametrize("anchor", ["33TWL", "33N-499980E-5100000N", "35S-500040E-9000000N"])
def test_anchors_are_granules_or_corners(anchor: str) -> None:
    assert WindowGrid(draw="windows", anchor=anchor).anchor == anchor


@pytest.mark.parametrize(
    ("section", "settings"),
    [
        (WindowGrid, {"anchor": "the church"}),
        (WindowGrid, {"size": 0}),
        (WindowGrid, {"resolution": 0}),
        (WindowGrid, {"labelled": 1.5}),
        (WindowGrid, {"seasons": {12: {"start": "2018-01-01", "end": "2018-02-01"}}}),
        (WindowGrid, {"whole": True}),
        (ParcelWindows, {"vertices": 2}),
        (ParcelWindows, {"others": "drop"}),
        (ParcelWindows, {"rows": 3}),
        (ParcelWindows, {"anchor": "the church"}),
    ],
)
def test_what_cannot_be_is_refused(section: Any, settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        section(draw=section.model_fields["draw"].annotation.__args__[0], **settings)
