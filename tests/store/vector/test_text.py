"""CSV as people have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import shapely

from landloom.errors import InvalidInputError, LandloomError
from landloom.store.vector import UNREAD, Told, frame_crs, has_geometry, read_vector

if TYPE_CHECKING:
    from pathlib import Path

SQUARE = "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))"
WKB = shapely.to_wkb(shapely.set_srid(shapely.from_wkt(SQUARE), 32633), hex=True, include_srid=True)
UTM = Told(crs=32633)


@pytest.mark.parametrize(
    ("lines", "encoding", "told"),
    [
        (["id,crop,wkt", f'7,Öl,"{SQUARE}"'], "utf-8", UTM),
        (["id;crop;WKT", f"7;Öl;{SQUARE}"], "utf-8-sig", UTM),
        (["id\tcrop\tGeometry", f"7\tÖl\t{SQUARE}"], "utf-16", UTM),
        (["id|crop|geom", f"7|Öl|{SQUARE}"], "cp1252", Told(crs=32633, encoding="cp1252")),
        (["sep=;", "id;crop;the_geom", f"7;Öl;SRID=32633;{SQUARE}".replace("SRID=32633;", "")], "utf-8", UTM),
        (["id,crop,geom", f'7,Öl,"SRID=32633;{SQUARE}"'], "utf-8", Told()),
        (["id,crop,geom", f"7,Öl,{WKB}"], "utf-8", Told()),
        (["id,crop,crs,shape", f'7,Öl,urn:ogc:def:crs:EPSG::32633,"{SQUARE}"'], "utf-8", Told()),
        (["id,crop,umriss", f'7,Öl,"{SQUARE}"'], "utf-8", Told(crs=32633, geometry="umriss")),
        (["id,crop,epsg,wkt", f'7,Öl,32633,"{SQUARE}"'], "utf-8", Told(crs_column="epsg")),
        (["id,crop,wkt", f'7,O\u0308l,"{SQUARE}"'], "utf-8", UTM),
    ],
)
def test_what_is_written_is_read(lines: list[str], encoding: str, told: Told, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("\r\n".join(lines), encoding=encoding, newline="")
    frame = read_vector(path, told=told)
    assert (frame["id"].tolist(), frame["crop"].tolist(), frame_crs(frame)) == ([7], ["Öl"], 32633)
    assert frame.geometry.area.tolist() == [100]


def test_words_for_nothing_stay_words_and_commas_are_decimals(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    rows = [f"{crop};1,5;{SQUARE}" for crop in ("NA", "null", "None", "NO", "0110", "")]
    path.write_text("\n".join(["crop;height;wkt", *rows]), encoding="utf-8")
    frame = read_vector(path, told=UTM)
    assert frame["crop"].tolist() == ["NA", "null", "None", "NO", "0110", None]
    assert frame["height"].tolist() == [1.5] * 6


def test_coordinates_in_two_columns_are_points(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("id;X;Y\n1;13,5;52,5\n2;x;1\n3;;", encoding="utf-8")
    frame = read_vector(path, told=Told(crs=4326))
    assert frame.geometry[0] == shapely.Point(13.5, 52.5)
    assert frame.attrs[UNREAD] == {1: "got coordinates that are no numbers"}
    assert has_geometry(["a", "WKT"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"id,wkt\n7,{SQUARE}".encode(), "row 0: got 6 cells, expected 2"),
        ('id,crop,wkt\n7,Öl,"x"'.encode("cp1252"), "cp1252"),
        (b"id,id,wkt\n1,2,3", "more than once"),
        (b"a" * (2 << 20), "line of more than"),
        (f'id,crs,wkt\n7,99999,"{SQUARE}"'.encode(), "EPSG does not know"),
        (f'id,crs,wkt\n7,32633,"{SQUARE}"\n8,,"{SQUARE}"'.encode(), r"no CRS in rows \[1\]"),
    ],
)
def test_what_cannot_be_read_is_said(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(content)
    with pytest.raises(LandloomError, match=message) as refused:
        read_vector(tmp_path / "p.csv")
    assert "p.csv" in str(refused.value)


def test_an_encoding_that_nobody_knows_is_said(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(f'id,wkt\n7,"{SQUARE}"', encoding="utf-8")
    told: Any = Told(crs=32633, encoding="klingon")
    with pytest.raises(InvalidInputError, match="klingon"):
        read_vector(tmp_path / "p.csv", told=told)
