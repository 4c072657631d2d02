"""The catalogue at the published size: STAC items against pystac, and 500,000 samples from a plan without imagery."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pystac
from benchmarks.memory import peak_gib
from benchmarks.timing import speedup

from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.corpus.layout import TileKey
from landloom.corpus.stac.items import TileContent, item_documents
from landloom.corpus.stac.links import Hrefs
from landloom.model.ids import SampleId, TileId, Zone
from landloom.model.product import product
from landloom.model.recipe import Publication, Terms
from landloom.model.sample import Sample
from landloom.model.taxonomy import taxonomy
from landloom.model.time import Cadence, Period

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES = 500_000
ITEMS = 357
MEMORY = Path("/dev", "shm")
BASE = "https://radiantearth.blob.core.windows.net/mlhub/rapidai4eo"


def published(*keys: str) -> CorpusInfo:
    """The corpus of the published shape, or some of its products."""
    terms = Terms(licence="proprietary", attribution="nobody")
    steps = {
        "s2": Cadence.parse("month").timesteps(Period.year(2018)),
        "pfsr": Cadence.parse("5 days").timesteps(Period.parse("2018-01-01", "2020-01-01")),
    }
    steps["pfqa"] = steps["pfsr"]
    return CorpusInfo(
        name="rapidai4eo",
        version="1.0",
        publication=Publication(title="t", description="d"),
        products=tuple(
            ProductInfo(
                product=product(key),
                terms=terms,
                timesteps=steps.get(key, ()),
                taxonomy=taxonomy("clc") if key == "labels" else None,
                stated_period=Period.year(2018),
            )
            for key in keys
        ),
    )


def items() -> float:
    """Our items of 292 assets (72 kB) against `Item.save_object`, both to files of a fresh folder.

    The folder is in memory where the system has such a place: what a disk makes of 72 kB is the same for both.
    """
    info = published("pfsr", "pfqa")
    samples = tuple(Sample.of_utm24(identity) for identity in TileId.parse("33N_16E-243N").samples()[:ITEMS])
    exists = {item.key: np.ones((ITEMS, item.slots), np.bool_) for item in info.products}
    content = TileContent(tile=TileKey.parse("33N_16E-243N"), samples=samples, exists=exists)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder, number = Path(name), count()

        documents = [json.loads(data) for _, data in item_documents(info, content, Hrefs(base_url=BASE))]
        peers = [pystac.Item.from_dict(document, migrate=False) for document in documents]
        for item in peers:
            item.remove_links("root")  # saving would fetch it

        def ours() -> None:
            place = folder / str(next(number))
            place.mkdir()
            for key, data in item_documents(info, content, Hrefs(base_url=BASE)):
                with (place / key.rpartition("/")[2]).open("wb", buffering=0) as file:
                    file.write(data)

        def peer() -> None:
            place = folder / str(next(number))
            place.mkdir()
            for item in peers:
                item.save_object(dest_href=str(place / f"{item.id}.json"), include_self_link=True)

        return speedup(ours, peer)


def plan() -> tuple[tuple[Sample, ...], NDArray[np.int64]]:
    """500,000 samples in 1,402 tiles of 12 zones, and their fractions in whole millionths."""
    rng = np.random.default_rng(0)
    tiles = [TileId(Zone(27 + place % 12), 12 + place // 12 % 10, 180 + place // 120) for place in range(1_402)]
    cells = [rng.permutation(1_600)[:357] for _ in tiles]
    samples = tuple(
        Sample.of_utm24(SampleId(tile, cell // 40 + 1, cell % 40 + 1), "DE")
        for tile, chosen in zip(tiles, cells, strict=True)
        for cell in chosen.tolist()
    )[:SAMPLES]
    fractions = np.zeros((SAMPLES, 45), np.int64)
    rows = np.arange(SAMPLES)
    left = np.full(SAMPLES, 1_000_000)
    for _ in range(3):
        part = rng.integers(0, left + 1)
        fractions[rows, rng.integers(0, 45, SAMPLES)] += part
        left -= part
    fractions[rows, rng.integers(0, 45, SAMPLES)] += left
    return samples, fractions


def catalogue() -> None:
    """Write index, resource files and slim items; print the minutes and the peak of memory."""
    from landloom.corpus.index import SampleTable, index_bytes, index_table
    from landloom.corpus.resources import resource_files
    from landloom.corpus.stac.slim_items import items_tables

    info = published("pfsr", "s2", "labels")
    samples, fractions = plan()
    begin = time.perf_counter()
    exists = {item.key: np.broadcast_to(np.True_, (SAMPLES, item.slots)) for item in info.products}
    table = index_table(info, SampleTable.of(samples), {"labels": fractions}, exists)
    sizes = {}
    with tempfile.TemporaryDirectory() as folder:
        for step in (
            lambda: [(info.layout.index, index_bytes(table))],
            lambda: resource_files(info, table).items(),
            lambda: items_tables(info, table),
        ):
            for key, data in step():
                sizes[key] = len(data)
                (Path(folder) / key.replace("/", "_")).write_bytes(data)
    minutes = (time.perf_counter() - begin) / 60
    peak = peak_gib()
    print(json.dumps({"minutes": minutes, "gib": peak, "sizes": sizes}))


def run() -> dict[str, float]:
    """Bars of this topic."""
    command = [sys.executable, "-m", "benchmarks.bench_corpus"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {"stac_items": items(), "index_500k_minutes": found["minutes"], "index_500k_gib": found["gib"]}


if __name__ == "__main__":
    catalogue()
