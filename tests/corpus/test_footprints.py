from __future__ import annotations

import numpy as np
import orjson
import pyarrow as pa
import pytest
import shapely

from landloom.corpus.footprints import boxes, geojson, joint_box, json_boxes, outlines_of, rings, wkb
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


ACROSS = np.array([32601]), np.array([[166_021.443, 0.0, 166_621.443, 600.0]]) - [[300, 0, 300, 0]]


def test_an_outline_across_the_antimeridian_stays_small() -> None:
    outline = rings(*ACROSS)[0]
    assert np.ptp(outline[:, 0]) < 0.01
    assert outline[:, 0].max() > 180


def test_an_outline_across_the_antimeridian_is_written_as_two() -> None:
    """Split as RFC 7946 has it, in GeoParquet and JSON; its box has west above east in JSON alone."""
    outlines = np.concatenate([rings(*ACROSS), _rings("33N_16E-243N_29_01")])
    across, plain = shapely.from_wkb(wkb(outlines).to_pylist())
    assert across.geom_type == "MultiPolygon"
    assert across.is_valid
    assert across.bounds[::2] == (-180, 180)
    assert across.area == pytest.approx(shapely.Polygon(outlines[0]).area)
    assert plain.geom_type == "Polygon"
    assert boxes(outlines)[0, ::2].tolist() == [-180, 180]
    west, _, east, _ = json_boxes(outlines)[0]
    assert 179.9 < west < 180
    assert -180 < east < -179.9
    split, whole = (orjson.loads(text) for text in geojson(np.round(outlines, 7)))
    assert split["type"] == "MultiPolygon"
    assert all(shapely.is_ccw(shapely.LinearRing(part[0])) for part in split["coordinates"])
    assert whole["coordinates"] == [np.round(outlines[1], 7).tolist()]


def test_outlines_come_back_as_they_were() -> None:
    epsg = np.array([32601, 32601, 32633], np.int32)
    bounds = np.concatenate([ACROSS[1], ACROSS[1] + [[6000, 0, 6000, 0]], [[384000, 5838600, 384600, 5839200]]])
    outlines = rings(epsg, bounds)
    assert (outlines_of(wkb(outlines), epsg, bounds) == outlines).all()
    with pytest.raises(InvalidInputError):
        outlines_of(wkb(outlines), epsg, bounds + 600)


def test_joint_boxes_do_not_go_round_the_world() -> None:
    assert joint_box([(10, 0, 11, 1), (12, 0, 13, 3)]) == (10, 0, 13, 3)
    assert joint_box([(179.9, 0, -179.9, 1), (179.2, 1, 179.5, 2), (-179.5, -1, -179, 1)]) == (179.2, -1, -179, 2)
    assert joint_box([(179.9, 0, -179.9, 1), (-10, 1, 170, 2), (-170, 1, 20, 2)])[::2] == (-170, -179.9)
    assert joint_box([(179.9, 0, -179.9, 1), (-180, 1, 20, 2)])[::2] == (-180, 180)


def test_foreign_geometries_are_refused() -> None:
    with pytest.raises(InvalidInputError):
        outlines_of(pa.array([shapely.to_wkb(shapely.box(0, 0, 1, 1).buffer(1))]), *ACROSS)
    with pytest.raises(InvalidInputError):
        outlines_of(pa.array([shapely.to_wkb(shapely.box(0, 0, 1, 1), byte_order=0)]), *ACROSS)
