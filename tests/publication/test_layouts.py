"""Another layout of the same pixels: to the byte what a build of that layout gives."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
import zarr
from tests.projects import digest_of

from landloom.corpus.audit.validate import audit
from landloom.corpus.documents import parse_corpus_json
from landloom.corpus.index import availability, index_bytes
from landloom.corpus.manifest import manifest_bytes, read_manifest
from landloom.engine.executors import processes
from landloom.errors import CorpusError, ForeignCorpusError, InvalidValueError
from landloom.formats.geotiff import decode_geotiff
from landloom.formats.zarr.cubes import CubeReader
from landloom.pipelines.build import build
from landloom.publication.layouts import export
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def cubes(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("export") / "cubes"
    export(str(tiny_corpus), out, ["cubes"])
    return out


@pytest.fixture(scope="module")
def chips(cubes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("export") / "chips"
    export(str(cubes), out, ["chips"], factory=processes(2))
    return out


def built(tiny: Path, folder: Path, layouts: list[str]) -> Path:
    """The corpus that the recipe makes with other layouts."""
    document = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8")) | {"layouts": layouts}
    (tiny / f"{'-'.join(layouts)}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    build(tiny / f"{'-'.join(layouts)}.yaml", out=folder)
    return folder


def test_exports_validate(cubes: Path, chips: Path, shared_schemas: Path) -> None:
    for corpus in (cubes, chips):
        assert audit(open_store(str(corpus)), schemas=shared_schemas, digests=True).problems == ()
    assert parse_corpus_json((cubes / "corpus.json").read_bytes()).layouts == ("cubes",)
    assert not list(cubes.rglob("*.tif"))
    assert not list(chips.rglob("*.zarr"))


def test_pixels_are_equal(tiny_corpus: Path, cubes: Path, chips: Path) -> None:
    """Chips against the cubes that were made of them, then chip files against chip files."""
    paths = sorted(path.relative_to(tiny_corpus) for path in tiny_corpus.rglob("*.tif"))
    assert len(paths) == 6 * 2 * 2
    for path in paths:
        _, zone, tile, sample, folder, name = path.parts
        store = open_store(str(cubes / "imagery" / zone / tile / f"{folder}.zarr"))
        reader = CubeReader(store.get, store.get_range)
        step = reader.spec.timesteps.index(name.removesuffix(".tif"))
        chip, grid, _ = decode_geotiff((tiny_corpus / path).read_bytes())
        assert np.array_equal(chip, reader.read(sample)[step])
        assert grid == reader.grid(sample)
        assert (chips / path).read_bytes() == (tiny_corpus / path).read_bytes()


@pytest.mark.slow
def test_an_export_is_what_a_build_would_have_been(tiny: Path, cubes: Path, chips: Path, tmp_path: Path) -> None:
    """The digest covers every published byte: nothing tells an export from a build."""
    assert digest_of(cubes) == digest_of(built(tiny, tmp_path / "cubes", ["cubes"]))
    assert digest_of(chips) == digest_of(built(tiny, tmp_path / "chips", ["chips"]))
    assert digest_of(chips) != digest_of(cubes)


def test_both_layouts_copy_what_is_there(tiny_corpus: Path, cubes: Path, tmp_path: Path) -> None:
    export(str(cubes), tmp_path / "both", ["chips", "cubes"])
    assert digest_of(tmp_path / "both") == digest_of(tiny_corpus)


def test_cubes_in_another_codec(cubes: Path, tmp_path: Path) -> None:
    """The same pixels, by our reader and by zarr-python; nothing of it in a corpus that is changed back."""
    fast, back = tmp_path / "lz4", tmp_path / "zstd"
    export(str(cubes), fast, ["cubes"], codec="lz4")
    assert parse_corpus_json((fast / "corpus.json").read_bytes()).recipe["cube_codec"] == "lz4"
    folders = [path.parent.parent.relative_to(cubes) for path in cubes.rglob("data/zarr.json")]
    assert folders
    for folder in folders:
        readers = [
            CubeReader(store.get, store.get_range)
            for store in map(open_store, (f"{at / folder}" for at in (cubes, fast)))
        ]
        assert [reader.spec.codec for reader in readers] == ["zstd", "lz4"]
        whole = np.asarray(zarr.open_array(fast / folder / "data", mode="r")[:])
        for number, sample in enumerate(readers[0].spec.samples):
            np.testing.assert_array_equal(readers[1].read(sample), readers[0].read(sample))
            np.testing.assert_array_equal(whole[number], readers[0].read(sample))
    with pytest.raises(ForeignCorpusError, match=r"as cubes \(lz4\), \w+ tiny 1\.0 as cubes;"):
        export(str(cubes), fast, ["cubes"])
    export(str(fast), back, ["cubes"], codec="zstd")
    assert digest_of(back) == digest_of(cubes)


def test_an_export_goes_on_where_it_was(cubes: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "again"
    export(str(tiny_corpus), out, ["cubes"])
    before = {path: path.stat().st_mtime_ns for path in (out / "imagery").rglob("*") if path.is_file()}
    lost = min(before)
    lost.unlink()
    export(str(tiny_corpus), out, ["cubes"])
    after = {path: path.stat().st_mtime_ns for path in (out / "imagery").rglob("*") if path.is_file()}
    same = [path for path in before if before[path] == after[path]]
    assert lost not in same
    assert same
    assert digest_of(out) == digest_of(cubes)


def test_missing_chips_stay_missing(tiny_corpus: Path, tmp_path: Path) -> None:
    """A chip that does not exist is nodata in a cube, and no file once more afterwards."""
    corpus = tmp_path / "holed"
    export(str(tiny_corpus), corpus, ["chips"])
    shutil.rmtree(corpus / ".landloom")
    index = corpus / "index" / "samples.parquet"
    table = pq.read_table(index)
    sample = table["id"][0].as_py()
    there = availability(table["s2_available"], 2)
    assert there.all()
    bits = [b"\x01", *table["s2_available"].to_pylist()[1:]]
    place = table.column_names.index("s2_available")
    table = table.set_column(place, table.schema.field(place), [bits])
    index.write_bytes(index_bytes(table))
    gone = next(corpus.rglob(f"{sample}/S2-SR/2018-07.tif"))
    gone.unlink()
    manifest = next(path for path in (corpus / "manifest").rglob("*.parquet") if path.stem == gone.parts[-4])
    entries = [e for e in read_manifest(manifest.read_bytes()) if e.path != str(gone.relative_to(corpus))]
    manifest.write_bytes(manifest_bytes(entries))
    (corpus / "digest.json").unlink()

    export(str(corpus), tmp_path / "c", ["cubes"])
    store = open_store(str(next((tmp_path / "c").rglob(f"{gone.parts[-4]}/S2-SR.zarr"))))
    cube = CubeReader(store.get, store.get_range).read(sample)
    assert not cube[1].any()
    assert cube[0].any()
    export(str(tmp_path / "c"), tmp_path / "d", ["chips"])
    assert not (tmp_path / "d" / gone.relative_to(corpus)).exists()
    assert audit(open_store(str(tmp_path / "d"))).problems == ()


def test_foreign_folders_are_refused(tiny_corpus: Path, cubes: Path, tmp_path: Path) -> None:
    with pytest.raises(ForeignCorpusError, match="is inside the corpus"):
        export(str(tiny_corpus), tiny_corpus, ["cubes"])
    with pytest.raises(ForeignCorpusError, match=r"as cubes, \w+ tiny 1\.0 as chips"):
        export(str(tiny_corpus), cubes, ["chips"])
    (tmp_path / "thesis.tex").write_text("x", encoding="utf-8")
    with pytest.raises(ForeignCorpusError, match="contains files of something else"):
        export(str(tiny_corpus), tmp_path, ["cubes"])


def test_mistakes_are_named(tiny_corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"got layouts tiles, \w+ chips, cubes or both"):
        export(str(tiny_corpus), tmp_path / "x", ["tiles"])
    for layouts, codec in (["cubes"], "gzip"), (["chips"], "lz4"):
        with pytest.raises(InvalidValueError, match="got codec"):
            export(str(tiny_corpus), tmp_path / "x", layouts, codec=codec)
    with pytest.raises(CorpusError, match="not a finished corpus"):
        export(str(tmp_path), tmp_path / "x", ["cubes"])


def test_a_broken_chip_is_named(tiny_corpus: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    export(str(tiny_corpus), corpus, ["chips"])
    broken = min(corpus.rglob("*.tif"))
    broken.write_bytes(broken.read_bytes()[:200])
    with pytest.raises(CorpusError, match="cannot be exported"):
        export(str(corpus), tmp_path / "x", ["cubes"])
    with pytest.raises(CorpusError, match="do not match the manifest"):
        export(str(corpus), tmp_path / "y", ["chips"])
