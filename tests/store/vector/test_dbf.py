"""Encodings that shapefiles declare, and those that they have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.cases.vector_files import CROPS, parcels

from landloom.errors import InvalidInputError
from landloom.store.vector import Told, read_vector
from landloom.store.vector.dbf import long_numbers, records_without_shape, text_encoding

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("written", "declared", "told", "read"),
    [
        ("UTF-8", "UTF-8", None, True),
        ("UTF-8", "1252", None, True),
        ("UTF-8", None, None, True),
        ("ISO-8859-1", "ISO-8859-1", None, True),
        ("ISO-8859-1", "UTF-8", None, False),
        ("ISO-8859-1", "UTF-8", "cp1252", True),
        ("ISO-8859-1", "UTF-8", "no-such", False),
    ],
)
def test_text_is_what_was_written_or_its_encoding_is_asked_for(
    written: str, declared: str | None, told: str | None, read: object, tmp_path: Path
) -> None:
    path = tmp_path / "p.shp"
    parcels().to_file(path, encoding=written)
    path.with_suffix(".cpg").unlink()
    if declared is not None:
        path.with_suffix(".cpg").write_text(declared, encoding="ascii")
    if read:
        assert read_vector(path, told=Told(encoding=told))["crop"].tolist() == list(CROPS)
    else:
        with pytest.raises(InvalidInputError, match=r"p\.shp.*(encoding|UTF-8)"):
            read_vector(path, told=Told(encoding=told))


def test_numbers_of_twenty_digits_are_exact(tmp_path: Path) -> None:
    """GDAL reads columns of more than 18 digits as floats."""
    digits = ["12345678901234567890", "9007199254740993", ""]
    parcels().assign(long=[text.rjust(20, "x") for text in digits]).to_file(tmp_path / "p.shp")
    file = tmp_path / "p.dbf"
    data = bytearray(file.read_bytes())
    place = data.index(b"long\x00")
    data[place + 11 : place + 12] = b"N"
    data[place + 16] = 20
    width, first = int.from_bytes(data[10:12], "little"), int.from_bytes(data[8:10], "little")
    for row, text in enumerate(digits):
        start = data.index(text.rjust(20, "x").encode(), first + row * width)
        data[start : start + 20] = text.rjust(20).encode()
    file.write_bytes(data)
    assert read_vector(tmp_path / "p.shp")["long"].tolist() == [12345678901234567890, 9007199254740993, None]
    assert list(long_numbers(tmp_path / "p.shp", "utf-8")) == ["long"]
    assert records_without_shape(tmp_path / "p.shp") == []
    assert text_encoding(tmp_path / "p.shp", "p.shp") == "UTF-8"
