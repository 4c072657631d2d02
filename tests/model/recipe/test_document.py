"""YAML files as documents: one mapping, each key once, dates as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landloom.errors import RecipeError
from landloom.model.recipe.document import read_document

if TYPE_CHECKING:
    from pathlib import Path

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), VALUES, min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_dumped_is_read_back(tmp_path: Path, document: dict[str, object]) -> None:
    path = tmp_path / "landloom.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert read_document(path) == (document, [])


def test_dates_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "landloom.yaml"
    path.write_text("start: 2018-02-30\nend: 2018-03-01T00:00:00Z\n", encoding="utf-8")
    assert read_document(path)[0] == {"start": "2018-02-30", "end": "2018-03-01T00:00:00Z"}


def test_keys_that_stand_twice_are_named_at_any_depth(tmp_path: Path) -> None:
    path = tmp_path / "landloom.yaml"
    path.write_text("a:\n  - {b: 1, c: 2, b: 3}\nd: 1\nd: 2\n", encoding="utf-8")
    _, problems = read_document(path)
    assert [(one.where, one.what) for one in problems] == [
        ("a.0.b", "duplicate key, twice in line 2"),
        ("d", "duplicate key, in line 3 and in line 4"),
    ]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "expected a mapping"),
        (b"- 1\n", "expected a mapping"),
        (b"a: [\n", "is not YAML"),
        (b"a: \xff\n", "is not UTF-8"),
        (b"a: !!python/object:os.system 1\n", "is not YAML"),
    ],
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "landloom.yaml"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match=what):
        read_document(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"absent\.yaml"):
        read_document(tmp_path / "absent.yaml")
