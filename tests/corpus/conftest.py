"""A small corpus with everything in it: two tiles in two zones, three products, labels, files on disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from landloom.corpus.audit.files import manifest_problems, other_files, tile_files
from landloom.corpus.card import Numbers, card
from landloom.corpus.croissant import croissant
from landloom.corpus.documents import corpus_json, label_geojson
from landloom.corpus.footprints import json_geometry
from landloom.corpus.index import SampleTable, index_bytes, index_table
from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.corpus.layout import CARD, CROISSANT, TileKey
from landloom.corpus.lineage import LeftOut, Lineage, LineageStep, SceneRecord
from landloom.corpus.manifest import FileEntry, manifest_bytes
from landloom.corpus.resources import resource_files
from landloom.corpus.root import RootDigest, covered_keys
from landloom.corpus.stac.collections import TileSummary, root_documents, tile_documents
from landloom.corpus.stac.items import TileContent
from landloom.corpus.stac.items_table import ItemTables
from landloom.model.apportion import apportion
from landloom.model.ids import SampleId
from landloom.model.product import product
from landloom.model.recipe import Provider, Publication, Terms
from landloom.model.sample import Sample
from landloom.model.taxonomy import taxonomy
from landloom.model.time import Cadence, Period, format_instant
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.corpus.published_files import CorpusStore, PublishedFiles
    from landloom.errors import Problem

PUBLICATION = Publication(
    title="A corpus",
    description="Time series and labels of a small world.",
    authors=("Davis, Timothy", "Bischke, Benjamin"),
    year=2026,
    publisher="Nobody",
    doi="https://doi.org/10.34911/RDNT.GCYDKJ",
    funding="Grant 1",
    contact="hello@example.org",
    keywords=("land cover",),
)
COPERNICUS = Terms(
    licence="proprietary",
    licence_url="https://example.org/copernicus",
    attribution="Contains modified Copernicus Sentinel data 2018",
    providers=(Provider(name="ESA", roles=("producer", "licensor"), url="https://example.org/esa"),),
    source="https://example.org/s2",
)
PLANET = Terms(
    licence="CC-BY-NC-SA-3.0",
    licence_url="https://creativecommons.org/licenses/by-nc-sa/3.0/",
    attribution="Planet",
    providers=(Provider(name="Planet", roles=("producer",)),),
    non_commercial=True,
)
CLC = Terms(licence="CC-BY-4.0", attribution="EEA", source="https://example.org/clc")


def make_info(**changes: Any) -> CorpusInfo:
    """The corpus of the published shape, two months of it."""
    period = Period.parse("2018-01-01", "2018-03-01")
    months = Cadence.parse("month").timesteps(period)
    fives = Cadence.parse("5 days").timesteps(period)
    base = CorpusInfo(
        name="demo",
        version="1.0",
        publication=PUBLICATION,
        products=(
            ProductInfo(product=product("pfsr"), terms=PLANET, timesteps=fives),
            ProductInfo(product=product("pfqa"), terms=PLANET, timesteps=fives),
            ProductInfo(product=product("s2"), terms=COPERNICUS, timesteps=months),
            ProductInfo(
                product=product("labels"), terms=CLC, taxonomy=taxonomy("clc"), stated_period=Period.year(2018)
            ),
        ),
        recipe={"name": "demo", "seed": 7},
    )
    return replace(base, **changes)


TILES: Final = ("33N_16E-243N", "34N_24E-241N")


def make_samples(tile: str, count: int, seed: int = 0) -> tuple[Sample, ...]:
    """Distinct samples of a tile, in no order."""
    cells = np.random.default_rng(seed).permutation(1600)[:count]
    return tuple(
        Sample.of_utm24(SampleId.parse(f"{tile}_{cell // 40 + 1:02d}_{cell % 40 + 1:02d}"), "DE", "train")
        for cell in cells
    )


def make_fractions(count: int, seed: int = 0) -> NDArray[np.int64]:
    """Millionths of the 45 classes of CLC, four or so of them in each row."""
    rng = np.random.default_rng(seed)
    weights = rng.random((count, 45)) * (rng.random((count, 45)) < 0.1)
    weights[:, 3] += 0.1
    return apportion(weights)


@dataclass(frozen=True, slots=True)
class World:
    """A corpus on disk and what it was made from."""

    store: LocalStore
    info: CorpusInfo
    contents: tuple[TileContent, ...]
    fractions: dict[str, NDArray[np.int64]]
    """Tile → (n, class)."""


def make_contents(info: CorpusInfo, tiles: Sequence[str] = TILES) -> tuple[TileContent, ...]:
    """Everything exists, but for one month of one sample."""
    contents = []
    for seed, tile in enumerate(tiles):
        samples = make_samples(tile, 5, seed)
        exists = {item.key: np.ones((len(samples), item.slots), np.bool_) for item in info.products}
        exists["s2"][2, 1] = False
        contents.append(TileContent(tile=TileKey.parse(tile), samples=samples, exists=exists, lineage=("s2",)))
    return tuple(contents)


def lineage(info: CorpusInfo) -> Lineage:
    """One scene a month, one of which could not be used."""
    scene: dict[str, Any] = {"granule": "33UUT", "baseline": "05.00", "offset": -1000, "cloud_cover": 10.0}
    steps = []
    for step in info.product("s2").timesteps:
        record = SceneRecord(id=f"scene of {step.name}", datetime=format_instant(step.stamp), **scene)
        broken = (LeftOut(id=f"broken of {step.name}", reason="B02: truncated"),)
        steps.append(LineageStep(timestep=step.name, scenes=(record,), left_out=broken, without_valid_pixels=()))
    return Lineage(timesteps=tuple(steps))


def seal(store: LocalStore) -> None:
    """Cover manifests and documents as they are by the root digest."""
    store.put("digest.json", RootDigest.read(store, covered_keys(store)).encode())


def write_world(
    store: LocalStore, info: CorpusInfo, base_url: str | None = None, tiles: Sequence[str] = TILES
) -> World:
    """Write chips (a few bytes each, not real rasters), labels, lineage, documents, index and manifests."""
    layout, root_files, contents, fractions = info.layout, [], [], {}
    tables = ItemTables(info=info, base_url=base_url)
    columns = taxonomy("clc").columns()
    for seed, content in enumerate(make_contents(info, tiles)):
        files: dict[str, bytes] = {}
        shares = fractions[str(content.tile)] = make_fractions(len(content.samples), seed)
        outlines = content.outlines().round(7)
        for row, sample in enumerate(content.samples):
            shape = json_geometry(outlines[row])
            files[layout.label(sample.id)] = label_geojson(sample.id, shape, columns, shares[row].tolist())
            for item in info.products:
                for step, timestep in enumerate(item.timesteps):
                    if content.exists[item.key][row, step]:
                        path = layout.chip(sample.id, item.product, timestep.name)
                        files[path] = f"{path}".encode()
        files[layout.lineage(content.tile, product("s2"))] = lineage(info).encode(str(content.tile), "s2")
        known = {path: FileEntry.of(path, data) for path, data in files.items()}
        described = replace(content, files=known, shares=dict(zip(columns, shares.T, strict=True)))
        tables.add(described)
        files |= dict(tile_documents(info, described, base_url))
        for path, data in files.items():
            store.put(path, data)
        store.put(layout.manifest(content.tile), manifest_bytes(FileEntry.of(*pair) for pair in files.items()))
        contents.append(described)
    samples = SampleTable.of([sample for content in contents for sample in content.samples])
    exists = {key: np.concatenate([content.exists[key] for content in contents]) for key in contents[0].exists}
    table = index_table(info, samples, {"labels": np.concatenate(list(fractions.values()))}, exists)
    root = {layout.index: index_bytes(table), **resource_files(info, table), "corpus.json": corpus_json(info)}
    known = {path: FileEntry.of(path, data) for path, data in root.items()}
    numbers = Numbers.of(info, table)
    root |= {CARD: card(info, numbers), CROISSANT: croissant(info, numbers, known, base_url)}
    root |= dict(tables.files())
    known |= {path: FileEntry.of(path, data) for path, data in root.items()}
    root |= dict(root_documents(info, [TileSummary.of(info, content) for content in contents], base_url, known))
    for path, data in root.items():
        store.put(path, data)
        root_files.append(FileEntry.of(path, data))
    store.put(layout.manifest(None), manifest_bytes(root_files))
    seal(store)
    return World(store, info, tuple(contents), fractions)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The corpus on disk; tests do not change it."""
    return write_world(LocalStore(tmp_path_factory.mktemp("corpus")), make_info())


def compared(store: CorpusStore, published: PublishedFiles, *, digests: bool) -> tuple[list[Problem], list[str]]:
    """Differences between all manifests and files, and files in no manifest, as an audit finds them tile by tile."""
    parts = [tile_files(store, published, tile, digests=digests) for tile in published.folders_of]
    parts.append(other_files(store, published, digests=digests))
    problems = [*manifest_problems(published), *(one for own, _ in parts for one in own)]
    return problems, [path for _, own in parts for path in own]
