"""Sidecars: fresh while the source is unchanged, rebuilt when not, safe against other processes and bad caches."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.errors import CorpusError, InvalidIdentityError, MissingKeyError, NotFoundError
from landloom.query.corpus import Corpus
from landloom.query.index.draft import cells_of
from landloom.query.index.sidecar import Sidecar

if TYPE_CHECKING:
    from pathlib import Path

    from tests.query.conftest import Truth


@pytest.fixture
def copied(own: Truth, tmp_path: Path) -> Path:
    shutil.copytree(own.folder, tmp_path / "corpus")
    return tmp_path / "corpus"


def sidecars(cache: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (cache / "sidecars").iterdir()}


def test_a_fresh_sidecar_is_used_and_a_stale_one_rebuilt(copied: Path, own: Truth, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    Corpus.open(copied, cache=cache)
    first = sidecars(cache)
    assert len(first) == 1
    Corpus.open(copied, cache=cache)
    assert sidecars(cache) == first
    index = copied / "index" / "samples.parquet"
    os.utime(index, ns=(1, 1))
    assert Corpus.open(copied, cache=cache).query().ids == own.corpus.query().ids
    touched = sidecars(cache)
    assert touched != first  # the digest was asked, and the new time noted
    import pyarrow.parquet as pq

    table = pq.read_table(index)
    pq.write_table(table.slice(0, 300), index)
    os.utime(index, ns=(1, 1))
    assert list(Corpus.open(copied, cache=cache).query().ids) == own.ids[:300]
    assert set(sidecars(cache)) == set(first)  # in place of the old one


def test_a_changed_label_is_seen_though_size_and_time_are_the_same(copied: Path, tmp_path: Path) -> None:
    index, cache = copied / "index" / "samples.parquet", tmp_path / "cache"
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(index)
    place = table.column_names.index("stratum")
    pq.write_table(table, index, compression="none")
    os.utime(index, ns=(5, 5))
    assert Corpus.open(index, cache=cache).query().counts("stratum")["DE"] > 0
    size = index.stat().st_size
    renamed = pa.array([{"DE": "PL"}.get(word, word) for word in table["stratum"].to_pylist()], pa.string())
    pq.write_table(table.set_column(place, table.schema.field(place), renamed), index, compression="none")
    os.utime(index, ns=(5, 5))
    assert index.stat().st_size == size
    assert "PL" in Corpus.open(index, cache=cache).query().counts("stratum")


@pytest.mark.parametrize("damage", [b"", b"garbage", b"landloom sidecar 2\n\xff\xff\0\0\0\0\0\0"])
def test_a_broken_sidecar_is_rebuilt(copied: Path, own: Truth, tmp_path: Path, damage: bytes) -> None:
    cache = tmp_path / "cache"
    Corpus.open(copied, cache=cache)
    next((cache / "sidecars").iterdir()).write_bytes(damage)
    assert list(Corpus.open(copied, cache=cache).query().ids) == own.ids


def test_a_cache_that_cannot_be_written_is_no_obstacle(copied: Path, own: Truth, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.warns(UserWarning, match="kept in memory"):
        corpus = Corpus.open(copied, cache=tmp_path / "cache")
    assert list(corpus.query(where="clc_3 > 0.3").ids) == list(own.corpus.query(where="clc_3 > 0.3").ids)


OPEN = """
import sys
from pathlib import Path
from landloom.query.corpus import Corpus
corpus = Corpus.open(sys.argv[1], cache=Path(sys.argv[2]))
print(len(corpus), len(corpus.query(where="clc_3 > 0.3")))
"""


def test_processes_may_build_at_once(copied: Path, own: Truth, tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN, str(copied), str(tmp_path / "cache")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {process.communicate(timeout=120)[0] for process in running}
    assert answers == {f"{len(own.ids)} {len(own.corpus.query(where='clc_3 > 0.3'))}\n"}
    assert len(list((tmp_path / "cache" / "sidecars").iterdir())) == 1


LIGHT = """
import sys
from pathlib import Path
from landloom.query.corpus import Corpus
corpus = Corpus.open(sys.argv[1], cache=Path(sys.argv[2]))
assert corpus.query(region=(-10, 36, 40, 70)).ids
print(sorted({name.split(".")[0] for name in sys.modules} & {"shapely", "pyproj", "pyarrow", "pandas", "geopandas",
      "numba", "rasterio", "cql2", "obstore", "pydantic", "matplotlib"}))
"""


def test_a_box_needs_only_numpy(published: Truth) -> None:
    cache = published.folder / "cache"
    command = [sys.executable, "-c", LIGHT, str(published.folder), str(cache)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_what_is_no_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no corpus"):
        Corpus.open(tmp_path)
    with pytest.raises(NotFoundError, match="rapidai4eo"):
        Corpus.open("rapidai4e")
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(CorpusError, match="landloom"):
        Corpus.open(tmp_path / "a.parquet", cache=tmp_path / "cache")


def test_missing_resource_files_are_named(published: Truth, tmp_path: Path) -> None:
    shutil.copytree(published.folder / "resources", tmp_path / "resources")
    (tmp_path / "resources" / "rapidai4eo_labels.csv.gz").unlink()
    with pytest.raises(MissingKeyError, match="labels"):
        Corpus.open(tmp_path, cache=tmp_path / "cache")


def test_ids_of_other_tiles_are_refused() -> None:
    prefixes = np.array([b"33N_16E-243N_"] * 2)
    with pytest.raises(InvalidIdentityError, match="33N_16E-244N_01_01"):
        cells_of(np.array([b"33N_16E-243N_01_01", b"33N_16E-244N_01_01"]), prefixes)
    with pytest.raises(InvalidIdentityError, match="_41_01"):
        cells_of(np.array([b"33N_16E-243N_40_40", b"33N_16E-243N_41_01"]), prefixes)


def test_threads_may_ask_one_corpus_at_once(own: Truth) -> None:
    """More columns than are kept, from many threads: none is lost in between, none is mixed up with another."""
    from concurrent.futures import ThreadPoolExecutor

    sidecar = own.corpus.sidecar
    names = [*sidecar.columns, *sidecar.groups]
    alone = {name: len(own.corpus.query(where=f"{name} > 0.2")) for name in names}
    refused = {name: len(own.corpus.query(where=f"{name} <= 0.2")) for name in names}
    fresh = Sidecar(arrays=sidecar.arrays, meta=sidecar.meta)
    corpus = Corpus(sidecar=fresh, base=own.corpus.base)

    def ask(name: str) -> tuple[int, int]:
        return len(corpus.query(where=f"{name} > 0.2")), len(corpus.query(where=f"{name} <= 0.2"))

    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            answers = dict(zip(names, pool.map(ask, names), strict=True))
            assert answers == {name: (alone[name], refused[name]) for name in names}
