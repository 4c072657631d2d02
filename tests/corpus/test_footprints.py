from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import shapely

from landloom.corpus.footprints import boxes, outlines_of, rings, wkb
from landloom.errors import InvalidInputError
from landloom.model.ids import CELL_SIZE, SampleId

PUBLISHED = {
    "35N_19E-292N_23_31": ((26.49348, 63.29178), (26.49338, 63.29717)),
    "35N_19E-292N_01_05": ((26.17905, 63.40880), (26.17889, 63.41418)),
    "35N_19E-292N_17_03": ((26.15755, 63.32251), (26.15739, 63.32789)),
    "35N_19E-292N_05_11": ((26.25168, 63.38765), (26.25154, 63.39304)),
    "35N_19E-292N_36_28": ((26.45890, 63.22165), (26.45880, 63.22704)),
}


def _rings(*ids: str) -> np.ndarray:
    grids = [SampleId.parse(text).grid(CELL_SIZE) for text in ids]
    return rings(np.array([grid.epsg for grid in grids], np.int32), np.array([grid.bounds for grid in grids]))


def test_published_corners() -> None:
    outlines = _rings(*PUBLISHED)
    for outline, corners in zip(outlines, PUBLISHED.values(), strict=True):
        assert outline[:2].round(5).tolist() == [list(corner) for corner in corners]


def test_equal_to_the_footprints_of_the_model_in_both_hemispheres() -> None:
    ids = ["33N_16E-243N_29_01", "35N_19E-292N_23_31", "19S_12E-300N_40_40", "01N_20E-001N_01_01"]
    polygons = shapely.from_wkb(wkb(_rings(*ids)).to_pylist())
    for text, polygon in zip(ids, polygons, strict=True):
        assert polygon.equals_exact(SampleId.parse(text).footprint, 1e-12)
        assert polygon.exterior.is_ccw


def test_boxes_are_those_of_shapely() -> None:
    outlines = _rings(*PUBLISHED)
    assert np.array_equal(boxes(outlines), shapely.bounds(shapely.polygons(outlines)))


def test_an_outline_across_the_antimeridian_stays_small() -> None:
    bounds = np.array([[166_021.443, 0.0, 166_621.443, 600.0]]) - [[300, 0, 300, 0]]
    outline = rings(np.array([32601], np.int32), bounds)[0]
    assert np.ptp(outline[:, 0]) < 0.01
    assert outline[:, 0].max() > 180


def test_foreign_geometries_are_refused() -> None:
    with pytest.raises(InvalidInputError):
        outlines_of(pa.array([shapely.to_wkb(shapely.box(0, 0, 1, 1).buffer(1))]))
    with pytest.raises(InvalidInputError):
        outlines_of(pa.array([shapely.to_wkb(shapely.box(0, 0, 1, 1), byte_order=0)]))
