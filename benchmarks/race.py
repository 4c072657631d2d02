"""The races: `python -m benchmarks.race [PASSES]`, or `make race`; writes out/race.json.

Race 1 builds one month of one tile from files of this machine, race 2 over HTTP with 40 ms added to every request.
Contenders take turns, each in a process of its own, from the interpreter's start to its end: landloom's unit of work,
the loop that a user of rasterio and bottleneck writes, and odc-stac. All make the same medians: every chip is compared.
Race 3 reads for training (`benchmarks.race_training`). Peers run in an environment of their own, `.venv/race`.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks import race_training
from benchmarks.race_training import peers as python_of_peers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ROOT: Final = Path(__file__).parents[1]
PAUSE: Final = 0.04
"""Seconds added to a request."""
CLOUD: Final = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    "GDAL_INGESTED_BYTES_AT_OPEN": "32768",
    "VSI_CACHE": "FALSE",
    "GDAL_CACHEMAX": 512,
}
"""GDAL's settings for files in a cloud."""
FEW, ALL = 60, 1600


def cells(count: int) -> list[Any]:
    """Scattered samples of the tile, in id order."""
    import numpy as np
    from benchmarks.race_archive import TILE

    every = TILE.samples()
    chosen = np.random.default_rng(2).choice(len(every), count, replace=False)
    return [every[place] for place in sorted(chosen)]


def loop(found: list[Any], root: str, count: int, out: Path) -> None:
    """In four strips of the tile: read, mask, merge the granules of a pass, take bottleneck's median, cut."""
    import numpy as np
    import rasterio
    from benchmarks.race_archive import TILE

    grid = TILE.grid(10)
    chips = np.zeros((count, 12, 60, 60), np.uint16)
    places = [(number, *cell.grid(10).offset_in(grid)) for number, cell in enumerate(cells(count))]
    with (
        rasterio.Env(**CLOUD if root.startswith("http") else {}),
        ThreadPoolExecutor(8 if root.startswith("http") else 1) as pool,
    ):
        names = [file for _, _, files in found for file in files.values()]
        opened = dict(zip(names, pool.map(lambda file: rasterio.open(f"{root}/{file}"), names), strict=True))
        for top in range(0, grid.height, 600):
            made = _strip(found, opened, grid.window(top, 0, 600, grid.width), pool)
            for number, row, column in places:
                if top <= row < top + 600:
                    chips[number] = made[:, row - top : row - top + 60, column : column + 60]
        for dataset in opened.values():
            dataset.close()
    np.save(out / "chips.npy", chips)


def _strip(found: list[Any], opened: dict[str, Any], grid: Any, pool: ThreadPoolExecutor) -> NDArray[Any]:
    """Medians (band, y, x) of a strip."""
    import bottleneck
    import numpy as np
    from benchmarks.race_archive import BANDS

    def read(file: str) -> NDArray[Any]:
        dataset = opened[file]
        scale = round(dataset.res[0] / 10)
        top, left = (
            round((dataset.transform.f - grid.north) / dataset.res[0]),
            round((grid.west - dataset.transform.c) / dataset.res[0]),
        )
        height, width = grid.height // scale, grid.width // scale
        whole = np.zeros((height, width), dataset.dtypes[0])
        first, last = max(left, 0), min(left + width, dataset.width)
        whole[:, first - left : last - left] = dataset.read(1, window=((top, top + height), (first, last)))
        return np.repeat(np.repeat(whole, scale, 0), scale, 1) if scale > 1 else whole

    passes = sorted({number for _, number, _ in found})
    stack = np.full((len(passes), len(BANDS), *grid.shape), np.nan, np.float32)
    for row, number in enumerate(passes):
        seen = np.zeros(grid.shape, bool)
        for files in [files for _, own, files in found if own == number]:
            scl, *bands = pool.map(read, [files["SCL"], *(files[name] for name in BANDS)])
            valid = (scl == 4) & ~seen
            for band in bands:
                valid &= band > 0
            for at, band in enumerate(bands):
                np.copyto(stack[row, at], band, where=valid)
            seen |= valid
    medians = [np.nan_to_num(bottleneck.nanmedian(stack[:, at], axis=0)).astype(np.uint16) for at in range(len(BANDS))]
    return np.stack(medians)


def differs(count: int, ours: Path, theirs: Path) -> int:
    """Pixels of the samples that the two have made differently."""
    import numpy as np

    from landloom.formats.zarr.cubes import CubeReader
    from landloom.store.open import open_store

    folder = next(path.parent for path in ours.rglob("zarr.json") if (path.parent / "data").is_dir())
    store = open_store(str(folder))
    reader = CubeReader(store.get, store.get_range, "")
    chips = np.load(theirs / "chips.npy")
    return sum(int((reader.read(str(cell))[0] != chip).sum()) for cell, chip in zip(cells(count), chips, strict=True))


def timed(who: str, root: str, count: int, out: Path, found: Path) -> dict[str, float]:
    """Wall and CPU seconds, and peak MiB, of a contender in a process of its own."""
    # What odc-stac is to do is written before its clock runs.
    command = [sys.executable, "-m", "benchmarks.race", "--run", who, root, str(count), str(out), str(found)]
    if who == "landloom":
        command = [sys.executable, "-m", "benchmarks.race_unit", root, str(count), str(out), str(found)]
    if who == "odc":
        command = [
            python_of_peers(),
            str(ROOT / "benchmarks" / "race_peers.py"),
            "odc",
            str(job(found, root, count)),
            str(out),
        ]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    told = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": time.perf_counter() - start, "cpu": cpu, "mib": float(told)}


def job(found: Path, root: str, count: int) -> Path:
    """What a contender without landloom needs to know: items with their grids, the tile, and places of the samples."""
    from benchmarks.race_archive import BANDS, TILE, items

    grid, scenes = TILE.grid(10), json.loads(found.read_text(encoding="utf-8"))
    document = {
        "items": items([tuple(one) for one in scenes], root),
        "bands": BANDS,
        "epsg": grid.epsg,
        "west": grid.west,
        "north": grid.north,
        "resolution": 10,
        "side": grid.width,
        "sample": 60,
        "places": [cell.grid(10).offset_in(grid) for cell in cells(count)],
    }
    path = found.with_name(f"job-{root.partition(':')[0][-5:]}-{count}.json")
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def limit(found: list[Any], root: str, count: int) -> None:
    """The least that has to be done over HTTP: the blocks of the tile, 64 ranges at a time, inflated on two threads."""
    import imagecodecs
    import obstore
    from benchmarks.race_archive import TILE
    from obstore.store import HTTPStore

    from landloom.store.rasters.table import read_table

    del count
    store = HTTPStore.from_url(root, client_options={"allow_http": True})
    grid = TILE.grid(10)

    def one(file: str) -> list[bytes]:
        from rasterio.io import MemoryFile

        head = bytes(obstore.get_range(store, file, start=0, length=2**16))
        table = read_table(lambda start, stop: head[start:stop])
        assert table is not None
        with MemoryFile(head) as memory, memory.open() as dataset:
            window = dataset.window(*grid.bounds)
        rows = range(max(int(window.row_off), 0) // 512, -(-int(window.row_off + window.height) // 512))
        columns = range(max(int(window.col_off), 0) // 512, -(-int(window.col_off + window.width) // 512))
        numbers = [table.number(row, column, 1) for row in rows for column in columns if column < table.across]
        spans = sorted((int(table.offsets[n]), int(table.counts[n])) for n in numbers if table.counts[n])
        if not spans:
            return []
        first, end = spans[0][0], spans[-1][0] + spans[-1][1]
        whole = memoryview(obstore.get_range(store, file, start=first, length=end - first))
        return [bytes(whole[start - first : start - first + size]) for start, size in spans]

    names = [file for _, _, files in found for file in files.values()]
    with ThreadPoolExecutor(64) as pool, ThreadPoolExecutor(2) as codecs:
        for blocks in pool.map(one, names):
            list(codecs.map(lambda data: imagecodecs.deflate_decode(data, out=2**20), blocks))


def race(passes: int, counts: Sequence[int], rounds: int, peers: Sequence[str] = ()) -> dict[str, Any]:
    """Ratios of the others to landloom, requests and bytes.

    Args:
        passes: of the month.
        counts: of samples; over HTTP, only the first.
        rounds: in which the contenders take turns.
        peers: contenders beside the loop: `odc`, if its environment is there.
    """
    from benchmarks.race_archive import write_archive
    from benchmarks.race_server import served

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "archive"
        folder.mkdir()
        table = Path(name) / "found.json"
        table.write_text(json.dumps(write_archive(folder, passes)), encoding="utf-8")
        with served(folder, PAUSE) as address:
            results = {
                f"local_{count}": _heats(("landloom", "loop", *peers), str(folder), count, rounds, table, address)
                for count in counts
            }
            who = ("landloom", "loop", *peers, "limit")
            results[f"http_{counts[0]}"] = _heats(who, address, counts[0], rounds, table, address)
        return results


def _heats(contenders: Sequence[str], root: str, count: int, rounds: int, table: Path, address: str) -> dict[str, Any]:
    """Rounds of one race: what each contender took, and the medians of its ratios to landloom."""
    from benchmarks.race_server import counted

    rows: dict[str, list[dict[str, float]]] = {who: [] for who in contenders}
    for turn, (who, own) in ((turn, item) for turn in range(rounds) for item in rows.items()):
        out = table.parent / f"{who}-{root.partition(':')[0][-5:]}-{count}-{turn}"
        out.mkdir()
        counted(address)
        took = timed(who, root, count, out, table)
        requests, size = counted(address)
        own.append(took | {"requests": requests, "read": size / 2**20})
    places = {who: table.parent / f"{who}-{root.partition(':')[0][-5:]}-{count}-0" for who in rows if who != "limit"}
    ours = places.pop("landloom")
    different = {who: differs(count, ours, own) for who, own in places.items()}
    pairs = {who: list(zip(own, rows["landloom"], strict=True)) for who, own in rows.items() if who != "landloom"}
    ratios = {
        f"{who}_{what}": median(their[what] / ours[what] for their, ours in pair)
        for who, pair in pairs.items()
        for what in ("wall", "cpu")
    }
    return {"rows": rows, "different": sum(different.values()), "different_from": different} | ratios


def main(arguments: list[str]) -> None:
    """Run a contender, or the races."""
    from benchmarks.memory import peak_gib

    if arguments[:1] == ["--run"]:
        who, root, count, place, found = arguments[1:]
        scenes = [tuple(one) for one in json.loads(Path(found).read_text(encoding="utf-8"))]
        if who == "limit":
            limit(scenes, root, int(count))
        else:
            loop(scenes, root, int(count), Path(place))
        print(peak_gib() * 1024)
        return
    results = race(int(arguments[0]) if arguments else 6, (FEW, ALL), 3, ("odc",))
    with tempfile.TemporaryDirectory() as name:
        results |= {f"training_{form}": row for form, row in race_training.race(Path(name), 3).items()}
    out = ROOT / "out" / "race.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(results, indent=2) + os.linesep, encoding="utf-8")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
