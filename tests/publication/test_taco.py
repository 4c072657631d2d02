"""The folder of TACO: as its specification wants it; `tacoreader` itself reads it in the test of conformance."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio

from landloom.errors import InvalidInputError
from landloom.publication.exchange import export_exchange
from landloom.publication.taco import TacoFolder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpora import Made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    from tests.corpora import write_corpus

    return write_corpus(tmp_path_factory.mktemp("taco") / "corpus", layouts=["cubes"], count=3)


def test_a_taco_folder_is_as_its_specification_wants(made: Made, tmp_path: Path) -> None:
    report = export_exchange(str(made.folder), tmp_path, "taco")
    assert (report.files, report.splits) == (6 * 3, {"train": 6})
    collection = json.loads((tmp_path / "COLLECTION.json").read_text("utf-8"))
    children = ["s2.tif", "landcover.tif"]
    assert collection["taco:pit_schema"] == {
        "root": {"n": 6, "type": "FOLDER"},
        "shape": [6, 2],
        "hierarchy": {"1": [{"n": 12, "type": ["FILE", "FILE"], "id": children}]},
    }
    assert collection["extent"]["temporal"] == ["2018-01-15T00:00:00Z", "2018-03-15T00:00:00Z"]
    levels = [pq.read_table(tmp_path / "METADATA" / f"level{n}.parquet") for n in (0, 1)]
    for level, table in enumerate(levels):
        assert [row[0] for row in collection["taco:field_schema"][f"level{level}"]] == table.column_names
    samples, files = (table.to_pylist() for table in levels)
    for row, sample in enumerate(samples):
        own = [file for file in files if file["internal:parent_id"] == row]
        assert [file["internal:relative_path"] for file in own] == [f"{sample['id']}/{name}" for name in children]
        assert [bool(day) for day in own[0]["observed"]] == (made.series[sample["id"]] > 0).any(axis=(1, 2, 3)).tolist()
        local = pq.read_table(tmp_path / "DATA" / sample["id"] / "__meta__").to_pylist()
        assert local == [{key: file[key] for key in local[0]} for file in own]
        with rasterio.open(tmp_path / "DATA" / own[0]["internal:relative_path"]) as raster:
            np.testing.assert_array_equal(raster.read().reshape(3, 3, 60, 60), made.series[sample["id"]])
            assert list(raster.transform.to_gdal()) == own[0]["stac:geotransform"]
            assert raster.descriptions[3] == "2018-02-15 B04"


def test_samples_that_differ_are_refused(made: Made) -> None:
    about = {"id": "n", "crs": "EPSG:32633", "bounds": [0, 0, 20, 20], "fractions": {}}
    folder = TacoFolder(made.info)
    few = [{"s2": np.zeros((1, 1, 2, 2), np.uint8)}, {}]
    own = about | {"products": {"s2": {"bands": ["B04"], "dates": ["2018-01-15"], "nodata": 0, "observed": [True]}}}
    with pytest.raises(InvalidInputError, match="webdataset"):
        list(folder.files("val", iter([(own, arrays) for arrays in few])))
    with pytest.raises(InvalidInputError, match="s2 of n: got 1 timesteps"):
        list(folder.files("val", iter([(own, {"s2": np.zeros((0, 1, 2, 2), np.uint8)})])))
