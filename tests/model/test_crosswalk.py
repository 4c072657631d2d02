"""Crosswalks are complete, argued, and mean the same for rasters and fractions."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.errors import InvalidInputError, InvalidValueError, NotFoundError
from landloom.model.crosswalk import CROSSWALKS, Crosswalk, crosswalk


@pytest.mark.parametrize("name", CROSSWALKS)
def test_every_crosswalk_is_complete_argued_and_keeps_nodata(name: str) -> None:
    walk = crosswalk(name)
    assert all(row.reason for row in walk.rows)
    assert walk.mapping[walk.source.nodata] == walk.target.nodata
    assert set(walk.mapping.values()) <= set(walk.target.codes())
    fractions = np.arange(2 * len(walk.source.codes())).reshape(2, -1)
    assert (walk.aggregate(fractions).sum(axis=1) == fractions.sum(axis=1)).all()


def test_a_crosswalk_translates_rasters_as_it_does_fractions() -> None:
    walk = crosswalk("clc_landcovernet")
    raster = np.array([[1, 23, 44], [111, 311, 999]], dtype=np.int32)
    assert walk.apply(raster).tolist() == [[2, 5, 1], [2, 5, 0]]
    with pytest.raises(InvalidInputError, match=r"\[77\]"):
        walk.apply(np.array([77, 111]))


def test_rows_can_be_overridden_but_not_invented() -> None:
    walk = crosswalk("worldcover_landcovernet").override({"90": "1"}, reason="flooded all year here")
    assert walk.mapping["90"] == "1"
    assert next(row.reason for row in walk.rows if row.source == "90") == "flooded all year here"
    with pytest.raises(NotFoundError):
        walk.override({"91": "1"})
    with pytest.raises(NotFoundError):
        walk.override({"90": "8"})
    with pytest.raises(InvalidValueError, match="one row for each class"):
        Crosswalk(source=walk.source, target=walk.target, rows=walk.rows[1:])
