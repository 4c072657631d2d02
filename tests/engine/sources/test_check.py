"""Sources of labels are read through once: what no window of a sample would show is named by row, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pytest
import shapely

from landloom.engine.context import build_context
from landloom.engine.sources.check import CHECKED, check_once, check_source
from landloom.errors import InvalidInputError, LandloomError, NotFoundError
from landloom.model.recipe import LabelSource
from landloom.store.vector.rows import BLOCK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SOURCE = LabelSource(taxonomy="clc", file="x", column="code")
REPAIR = LabelSource(taxonomy="clc", file="x", column="code", invalid="repair")
BOX = shapely.box(8, 45, 9, 46)
BOW = shapely.Polygon([(8, 45), (9, 46), (9, 45), (8, 46)])


def written(path: Path, rows: Sequence[tuple[Any, Any]]) -> str:
    codes, shapes = zip(*rows, strict=True)
    frame = geopandas.GeoDataFrame({"code": list(codes)}, geometry=list(shapes), crs=4326)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    return str(path)


@pytest.mark.parametrize(("name", "first"), [("x.gpkg", 1), ("x.geojson", 0), ("x.shp", 0), ("x.parquet", 0)])
def test_every_bad_row_is_named_as_its_file_numbers_it(tmp_path: Path, name: str, first: int) -> None:
    path = written(tmp_path / name, [("311", BOX), ("wood", BOX), ("311", BOW), ("311", None), ("312", BOX)])
    with pytest.raises(InvalidInputError) as refused:
        check_source(path, SOURCE)
    told = str(refused.value)
    assert f"{first + 1}: no class of clc 'wood'" in told
    assert f"{first + 2}: Self-intersection" in told
    assert f"{first + 3}: no geometry" in told
    assert told.count("\n  - ") == 3


def test_geometries_may_be_repaired_codes_may_not(tmp_path: Path) -> None:
    path = written(tmp_path / "x.gpkg", [("311", BOX), ("311", BOW)])
    (problem,) = check_source(path, REPAIR)
    assert (problem.where, problem.what[:17]) == ("feature 2", "Self-intersection")
    wood = written(tmp_path / "y.gpkg", [("311", BOW), ("wood", BOX)])
    with pytest.raises(InvalidInputError, match="feature 2: no class of clc 'wood'") as refused:
        check_source(wood, REPAIR)
    assert "Self-intersection" not in str(refused.value)


def test_a_file_of_many_pieces_is_read_to_its_end(tmp_path: Path) -> None:
    """The last row of the first piece, and the first and last of the second."""
    count = BLOCK + 20
    codes = np.full(count, "311", object)
    bad = [BLOCK - 1, BLOCK, count - 1]
    codes[bad] = "wood"
    path = tmp_path / "x.gpkg"
    geopandas.GeoDataFrame({"code": codes}, geometry=np.full(count, BOX), crs=4326).to_file(path)
    with pytest.raises(InvalidInputError) as refused:
        check_source(str(path), SOURCE)
    for row in bad:
        assert f"feature {row + 1}: no class" in str(refused.value)


def test_what_cannot_be_read_at_all_is_said(tmp_path: Path) -> None:
    path = written(tmp_path / "x.gpkg", [("311", BOX)])
    for source, error, message in (
        (LabelSource(taxonomy="clc", file="x"), InvalidInputError, "got no column"),
        (LabelSource(taxonomy="clc", file="x", column="kode"), NotFoundError, "nearest: code"),
        (LabelSource(taxonomy="clc", file="x", column="code", layer="y"), NotFoundError, "no layer"),
    ):
        with pytest.raises(error, match=message):
            check_source(path, source)
    for name in ("none.gpkg", "none.tif"):
        with pytest.raises(LandloomError, match=name.replace(".", r"\.")):
            check_source(str(tmp_path / name), SOURCE)


def test_a_file_is_read_once_for_as_long_as_it_is_the_same(tmp_path: Path) -> None:
    """The journal knows; other bytes, or other settings, are read again, and so is what was refused."""
    path = written(tmp_path / "x.gpkg", [("311", BOX)])
    with build_context(tmp_path / "corpus") as context:
        check_once("clc", path, SOURCE, context)
        known = context.journal.notes(CHECKED)
        check_once("clc", path, REPAIR, context)
        assert context.journal.notes(CHECKED) != known
    written(tmp_path / "x.gpkg", [("311", BOX), ("wood", BOX)])
    for _ in range(2):
        with build_context(tmp_path / "corpus") as context, pytest.raises(InvalidInputError, match="wood"):
            check_once("clc", path, SOURCE, context)
    (tmp_path / "x.gpkg").unlink()
    written(tmp_path / "x.gpkg", [("311", BOX)])
    with build_context(tmp_path / "corpus") as context:
        check_once("clc", path, SOURCE, context)
        context.identities[path] = context.identity(path)
        (tmp_path / "x.gpkg").unlink()
        check_once("clc", path, SOURCE, context)
