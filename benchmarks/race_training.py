"""Race 3: reading for training, in random order, batches of 32; `benchmarks.race` runs it.

Every contender reads the same cubes of 3 × 12 × 60 × 60 in a process of its own, and gives either what a model eats
(reflectance in float32, validity, label) or the numbers as they are stored.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from landloom.formats.zarr.codecs import Codec

ROOT: Final = Path(__file__).parents[1]
PEERS: Final = ROOT / ".venv" / "race" / "bin" / "python"
"""The environment of the peers; `make race` makes it."""
SAMPLES: Final = 960
EPOCHS: Final = 3
CODECS: Final[tuple[Codec, ...]] = ("zstd", "lz4")
THREADS: Final = 2
ONE_THREAD: Final = {"OMP_NUM_THREADS": "1"}
"""PyTorch's own threads, which wait for each other in a busy loop, slow the peers' collation on a machine with work."""
FIGURES: Final = (("wall", "wall", "wall"), ("cpu", "cpu", "cpu"), ("decoding", "wall", "first"))
"""Name of a ratio, which of our figures, and which of theirs; what MosaicML decodes, it decodes in its first pass."""


def peers() -> str:
    """The interpreter of the others' environment; ends with one line where it is not made."""
    if not PEERS.exists():
        sys.exit("races need the libraries of others: run `make .venv/race.stamp`")
    return str(PEERS)


def numbers(count: int) -> NDArray[np.uint16]:
    """(sample, 3, 12, 60, 60): smooth fields that differ by band, with noise of four units."""
    rows, columns = np.mgrid[:60, :60]
    random, slope = np.random.default_rng(3), np.linspace(0.6, 1.6, 12)[None, :, None, None]
    fields = (1500 + 400 * np.sin(rows / 17 + n) * np.cos(columns / 13 + 0.7 * n) for n in range(count))
    return np.stack([(field * slope + random.normal(0, 4, (3, 12, 60, 60))).astype(np.uint16) for field in fields])


def write(folder: Path, count: int) -> None:
    """The cubes as a corpus of each codec, as one array, and as each peer stores them."""
    from benchmarks.bench_training import write_cubes

    cubes = numbers(count)
    for codec in CODECS:
        write_cubes(folder / codec, codec=codec, numbers=cubes)
    np.save(folder / "cubes.npy", cubes)
    for who in ("litdata", "mosaicml"):
        _peer("write", who, str(folder / "cubes.npy"), str(folder / who))


def _peer(*arguments: str) -> Any:
    command = [peers(), str(ROOT / "benchmarks" / "race_peers.py"), *arguments]
    made = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | ONE_THREAD
    )
    return json.loads(made.stdout.splitlines()[-1])


def batches(who: str, folder: Path, workers: int, *, ready: bool) -> Any:
    """Batches of a contender of ours, or of a memory map."""
    from benchmarks.bench_training import BATCH, MemoryMap
    from torch.utils.data import DataLoader

    from landloom.query.corpus import Corpus
    from landloom.training.datasets.collate import collate
    from landloom.training.datasets.dataset import CorpusDataset

    options: dict[str, Any] = {"batch_size": BATCH, "shuffle": True, "num_workers": workers}
    options |= {"persistent_workers": True, "multiprocessing_context": "forkserver"} if workers else {}
    samples: Any
    if who == "memmap":
        samples = MemoryMap(folder / "cubes.npy") if ready else Stored(folder / "cubes.npy")
        return DataLoader(samples, **options)
    if who == "loop":
        samples = OneByOne(folder / "zstd", ready=ready)
        return DataLoader(samples, **options)
    corpus = folder / who / "corpus"
    if ready:
        return DataLoader(CorpusDataset(Corpus.open(corpus).query(), "s2", "label"), collate_fn=collate, **options)
    return Batches(corpus)


class Stored:
    """Numbers out of a memory map."""

    def __init__(self, path: Path) -> None:
        self.cubes = np.load(path, mmap_mode="r")

    def __len__(self) -> int:
        return len(self.cubes)

    def __getitem__(self, index: int) -> dict[str, Any]:
        import torch

        return {"image": torch.from_numpy(np.array(self.cubes[index])), "label": 1}


class OneByOne:
    """The loop that users wrote before there was a data set: a reader for each tile, one sample after the other."""

    def __init__(self, folder: Path, *, ready: bool) -> None:
        self.corpus, self.ready, self.readers = folder / "corpus", ready, dict[str, Any]()
        self.ids = ids_of(self.corpus)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> dict[str, Any]:
        import torch
        from benchmarks.bench_training import converted

        found = reader_of(self.corpus, self.readers, self.ids[index]).read(self.ids[index])
        return dict(converted(found)) if self.ready else {"image": torch.from_numpy(found), "label": 1}


class Batches:
    """Numbers decoded straight into the array of a batch, in threads."""

    def __init__(self, corpus: Path) -> None:
        self.corpus, self.ids, self.readers = corpus, ids_of(corpus), dict[str, Any]()
        self.random, self.pool = np.random.default_rng(0), ThreadPoolExecutor(THREADS)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        import torch

        order = self.random.permutation(len(self.ids)).tolist()
        for start in range(0, len(order), 32):
            own = [self.ids[place] for place in order[start : start + 32]]
            first = reader_of(self.corpus, self.readers, own[0])
            room = np.empty((len(own), *first.spec.shape[1:]), first.spec.dtype)
            list(self.pool.map(self._read, own, room))
            yield {"image": torch.from_numpy(room), "label": torch.ones(len(own))}

    def _read(self, name: str, room: NDArray[Any]) -> None:
        reader_of(self.corpus, self.readers, name).read(name, room)


def ids_of(corpus: Path) -> tuple[str, ...]:
    """Ids of the samples of a corpus."""
    from landloom.query.corpus import Corpus

    return Corpus.open(corpus).query().ids


def reader_of(corpus: Path, readers: dict[str, Any], name: str) -> Any:
    """The reader of a sample's tile, opened once."""
    from landloom.formats.zarr.cubes import CubeReader
    from landloom.store.open import open_store

    tile = name.rsplit("_", 2)[0]
    if tile not in readers:
        store = open_store(str(corpus))
        folder = next(corpus.glob(f"imagery/{tile.replace('_', '/', 1)}/*.zarr")).relative_to(corpus)
        readers[tile] = CubeReader(store.get, store.get_range, f"{folder}/")
    return readers[tile]


def rates(who: str, folder: Path, workers: int, *, ready: bool) -> dict[str, float]:
    """Samples a second and a CPU second in a process of its own: the median of the passes after the first.

    MosaicML decodes in its first pass, and leaves the decoded shards on the disk; both are told.
    """
    what = ("ready" if ready else "plain", str(EPOCHS))
    if who in ("litdata", "mosaicml"):
        for path in (folder / who).glob("*.mds"):
            path.unlink()
        found = _peer("read", who, str(folder / who), str(workers), *what)
    else:
        command = [sys.executable, "-m", "benchmarks.race_training", who, str(folder), str(workers), *what]
        environment = os.environ | ONE_THREAD
        made = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment).stdout
        found = json.loads(made.splitlines()[-1])
    wall, cpu = zip(*found, strict=True)
    return {"first": wall[0], "wall": median(wall[1:]), "first_cpu": cpu[0], "cpu": median(cpu[1:])}


def race(folder: Path, rounds: int, count: int = SAMPLES) -> dict[str, Any]:
    """Rates of every contender, and what ours are of the others' in the same round.

    Args:
        folder: to write into.
        rounds: in which contenders take turns.
        count: of samples.
    """
    write(folder, count)
    peers = ("loop", "litdata", "mosaicml", "memmap")
    results: dict[str, Any] = {}
    for form, workers in (("ready", 0), ("plain", 0), ("ready", 2)):
        rows: dict[str, list[dict[str, float]]] = {who: [] for who in (*CODECS, *peers)}
        for _ in range(rounds):
            for who, own in rows.items():
                own.append(rates(who, folder, workers, ready=form == "ready"))
        results[f"{form}_{workers}"] = {"rows": rows} | {
            f"{ours}_{their}_{name}": median(a[mine] / b[theirs] for a, b in zip(rows[ours], rows[their], strict=True))
            for ours in CODECS
            for their in peers
            for name, mine, theirs in FIGURES
            if name != "decoding" or their == "mosaicml"
        }
    return results


if __name__ == "__main__":
    from benchmarks.race_peers import epochs

    name, place, processes, form, passes = sys.argv[1:]
    own_batches = batches(name, Path(place), int(processes), ready=form == "ready")
    print(json.dumps(epochs(own_batches, int(passes))))
