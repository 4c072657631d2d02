"""Points of tables: every way to say a place, and every way to get it wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.errors import InvalidInputError, NotFoundError
from landloom.model.grid import transformer
from landloom.pipelines.annotation.points import Place, PointPlaces, coordinates, read_points

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.pipelines.annotation.series import SeriesSource

CHIPS = ("32UPA_00", "32UPA_01", "33UUR_00")


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize(("row", "column"), [(0, 0), (59, 59), (7, 31)])
def test_the_middle_of_every_pixel_lies_in_it(source: SeriesSource, chip: str, row: int, column: int) -> None:
    grid = source.grid(chip)
    x, y = grid.west + (column + 0.5) * 10, grid.north - (row + 0.5) * 10
    lon, lat = transformer(grid.epsg, 4326).transform(x, y)
    places = PointPlaces(source=source)
    assert Place(chip=chip, row=row, column=column) in places.of({"lon": repr(lon), "lat": repr(lat)})
    assert places.of({"chip": chip, "row": str(row), "column": str(column)}) == [
        Place(chip=chip, row=row, column=column)
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"lon": "200", "lat": "1"}, "expected degrees in WGS84"),
        ({"lon": "east", "lat": "1"}, "got lon 'east' and lat '1'"),
        ({"lon": "nan", "lat": "1"}, "expected degrees in WGS84"),
        ({"lon": "-60", "lat": "-10"}, "lie outside every chip"),
        ({"chip": "32UPA_00", "lon": "-60", "lat": "-10"}, "lie outside every chip"),
        ({"chip": "", "row": "0", "column": "0", "lon": "-60", "lat": "-10"}, "lie outside every chip"),
        ({"chip": "32UPA_00", "row": "60", "column": "0"}, "expected 0 to 59 and 0 to 59"),
        ({"chip": "32UPA_00", "row": "", "column": "0"}, "got row '' and column '0'"),
    ],
)
def test_rows_without_a_place_are_said(source: SeriesSource, row: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        PointPlaces(source=source).of(row)


def test_unknown_chips_are_said(source: SeriesSource) -> None:
    with pytest.raises(NotFoundError, match="no sample '32UPA_99'"):
        PointPlaces(source=source).of({"chip": "32UPA_99", "row": "0", "column": "0"})


def test_tables_of_every_dialect(tmp_path: Path) -> None:
    for number, text in enumerate(
        ("lon,lat,class\n1,2,Water\n", "lon;lat;class\n1;2;Water\n", "﻿lon\tlat\tclass\r\n1\t2\tWater\r\n")
    ):
        path = tmp_path / f"{number}.csv"
        path.write_text(text, encoding="utf-8", newline="")
        assert read_points(str(path), ("class",)) == [(1, {"lon": "1", "lat": "2", "class": "Water"})]
    path.write_text("x,y,Crop/ or not\n1,2,Cropland\n", encoding="utf-8")
    names = {"lon": "x", "lat": "y", "class": "Crop/ or not"}
    assert read_points(str(path), ("class",), names) == [(1, {"lon": "1", "lat": "2", "class": "Cropland"})]
    path.write_text("lon,lat,x,y\n500000,5000000,1,2\n", encoding="utf-8")
    assert read_points(str(path), (), {"lon": "x", "lat": "y"}) == [(1, {"lon": "1", "lat": "2"})]
    assert coordinates({"lon": "1", "lat": "2"}) == (1, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x,y,class\n1,2,Water\n",
            r"class, x, y; expected lon and lat \(or chip, row and column\), too",
        ),
        ("lon,lat\n1,2\n", "got the columns lat, lon; expected class, too"),
        ("lon,lat,class\n", "got a table without rows"),
    ],
)
def test_tables_without_what_is_needed(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=message):
        read_points(str(tmp_path / "a.csv"), ("class",))
    with pytest.raises(InvalidInputError, match=r"b\.csv: cannot be read"):
        read_points(str(tmp_path / "b.csv"))
