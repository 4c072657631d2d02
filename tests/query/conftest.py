"""Small corpora of all kinds, each written once a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely

from landloom.corpus.index import SampleTable, index_bytes, index_table
from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.model.ids import ChipId, SampleId
from landloom.model.product import product
from landloom.model.recipe import Publication, Terms
from landloom.model.sample import Sample
from landloom.model.taxonomy import taxonomy
from landloom.model.time import Cadence, Period
from landloom.query.corpus import Corpus
from landloom.query.index.synthetic import SyntheticSamples, synthetic_samples, write_resources

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A corpus beside plain columns of what is in it, in index order."""

    corpus: Corpus
    folder: Path
    ids: list[str]
    shapes: NDArray[Any]
    shares: NDArray[np.int64]
    stratum: list[str | None]
    split: list[str | None]
    exists: dict[str, NDArray[np.bool_]]


@pytest.fixture(scope="session")
def made() -> SyntheticSamples:
    return synthetic_samples(4_000, 16, seed=7)


@pytest.fixture(scope="session")
def published(made: SyntheticSamples, tmp_path_factory: pytest.TempPathFactory) -> Truth:
    folder = tmp_path_factory.mktemp("published")
    write_resources(made, folder / "resources")
    corpus = Corpus.open(folder, cache=folder / "cache")
    order = {identity: number for number, identity in enumerate(made.ids)}
    rows = [order[identity] for identity in corpus.query().ids]
    return Truth(
        corpus=corpus,
        folder=folder,
        ids=[made.ids[row] for row in rows],
        shapes=np.asarray(shapely.polygons(made.outlines[rows])),
        shares=made.shares[rows].astype(np.int64),
        stratum=[None] * len(rows),
        split=[None] * len(rows),
        exists={},
    )


def corpus_info(name: str, scheme: str, steps: int = 12) -> CorpusInfo:
    terms = Terms(licence="CC-BY-4.0", attribution="nobody")
    timesteps = Cadence.parse("month").timesteps(Period.year(2018))[:steps]
    return CorpusInfo(
        name=name,
        version="1.0",
        scheme=scheme,
        publication=Publication(title=name, description=name, authors=("Author, A.",)),
        products=(
            ProductInfo(product=product("s2"), terms=terms, timesteps=timesteps),
            ProductInfo(product=product("labels"), terms=terms, taxonomy=taxonomy("clc")),
        ),
    )


def write_own(folder: Path, samples: list[Sample], shares: NDArray[np.int64], scheme: str, seed: int) -> Truth:
    rng = np.random.default_rng(seed)
    info = corpus_info("own", scheme)
    exists = {"s2": rng.random((len(samples), 12)) < 0.8, "labels": np.ones((len(samples), 1), dtype=bool)}
    table = index_table(info, SampleTable.of(samples), {"labels": shares}, exists)
    (folder / "index").mkdir(parents=True)
    (folder / "index" / "samples.parquet").write_bytes(index_bytes(table))
    ids = table.column("id").to_pylist()
    place = {str(sample.id): number for number, sample in enumerate(samples)}
    rows = [place[identity] for identity in ids]
    return Truth(
        corpus=Corpus.open(folder, cache=folder.parent / f"{folder.name}-cache"),
        folder=folder,
        ids=ids,
        shapes=shapely.from_wkb(table.column("geometry").to_pylist()),
        shares=shares[rows],
        stratum=[samples[row].stratum for row in rows],
        split=[samples[row].split for row in rows],
        exists={key: mask[rows] for key, mask in exists.items()},
    )


@pytest.fixture(scope="session")
def own(made: SyntheticSamples, tmp_path_factory: pytest.TempPathFactory) -> Truth:
    strata, splits = ("DE", "FI", "FR", None), ("train", "test", None)
    samples = [
        Sample.of_utm24(SampleId.parse(identity), stratum=strata[number % 4], split=splits[number % 3])
        for number, identity in enumerate(made.ids[:1_500])
    ]
    folder = tmp_path_factory.mktemp("corpora") / "own"
    return write_own(folder, samples, made.shares[:1_500].astype(np.int64), "utm24", 1)


@pytest.fixture(scope="session")
def granules(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    rng = np.random.default_rng(3)
    samples = []
    for granule, epsg, west, north in (("33TWL", 32633, 499_980, 5_100_000), ("37TDK", 32637, 399_960, 5_000_040)):
        for number in range(30):
            x, y = west + 2_560 * int(rng.integers(0, 42)), north - 2_560 * int(rng.integers(1, 42))
            identity = ChipId.parse(f"{granule}_{number:02d}")
            samples.append(Sample(id=identity, epsg=epsg, bounds=(x, y, x + 2_560, y + 2_560), stratum="EU"))
    shares = np.zeros((60, 45), dtype=np.int64)
    shares[:, 3] = 1_000_000
    return write_own(tmp_path_factory.mktemp("corpora") / "granules", samples, shares, "granule", 2)
