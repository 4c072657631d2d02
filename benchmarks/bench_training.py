"""Batches of 32 cubes of 12 × 12 × 60 × 60 in random order: from cubes, against chips, WebDataset and memory maps.

Every reader returns the same: reflectance in float32, validity, label. The peers are written as their users write them.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import rasterio
import torch
from benchmarks.bench_formats import by_rasterio, chips
from benchmarks.memory import resident_gib
from benchmarks.timing import speedup
from torch.utils.data import DataLoader, Dataset

from landloom.corpus.documents import corpus_json
from landloom.corpus.index import SampleTable, index_bytes, index_table
from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.formats.geotiff import encode_geotiff
from landloom.formats.zarr.cubes import CubeReader, CubeSpec, encode_cubes
from landloom.model.ids import SampleId
from landloom.model.product import RAPIDAI4EO_BANDS, Product, product
from landloom.model.recipe import Publication, Terms
from landloom.model.sample import Sample
from landloom.model.sensor import Band
from landloom.model.taxonomy import taxonomy
from landloom.model.time import Cadence, Period
from landloom.query.corpus import Corpus
from landloom.store.local import LocalStore
from landloom.training.datasets.collate import collate
from landloom.training.datasets.dataset import CorpusDataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from landloom.formats.zarr.codecs import Codec

TILES: Final = ("33N_16E-243N", "34N_24E-241N")
BATCH: Final = 32
STEPS: Final = 12
LANDCOVER: Final = Product(
    key="landcover",
    folder=None,
    collection="labels",
    prefix="landcover",
    title="Land cover",
    kind="raster-labels",
    bands=(Band(name="class", description="class", resolution=10),),
    dtype="uint8",
    resolution=10,
)


def write_corpus(folder: Path) -> NDArray[np.uint16]:
    """64 samples in two tiles as cubes, chips, a memory map and WebDataset shards; their numbers in index order."""
    ordered = write_cubes(folder)
    _write_peers(folder, ordered)
    return ordered


def write_cubes(
    folder: Path, *, masks: bool = False, codec: Codec = "zstd", numbers: NDArray[np.uint16] | None = None
) -> NDArray[np.uint16]:
    """64 samples in two tiles as cubes, or the numbers given, with classes of pixels if asked for; in index order."""
    terms, year = Terms(licence="CC0-1.0", attribution="nobody"), Period.year(2018)
    cubes = np.concatenate([chips() for _ in TILES]) if numbers is None else numbers
    months = Cadence.parse("month").timesteps(year)[: cubes.shape[1]]
    each = len(cubes) // len(TILES)
    info = CorpusInfo(
        name="bench",
        version="1.0",
        publication=Publication(title="bench", description="bench", authors=("Author, A.",)),
        products=(
            ProductInfo(product=product("s2"), terms=terms, timesteps=months),
            ProductInfo(product=product("labels"), terms=terms, taxonomy=taxonomy("clc"), stated_period=year),
            *([ProductInfo(product=LANDCOVER, terms=terms, taxonomy=taxonomy("landcovernet"))] if masks else []),
        ),
        layouts=("cubes",),
    )
    places = [(n % BATCH + 1, n // BATCH + 7) for n in range(each)]
    own = [
        Sample.of_utm24(SampleId.parse(f"{tile}_{row:02d}_{column:02d}")) for tile in TILES for row, column in places
    ]
    shares = np.zeros((len(own), 45), np.int64)
    shares[np.arange(len(own)), np.arange(len(own)) % 44] = 1_000_000
    exists = {one.key: np.ones((len(own), one.slots), np.bool_) for one in info.products}
    store = LocalStore(folder / "corpus")
    table = index_table(info, SampleTable.of(own), {"labels": shares}, exists)
    store.put("index/samples.parquet", index_bytes(table))
    store.put("corpus.json", corpus_json(info))
    for number, tile in enumerate(TILES):
        part = own[number * each : (number + 1) * each]
        spec = CubeSpec(
            samples=tuple(str(one.id) for one in part),
            timesteps=tuple(step.name for step in months),
            times=tuple(step.stamp for step in months),
            bands=RAPIDAI4EO_BANDS,
            corners=tuple((one.bounds[0], one.bounds[3]) for one in part),
            height=60,
            width=60,
            dtype="uint16",
            nodata=0,
            epsg=part[0].epsg,
            resolution=10.0,
            codec=codec,
        )
        for key, data in encode_cubes(spec, cubes[number * each : (number + 1) * each]):
            store.put(f"{info.layout.cube(part[0].id, product('s2'))}/{key}", data)
        assert tile == part[0].tile
    if masks:
        for sample, cube in zip(own, cubes, strict=True):
            classes = (np.digitize(cube[6, 3], np.quantile(cube[6, 3], [0.3, 0.6, 0.9])) + 1).astype(np.uint8)
            content = encode_geotiff(classes[None], sample.grid(10), nodata=0)
            store.put(info.layout.raster_label(sample.id, LANDCOVER.key, "1"), content)
    place = {str(one.id): number for number, one in enumerate(own)}
    return cubes[[place[name] for name in table.column("id").to_pylist()]]


def _write_peers(folder: Path, cubes: NDArray[np.uint16]) -> None:
    np.save(folder / "cubes.npy", cubes)
    (folder / "chips").mkdir()
    for number, cube in enumerate(cubes):
        for step in range(STEPS):
            (folder / "chips" / f"{number}_{step}.tif").write_bytes(by_rasterio(cube[step], 0))
    for shard in range(len(TILES)):
        with tarfile.open(folder / f"shard-{shard}.tar", "w") as tar:
            for number in range(shard * BATCH, (shard + 1) * BATCH):
                buffer = io.BytesIO()
                np.savez_compressed(buffer, image=cubes[number])
                for ending, data in (("npz", buffer.getvalue()), ("cls", b"1")):
                    entry = tarfile.TarInfo(f"{number:05d}.{ending}")
                    entry.size = len(data)
                    tar.addfile(entry, io.BytesIO(data))


def converted(numbers: NDArray[np.uint16]) -> dict[str, torch.Tensor]:
    """Stored numbers as a sample, in plain NumPy."""
    valid = ((numbers != 0) & (numbers != 65_535)).all(axis=1)
    image = numbers.astype(np.float32) / 10_000
    image *= valid[:, None]
    return {"image": torch.from_numpy(image), "valid": torch.from_numpy(valid), "label": torch.tensor(1)}


class Chips(Dataset[dict[str, torch.Tensor]]):
    """Twelve GeoTIFFs a sample, by rasterio."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        parts = []
        for step in range(STEPS):
            with rasterio.open(self.folder / f"{index}_{step}.tif") as dataset:
                parts.append(dataset.read())
        return converted(np.stack(parts))


class MemoryMap(Dataset[dict[str, torch.Tensor]]):
    """One `.npy` file."""

    def __init__(self, path: Path) -> None:
        self.cubes = np.load(path, mmap_mode="r")

    def __len__(self) -> int:
        return len(self.cubes)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return converted(np.asarray(self.cubes[index]))


def from_tars(folder: Path, workers: int) -> Any:
    """WebDataset with a shuffle buffer and its own decoder."""
    import webdataset

    urls = [str(folder / f"shard-{shard}.tar") for shard in range(len(TILES))]
    samples = webdataset.WebDataset(urls, shardshuffle=2, empty_check=False).shuffle(64).decode()
    batches = samples.map(_from_tar).batched(BATCH, collation_fn=torch.utils.data.default_collate)
    return webdataset.WebLoader(batches, batch_size=None, num_workers=workers)


def _from_tar(sample: dict[str, Any]) -> dict[str, torch.Tensor]:
    return converted(sample["npz"]["image"])


def consumed(batches: Any) -> Callable[[], None]:
    """A pass over all batches, which touches each."""

    def work() -> None:
        for batch in batches:
            float(batch["image"][0, 0, 0, 0, 0])

    return work


def loaders(folder: Path, workers: int) -> Iterator[tuple[str, Any, Any]]:
    """Bar, our loader, and that of a peer."""
    options: dict[str, Any] = {"batch_size": BATCH, "shuffle": True, "num_workers": workers}
    options |= {"persistent_workers": True, "multiprocessing_context": "forkserver"} if workers else {}
    chosen = Corpus.open(folder / "corpus").query()
    ours = DataLoader(CorpusDataset(chosen, "s2", "label"), collate_fn=collate, **options)
    yield "chips", ours, DataLoader(Chips(folder / "chips", len(chosen)), **options)
    yield "webdataset", ours, from_tars(folder, workers)
    yield "memmap_uncached", ours, DataLoader(MemoryMap(folder / "cubes.npy"), **options)
    kept = DataLoader(CorpusDataset(chosen, "s2", "label", cache=folder / "cache"), collate_fn=collate, **options)
    yield "memmap", kept, DataLoader(MemoryMap(folder / "cubes.npy"), **options)


def growth(folder: Path) -> float:
    """MiB that the process holds more after five further epochs than after two."""
    loader = DataLoader(
        CorpusDataset(Corpus.open(folder / "corpus").query(), "s2", "label"),
        batch_size=BATCH,
        shuffle=True,
        collate_fn=collate,
    )
    epoch = consumed(loader)
    epoch()
    epoch()
    before = resident_gib()
    for _ in range(5):
        epoch()
    return max(resident_gib() - before, 0) * 1024


def against_decoding(folder: Path) -> float:
    """How much longer the labelled cubes of a selection take than their numbers alone, by readers that are open."""
    store, selection = LocalStore(folder / "corpus"), Corpus.open(str(folder / "corpus")).query()
    layout, readers = selection.sidecar.info.layout, {}
    for tile in TILES:
        prefix = layout.cube(SampleId.parse(f"{tile}_01_07"), product("s2"))
        readers[tile] = CubeReader(store.get, store.get_range, f"{prefix}/")

    def labelled() -> None:
        for sample in selection.ids:
            selection.cube(sample, "s2")

    def numbers() -> None:
        for sample in selection.ids:
            readers[sample.rsplit("_", 2)[0]].read(sample)

    return 1 / speedup(labelled, numbers, rounds=5)


def run() -> dict[str, float]:
    """Bar name → measured ratio."""
    results = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_corpus(folder)
        results["train_memory"] = growth(folder)
        results["selection_cube"] = against_decoding(folder)
        for workers in (0, 2):
            for peer, ours, theirs in loaders(folder, workers):
                results[f"train_{peer}_{workers}"] = speedup(consumed(ours), consumed(theirs), rounds=3)
    return results


if __name__ == "__main__":
    for bar, ratio in run().items():
        print(f"{bar:26} {ratio:8.3f}")
