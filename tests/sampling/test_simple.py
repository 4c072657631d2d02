from __future__ import annotations

import pytest
import shapely

from landloom.errors import InvalidInputError
from landloom.model.ids import SampleId
from landloom.sampling.overlap import overlapping_pairs
from landloom.sampling.simple import draw_all, draw_list
from landloom.sampling.zone_cells import candidate_cells


def test_all_cells_are_drawn_but_for_overlaps() -> None:
    inland = candidate_cells(shapely.box(14.0, 50.0, 14.1, 50.1))
    assert draw_all(inland).tolist() == list(range(len(inland)))
    border = candidate_cells(shapely.box(11.95, 50.0, 12.05, 50.1))
    kept = draw_all(border)
    assert 0 < len(border) - len(kept) < len(border) / 4
    assert len(overlapping_pairs(border.take(kept))) == 0


def test_a_list_that_names_a_cell_twice_or_two_that_overlap_is_refused() -> None:
    one = SampleId.parse("33N_16E-243N_29_01")
    with pytest.raises(InvalidInputError, match="more than once: 33N_16E-243N_29_01"):
        draw_list([one, one])
    pair = [SampleId.parse("33N_12E-240N_30_11"), SampleId.parse("32N_29E-240N_31_17")]
    with pytest.raises(InvalidInputError, match="32N_29E-240N_31_17 and 33N_12E-240N_30_11"):
        draw_list(pair)
    assert draw_list([]) == []
