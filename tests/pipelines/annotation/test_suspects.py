"""Lists of suspected labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.errors import InvalidInputError
from landloom.pipelines.annotation.suspects import read_suspects

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.pipelines.annotation.series import SeriesSource


def test_pixels_with_and_without_a_probability(source: SeriesSource, tmp_path: Path) -> None:
    path = tmp_path / "suspects.csv"
    path.write_text("chip,row,column,probability\n32UPA_00,1,2,0.9\n32UPA_00,3,4,\n33UUR_01,0,0,1\n", encoding="utf-8")
    assert read_suspects(str(path), source) == {"32UPA_00": [(1, 2, 0.9), (3, 4, 0.5)], "33UUR_01": [(0, 0, 1.0)]}


def test_a_chip_without_a_pixel_is_suspected_as_a_whole(source: SeriesSource, tmp_path: Path) -> None:
    path = tmp_path / "noise.csv"
    path.write_text(
        "chip,row,column,probability,label\n32UPA_00,,,0.4,forest\n33UUR_01,2,3,1,field\n", encoding="utf-8"
    )
    assert read_suspects(str(path), source) == {"32UPA_00": [(-1, -1, 0.4)], "33UUR_01": [(2, 3, 1.0)]}
    path.write_text("chip,row,column\n32UPA_09,,\n32UPA_00,1,\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="row 1: no sample '32UPA_09'") as caught:
        read_suspects(str(path), source)
    assert "row 2: got row '1' and column ''" in str(caught.value)


def test_every_row_that_cannot_be_used_is_named(source: SeriesSource, tmp_path: Path) -> None:
    path = tmp_path / "suspects.csv"
    path.write_text("chip,row,column,probability\n32UPA_00,1,2,9\n32UPA_00,1,x,1\n32UPA_09,1,1,1\n", encoding="utf-8")
    with pytest.raises(InvalidInputError) as caught:
        read_suspects(str(path), source)
    text = str(caught.value)
    assert "suspects.csv, row 1: got probability '9', expected 0 to 1" in text
    assert "suspects.csv, row 2: got row '1' and column 'x'" in text
    assert "suspects.csv, row 3: no sample '32UPA_09'" in text
