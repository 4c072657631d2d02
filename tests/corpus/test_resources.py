from __future__ import annotations

import csv
import gzip
import io
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landloom.corpus.audit.index import read_index
from landloom.corpus.resources import decimals, label_mappings
from landloom.model.ids import SampleId
from landloom.model.taxonomy import taxonomy

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tests.corpus.conftest import World


def test_the_tutorial_reads_them(world: World) -> None:
    with gzip.open(world.store.href("resources/demo_geometries.geojson.gz")) as stream:
        geometries = gpd.read_file(stream).set_index("sample_id")
    labels = pd.read_csv(world.store.href("resources/demo_labels.csv.gz")).set_index("sample_id")
    mapping = pd.read_csv(world.store.href("resources/demo_label_mappings.csv")).set_index("index")
    assert geometries.crs == "EPSG:4326"
    assert set(geometries.index) == set(labels.index) == {str(s.id) for c in world.contents for s in c.samples}
    for name, footprint in geometries.geometry.items():
        assert footprint.equals_exact(SampleId.parse(str(name)).footprint, 1e-7)
    assert list(labels.columns) == list(mapping.index)
    index = read_index(world.store).to_pandas().set_index("id")
    assert np.array_equal((labels * 1_000_000).round().astype(int), index.loc[labels.index, labels.columns])
    forest = mapping[mapping.clc_level2_id == 31].index.to_numpy()
    assert list(forest) == ["clc_311", "clc_312", "clc_313"]


def test_gzip_says_no_time(world: World) -> None:
    for name in ("geometries.geojson.gz", "labels.csv.gz"):
        assert world.store.get(f"resources/demo_{name}")[4:8] == bytes(4)


def test_mapping_table_as_published() -> None:
    rows = list(csv.reader(io.StringIO(label_mappings(taxonomy("clc")).decode())))
    assert rows[0] == ["index", "clc_level1_id", "clc_level2_id", "clc_level3_id", "class_name"]
    assert len(rows) == 46
    assert rows[1] == ["clc_111", "1", "11", "111", "Continuous urban fabric"]
    assert rows[-1] == ["clc_999", "9", "99", "999", "NODATA"]


@given(arrays(np.int32, (3, 4), elements=st.integers(0, 1_000_000)))
def test_decimals_are_those_of_python(values: NDArray[np.int32]) -> None:
    wanted = ["".join(f",{value / 1_000_000:.6f}" for value in row) for row in values.tolist()]
    assert [bytes(row).decode() for row in decimals(values)] == wanted
