"""Tables of text: marks, encodings, separators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.errors import InvalidInputError
from landloom.store.vector.tables import decoded, read_text, separator_of, table_rows

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_mark_is_dropped_once(encoding: str, tmp_path: Path) -> None:
    marked = "\ufeff" if encoding.endswith("e") else ""
    (tmp_path / "a").write_bytes(f"{marked}Ä\n".encode(encoding))
    assert read_text(tmp_path / "a") == "Ä\n"


def test_what_is_no_text_is_named() -> None:
    with pytest.raises(InvalidInputError, match=r"a\.csv, line 2: is not utf-8 text; name its encoding"):
        decoded(b"a\n\xe4", "a.csv")
    with pytest.raises(InvalidInputError, match=r"none\.csv: cannot be read"):
        read_text("none.csv")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_separator_gives_the_same_rows(separator: str) -> None:
    text = separator.join(("a", "b")) + "\n" + separator.join(("1", '"x,y;z"')) + "\n"
    assert separator_of(text.splitlines()[0]) == separator
    assert table_rows(text) == table_rows(f"sep={separator}\n{text}") == [{"a": "1", "b": "x,y;z"}]
