"""Exports for other training libraries: equal pixels, read by the standard library and pyarrow; their own
readers read them in tests/training/datasets/test_conformance.py."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest

from landloom.errors import ForeignCorpusError, InvalidInputError, InvalidValueError
from landloom.publication.exchange import export_exchange
from landloom.publication.hugging_face import ParquetFiles
from landloom.publication.tars import TarFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran
    from tests.corpora import Made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    from tests.corpora import write_corpus

    return write_corpus(tmp_path_factory.mktemp("exchange") / "corpus", layouts=["cubes"], count=3)


def test_tar_files_have_equal_pixels(made: Made, tmp_path: Path) -> None:
    report = export_exchange(str(made.folder), tmp_path, "webdataset")
    assert (report.files, report.splits, report.left_out) == (1, {"train": 6}, 0)
    with tarfile.open(tmp_path / "made-train-000000.tar") as tar:
        members = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    assert len(members) == 6 * 3
    for name in made.ids:
        np.testing.assert_array_equal(np.load(io.BytesIO(members[f"{name}.s2.npy"])), made.series[name])
        np.testing.assert_array_equal(np.load(io.BytesIO(members[f"{name}.landcover.npy"])), made.masks[name])
        about = json.loads(members[f"{name}.json"])
        assert about["products"]["s2"]["dates"] == ["2018-01-15", "2018-02-15", "2018-03-15"]
        assert sum(about["fractions"].values()) == pytest.approx(1)
    before = (tmp_path / "made-train-000000.tar").read_bytes()
    export_exchange(str(made.folder), tmp_path, "webdataset")
    assert (tmp_path / "made-train-000000.tar").read_bytes() == before


def test_parquet_has_equal_pixels(made: Made, tmp_path: Path) -> None:
    export_exchange(str(made.folder), tmp_path, "hf")
    rows = pq.read_table(tmp_path / "data" / "train-00000.parquet")
    for number, name in enumerate(rows.column("id").to_pylist()):
        np.testing.assert_array_equal(np.array(rows.column("s2")[number].as_py()), made.series[name])
        np.testing.assert_array_equal(np.array(rows.column("landcover")[number].as_py()), made.masks[name])
    features = json.loads(rows.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["s2"] == {"shape": [3, 3, 60, 60], "dtype": "uint16", "_type": "Array4D"}
    assert "  - split: train\n    path: data/train-*.parquet" in (tmp_path / "README.md").read_text("utf-8")


def test_what_cannot_be_written_is_refused(made: Made, tmp_path: Path, run: Callable[..., Ran]) -> None:
    with pytest.raises(InvalidValueError, match="webdataset, hf, taco"):
        export_exchange(str(made.folder), tmp_path, "csv")
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(ForeignCorpusError):
        export_exchange(str(made.folder), tmp_path, "hf")
    odd = iter([({"id": str(n), "crs": "", "bounds": []}, {"s2": np.zeros((1, 1, n, 4))}) for n in (2, 3)])
    with pytest.raises(InvalidInputError, match="2 shapes"):
        list(ParquetFiles("x").files("train", odd))
    assert run("export", str(made.folder), str(tmp_path / "o"), "--to", "hf", "--fractions").code == 2
    assert run("export", str(made.folder), str(tmp_path / "o"), "--to", "npz", "--split-set", "a").code == 2
    done = run("export", str(made.folder), str(tmp_path / "o"), "--to", "webdataset")
    assert "wrote 1 file" in done.out
    assert list(TarFiles("x").files("train", iter([]))) == []
