"""5,000 samples, and all pairs of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.query.corpus import Corpus
from landloom.query.index.synthetic import synthetic_samples, write_resources

if TYPE_CHECKING:
    from landloom.query.index.sidecar import Sidecar

GAP = 3000.0


@pytest.fixture(scope="session")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Sidecar:
    """5,000 samples in 40 tiles."""
    folder = tmp_path_factory.mktemp("splits")
    write_resources(synthetic_samples(5_000, 40), folder)
    return Corpus.open(folder, cache=folder / "cache").sidecar
