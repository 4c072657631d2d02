"""Only published files of a corpus are served, whatever a client sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landloom.errors import NotFoundError
from landloom.server.files import published_file

if TYPE_CHECKING:
    from pathlib import Path

PIECES = st.sampled_from(
    ["labels", "a.geojson", "..", ".", "", "secret", ".landloom", "link", "outside", "\0", "\\", "~"]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A corpus beside a secret, with a link that leads to it."""
    corpus = tmp_path / "corpus"
    for place in (corpus / "labels", corpus / ".landloom", corpus / "other", tmp_path / "outside"):
        place.mkdir(parents=True)
        (place / "secret").write_text("s")
    (corpus / "labels" / "a.geojson").write_text("{}")
    (corpus / "labels" / "secret").unlink()
    (corpus / "labels" / "link").symlink_to(tmp_path / "outside")
    (corpus / "corpus.json").write_text("{}")
    return corpus


@given(st.lists(PIECES, max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_else_is_found(folder: Path, pieces: list[str]) -> None:
    key = "/".join(pieces)
    try:
        path = published_file(folder, key)
    except NotFoundError:
        return
    assert path == folder / "labels" / "a.geojson"


def test_published_files_are_found(folder: Path) -> None:
    assert published_file(folder, "labels/a.geojson").read_text() == "{}"
    assert published_file(folder, "corpus.json").is_file()


@pytest.mark.parametrize(
    "key",
    ["labels", "labels/absent", "labels/link/secret", "other/secret", ".landloom/secret", "/corpus.json", "README.md"],
)
def test_folders_links_state_and_strangers_are_not(folder: Path, key: str) -> None:
    with pytest.raises(NotFoundError, match="no file"):
        published_file(folder, key)
