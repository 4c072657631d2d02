"""The registry of corpora: built-in ones and those of the user."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from landloom.errors import InvalidInputError, NotFoundError
from landloom.query.catalog.corpora import RegisteredCorpus, add_corpus, corpora, remove_corpus

if TYPE_CHECKING:
    from pathlib import Path


def test_the_registry_is_extended_and_reduced(tmp_path: Path) -> None:
    path = tmp_path / "config" / "corpora.json"
    mine = RegisteredCorpus(name="mine", bases=("s3://bucket/mine/",))
    add_corpus(mine, path)
    assert corpora(path)["mine"] == mine
    assert set(corpora(path)) == {"mine", "rapidai4eo", "landcovernet", "dynamicearthnet"}
    remove_corpus("mine", path)
    assert "mine" not in corpora(path)
    with pytest.raises(NotFoundError):
        remove_corpus("rapidai4eo", path)
    path.write_text(json.dumps([{"name": "x"}]))
    with pytest.raises(InvalidInputError, match="broken registry"):
        corpora(path)
    with pytest.raises(InvalidInputError, match="slash"):
        RegisteredCorpus(name="x", bases=("https://example.org",))
