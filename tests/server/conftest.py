"""Corpora of both kinds of items, and a real server over each on loopback."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import numpy as np
import orjson
import pytest
import uvicorn

from landloom.corpus.documents import corpus_json, label_geojson
from landloom.corpus.index import SampleTable, index_bytes, index_table
from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.corpus.layout import TileKey
from landloom.corpus.split_set import split_set_key
from landloom.corpus.stac.collections import TileSummary, root_documents, tile_documents
from landloom.corpus.stac.items import TileContent
from landloom.formats.geotiff import encode_geotiff
from landloom.model.ids import ChipId, SampleId
from landloom.model.product import product
from landloom.model.recipe import Publication, Terms
from landloom.model.sample import Sample
from landloom.model.taxonomy import taxonomy
from landloom.model.time import Cadence, Period
from landloom.query.corpus import Corpus
from landloom.query.index.synthetic import synthetic_samples, write_resources
from landloom.server.app import create_app, server_config
from landloom.training.splits.make import SplitSettings, make_split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

STEPS = 4
"""Months of the small corpora."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """A corpus, where it lies, and a server over it."""

    corpus: Corpus
    folder: Path
    exists: dict[str, NDArray[np.bool_]]
    """Product → (sample, step) in index order."""
    http: httpx.Client
    url: str


def described(scheme: str) -> CorpusInfo:
    terms = Terms(licence="CC-BY-4.0", attribution="nobody")
    steps = Cadence.parse("month").timesteps(Period.year(2018))[:STEPS]
    return CorpusInfo(
        name="own",
        version="1.0",
        scheme=scheme,
        publication=Publication(title="Own <corpus>", description="For tests.", authors=("Author, A.",)),
        products=(
            ProductInfo(product=product("s2"), terms=terms, timesteps=steps),
            ProductInfo(product=product("labels"), terms=terms, taxonomy=taxonomy("clc")),
        ),
    )


def write_corpus(
    folder: Path, samples: list[Sample], shares: NDArray[np.int64], scheme: str, *, whole: bool = False
) -> dict[str, NDArray[np.bool_]]:
    """Index, documents and catalogue; what exists, in index order: some chips, or the whole of them."""
    rng = np.random.default_rng(5)
    info = described(scheme)
    exists = {"s2": rng.random((len(samples), STEPS)) < 0.7, "labels": np.ones((len(samples), 1), dtype=bool)}
    exists["s2"][0] = False
    exists["s2"] |= whole
    table = index_table(info, SampleTable.of(samples), {"labels": shares}, exists)
    documents = {"index/samples.parquet": index_bytes(table), "corpus.json": corpus_json(info)}
    tiles = []
    for name in sorted({sample.tile for sample in samples}):
        own = [row for row, sample in enumerate(samples) if sample.tile == name]
        content = TileContent(
            tile=TileKey.parse(name),
            samples=tuple(samples[row] for row in own),
            exists={key: mask[own] for key, mask in exists.items()},
            shares=dict(zip(info.label_columns["labels"], shares[own].T, strict=True)),
        )
        documents |= dict(tile_documents(info, content))
        tiles.append(TileSummary.of(info, content))
    documents |= dict(root_documents(info, tiles))
    for key, content_bytes in documents.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content_bytes)
    place = {str(sample.id): row for row, sample in enumerate(samples)}
    order = [place[identity] for identity in table.column("id").to_pylist()]
    return {key: mask[order] for key, mask in exists.items()}


@contextmanager
def running(corpus: Corpus) -> Iterator[str]:
    """Serve a corpus on a free port of loopback."""
    config = server_config(create_app(corpus), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@contextmanager
def served(folder: Path, exists: dict[str, NDArray[np.bool_]]) -> Iterator[Served]:
    corpus = Corpus.open(folder, cache=folder.parent / "cache")
    with running(corpus) as url, httpx.Client(base_url=url, timeout=60) as http:
        yield Served(corpus=corpus, folder=folder, exists=exists, http=http, url=url)


@pytest.fixture(scope="session")
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, NDArray[np.bool_]]]:
    """80 samples in three tiles; chips and labels of the first of the index."""
    folder = tmp_path_factory.mktemp("own") / "corpus"
    made = synthetic_samples(80, 3, seed=11)
    strata, splits = ("DE", "FI", None), ("train", "test", None)
    samples = [
        Sample.of_utm24(SampleId.parse(name), stratum=strata[row % 3], split=splits[row % 2])
        for row, name in enumerate(made.ids)
    ]
    exists = write_corpus(folder, samples, made.shares.astype(np.int64), "utm24")
    _write_files(folder, exists)
    return folder, exists


def _write_files(folder: Path, exists: dict[str, NDArray[np.bool_]]) -> None:
    corpus = Corpus.open(folder, cache=folder.parent / "cache")
    info = described("utm24")
    rng = np.random.default_rng(0)
    row = int(np.flatnonzero(exists["s2"].any(axis=1))[0])
    identity = SampleId.parse(corpus.query().ids[row])
    s2 = info.product("s2")
    for step in np.flatnonzero(exists["s2"][row]).tolist():
        chip = rng.integers(100, 4_000, (len(s2.product.bands), 60, 60)).astype(np.uint16)
        chip[:, :10] = 0
        path = folder / info.layout.chip(identity, s2.product, s2.timesteps[step].name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_geotiff(chip, identity.grid(10), nodata=0))
    path = folder / info.layout.label(identity)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(label_geojson(identity, {"type": "Point"}, ["clc_111"], [1_000_000]))
    steps = [
        {"timestep": step.name, "scenes": [{"id": f"S2A_{step.name}", "datetime": "2018-01-06T10:12:25Z"}]}
        for step in s2.timesteps
    ]
    path = folder / info.layout.lineage(identity, s2.product)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps({"tile": str(TileKey.of(identity)), "product": "s2", "timesteps": steps}))


@pytest.fixture(scope="session")
def own(own_folder: tuple[Path, dict[str, NDArray[np.bool_]]]) -> Iterator[Served]:
    """One item a sample and collection, stored in the corpus."""
    with served(*own_folder) as found:
        yield found


@pytest.fixture(scope="session")
def granules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An item for each timestep."""
    folder = tmp_path_factory.mktemp("granules") / "corpus"
    samples = []
    for number in range(24):
        x, y = 499_980 + 2_560 * (number % 6), 5_100_000 - 2_560 * (number // 6)
        identity = ChipId.parse(f"33TWL_{number:02d}")
        samples.append(Sample(id=identity, epsg=32633, bounds=(x, y - 2_560, x + 2_560, y), stratum="EU"))
    shares = np.zeros((24, 45), dtype=np.int64)
    shares[np.arange(24), np.arange(24) % 5] = 1_000_000
    with served(folder, write_corpus(folder, samples, shares, "granule")) as found:
        yield found


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The published layout, known by its resource files alone: items are derived."""
    folder = tmp_path_factory.mktemp("published") / "corpus"
    write_resources(synthetic_samples(300, 4, seed=2), folder / "resources")
    with served(folder, {}) as found:
        yield found


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
