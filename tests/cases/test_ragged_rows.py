"""A row of a table with too many cells, or too few, costs itself alone, and is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landloom.engine.sources.check import check_source
from landloom.engine.sources.parcels import read_parcels
from landloom.errors import InvalidInputError
from landloom.model.recipe import LabelSource
from landloom.query.region import resolve_region
from landloom.store.vector import UNREAD, Told, read_vector
from landloom.store.vector.tables import table_rows

if TYPE_CHECKING:
    from pathlib import Path

GOOD, SHORT, LONG = "good", "short", "long"


def _row(number: int, kind: str, separator: str) -> str:
    west = number * 0.01
    square = f'"POLYGON (({west} 0, {west + 0.005} 0, {west + 0.005} 0.005, {west} 0))"'
    cells = {GOOD: [str(number), "211", square], SHORT: [str(number), "211"], LONG: [str(number), "211", square, "x"]}
    return separator.join(cells[kind])


def _table(kinds: list[str], separator: str = ",", head: str = "") -> str:
    rows = [_row(number, kind, separator) for number, kind in enumerate(kinds)]
    return "\n".join([*([head] if head else []), separator.join(("id", "crop", "wkt")), *rows]) + "\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.sampled_from([GOOD, GOOD, SHORT, LONG]), min_size=1, max_size=12), st.sampled_from(",;\t|"))
def test_other_rows_are_read_as_without_them(tmp_path: Path, kinds: list[str], separator: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(_table(kinds, separator, "sep=;" if separator == ";" else ""), encoding="utf-8")
    if GOOD not in kinds:
        with pytest.raises(InvalidInputError, match=r"p\.csv, row 0: got [24] cells, expected 3"):
            read_vector(path, told=Told(crs=4326))
        return
    frame = read_vector(path, told=Told(crs=4326), numbered=True)
    assert frame.index.tolist() == list(range(len(kinds)))
    cells = {SHORT: "got 2 cells, expected 3", LONG: "got 4 cells, expected 3"}
    assert frame.attrs[UNREAD] == {number: cells[kind] for number, kind in enumerate(kinds) if kind != GOOD}
    assert [value if kind == GOOD else None for value, kind in zip(frame["id"], kinds, strict=True)] == [
        number if kind == GOOD else None for number, kind in enumerate(kinds)
    ]
    assert frame.geometry.notna().tolist() == [kind == GOOD for kind in kinds]


def test_rows_far_down_a_file_keep_their_places(tmp_path: Path) -> None:
    """Arrow reads ahead by blocks of 64 MiB."""
    path, pad = tmp_path / "p.csv", "x" * 2**20
    with path.open("w", encoding="utf-8") as file:
        file.write("id,crs,wkt,pad\n")
        for number in range(150):
            file.write(f"{number},4326,POINT (1 1),{pad}{',' if number % 40 == 7 else ''}\n")
    frame = read_vector(path, columns=["id"], numbered=True)
    assert [number for number in frame.index if frame.geometry.isna()[number]] == [7, 47, 87, 127]
    assert frame["id"].drop([7, 47, 87, 127]).tolist() == [n for n in range(150) if n % 40 != 7]


def test_what_has_no_geometry_needs_no_crs(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text('id,wkt\n1,SRID=4326;POINT (1 2)\n2,\n3,"POINT (1"\n4,a,b\n')
    frame = read_vector(tmp_path / "p.csv", numbered=True)
    assert frame.crs.to_epsg() == 4326
    assert frame.attrs[UNREAD] == {2: "got geometry that is no WKT", 3: "got 3 cells, expected 2"}


def test_every_reader_names_the_row(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(_table([GOOD, LONG, GOOD]), encoding="utf-8")
    parcels = read_parcels(str(path), columns={"ground_truth": "crop"}, told=Told(crs=4326))
    assert parcels.ids.tolist() == [0, 2]
    assert [(row.id, row.reason) for row in parcels.rejected] == [("row 1", "got 4 cells, expected 3")]
    stated = path.read_text(encoding="utf-8").replace("wkt", "wkt,crs").replace(')"', ')",4326')
    path.write_text(stated, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"p\.csv: row 1 got 5 cells, expected 4"):
        resolve_region(str(path))
    source = LabelSource(taxonomy="clc", file=str(path), column="crop")
    with pytest.raises(InvalidInputError, match="got 5 cells, expected 4"):
        check_source(str(path), source)


def test_tables_without_geometry_name_the_line() -> None:
    with pytest.raises(InvalidInputError, match=r"a\.csv, line 3: got 3 cells, expected 2"):
        table_rows("value;code\nmaize;1\nwheat;2;3\n", "a.csv")
    assert table_rows("value;code\nmaize;1;;\n") == [{"value": "maize", "code": "1"}]
