"""Published labels: a GeoJSON Feature a sample, with its outline in degrees and its shares."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from landloom.corpus.layout import Layout
from landloom.corpus.manifest import FileEntry
from landloom.engine.sources.label_files import LabelFiles
from landloom.model.apportion import MILLION, apportion
from landloom.model.ids import TileId, WindowId
from landloom.model.product import product
from landloom.model.sample import Sample
from landloom.model.taxonomy import taxonomy
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = taxonomy("landcovernet").columns()
CELLS = [Sample.of_utm24(cell) for cell in TileId.parse("33N_16E-243N").samples()]
SOUTH = Sample(
    id=WindowId.parse("35S-500040E-9000000N_0001_0001"), epsg=32735, bounds=(500_040, 8_999_760, 500_280, 9_000_000)
)


def shares_of(seed: int, count: int) -> np.ndarray:
    """Millionths that sum to a million in each row."""
    rng = np.random.default_rng(seed)
    rows = (rng.random(len(COLUMNS)) * rng.integers(0, 2, len(COLUMNS)) + 1e-9 for _ in range(count))
    return np.stack([apportion(row, MILLION) for row in rows])


@given(st.integers(0, 2**16))
def test_a_feature_holds_outline_and_shares(seed: int) -> None:
    samples = (*random.Random(seed).sample(CELLS, 3), SOUTH)  # noqa: S311 - samples, not secrets
    files = LabelFiles(
        layout=Layout(name="a", version="1.0"), product=product("labels"), columns=COLUMNS, samples=samples
    )
    table = shares_of(seed, len(samples))
    with TemporaryDirectory() as folder:
        store = LocalStore(folder)
        entries = files.write(store, table)
        documents = [json.loads(store.get(files.layout.label(sample.id))) for sample in samples]
        assert entries == [FileEntry.of(one.path, store.get(one.path)) for one in entries]
    for sample, row, document in zip(samples, table, documents, strict=True):
        outline = shapely.geometry.shape(document["geometry"])
        assert outline.is_valid
        assert outline.hausdorff_distance(sample.footprint) < 1e-7
        shares = [document["properties"].get(name, 0.0) for name in COLUMNS]
        assert shares == pytest.approx((row / MILLION).tolist())
        assert sum(shares) == pytest.approx(1)
        assert str(sample.id) in json.dumps(document)


def test_further_labels_have_a_prefix_of_their_own(tmp_path: Path) -> None:
    row = replace(product("labels"), key="labels_more", prefix="labels_more")
    files = LabelFiles(layout=Layout(name="a", version="1.0"), product=row, columns=COLUMNS, samples=(CELLS[0],))
    (entry,) = files.write(LocalStore(tmp_path), shares_of(1, 1))
    assert entry.path.rpartition("/")[2] == f"labels_more_{CELLS[0].id}.geojson"
