"""A split set for the explorer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.corpus.split_set import split_set_key
from landloom.training.splits.make import SplitSettings, make_split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.conftest import Served


@pytest.fixture
def halves(own: Served) -> Iterator[Path]:
    """Two folds of the small corpus, for the time of a test."""
    settings = SplitSettings(by="random", gap=0, shares={"fold-1": 0.5, "fold-2": 0.5})
    made, _ = make_split(own.corpus.sidecar, settings)
    assert own.corpus.folder is not None
    path = own.corpus.folder / split_set_key("halves")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(made.encoded(own.corpus.query().ids))
    yield path
    path.unlink()
    path.parent.rmdir()
