"""Contenders of the races that need libraries of their own: `.venv/race/bin/python benchmarks/race_peers.py …`.

Nothing of landloom is imported here: what is to be done comes as JSON, and what is made goes to files.
"""

from __future__ import annotations

import json
import sys
import time
import types
from pathlib import Path
from typing import Any

THREADS = 8
"""Of odc-stac over HTTP."""


def odc(job: dict[str, Any], out: Path) -> None:
    """odc-stac without Dask: SCL once, then a band at a time, bottleneck's median, and the samples cut out of it."""
    import bottleneck
    import numpy as np
    import odc.stac
    from affine import Affine
    from odc.geo.geobox import GeoBox
    from pystac import Item

    remote = job["items"][0]["assets"]["SCL"]["href"].startswith("http")
    if remote:
        odc.stac.configure_rio(cloud_defaults=True)
    items = [Item.from_dict(one) for one in job["items"]]
    side, resolution = job["side"], job["resolution"]
    north = Affine(resolution, 0, job["west"], 0, -resolution, job["north"])
    options = {
        "geobox": GeoBox((side, side), north, f"EPSG:{job['epsg']}"),
        "groupby": "solar_day",
        "resampling": "nearest",
        "pool": THREADS if remote else None,
    }

    def load(name: str) -> Any:
        return odc.stac.load(items, bands=[name], **options)[name].values

    cut = job["sample"]
    chips = np.zeros((len(job["places"]), len(job["bands"]), cut, cut), np.uint16)
    clear = load("SCL") == 4
    for at, name in enumerate(job["bands"]):
        pixels = load(name)
        pixels = np.where(clear & (pixels > 0), pixels, np.float32(np.nan)).astype(np.float32, copy=False)
        made = np.nan_to_num(bottleneck.nanmedian(pixels, axis=0)).astype(np.uint16)
        for number, (row, column) in enumerate(job["places"]):
            chips[number, at] = made[row : row + cut, column : column + cut]
    np.save(out / "chips.npy", chips)


def batches_of(who: str, folder: Path, workers: int, *, ready: bool) -> Any:
    """Batches of 32 in random order, by the loader that comes with a library.

    Args:
        who: `litdata` or `mosaicml`.
        folder: as `write_litdata` or `write_mosaicml` wrote it.
        workers: processes that read.
        ready: whether batches are what a model eats, instead of stored numbers.
    """
    from functools import partial

    make = partial(example, ready=ready)
    if who == "litdata":
        import litdata

        dataset = litdata.StreamingDataset(str(folder), shuffle=True, transform=make)
        return litdata.StreamingDataLoader(dataset, batch_size=32, num_workers=workers)
    _without_torchvision()
    import streaming
    from torch.utils.data import DataLoader

    class Made(streaming.StreamingDataset):  # type: ignore[misc]
        def __getitem__(self, at: Any) -> Any:
            return make(super().__getitem__(at))

    return DataLoader(Made(local=str(folder), shuffle=True, batch_size=32), batch_size=32, num_workers=workers)


def example(sample: dict[str, Any], *, ready: bool) -> dict[str, Any]:
    """A sample as tensors: stored numbers, or reflectance with its validity."""
    import numpy as np
    import torch

    numbers = np.asarray(sample["image"])
    if not ready:
        return {"image": torch.from_numpy(np.ascontiguousarray(numbers)), "label": 1}
    valid = ((numbers != 0) & (numbers != 65_535)).all(axis=1)
    image = numbers.astype(np.float32) / 10_000
    image *= valid[:, None]
    return {"image": torch.from_numpy(image), "valid": torch.from_numpy(valid), "label": 1}


def _without_torchvision() -> None:
    """MosaicML imports it for picture data sets, which nobody asks for here; transformers must not find it."""
    import transformers.feature_extraction_utils
    import transformers.models.auto.tokenization_auto
    import transformers.tokenization_utils_base  # noqa: F401 - what MosaicML uses of it

    names = ("torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.transforms.functional")
    for name in names:
        sys.modules[name] = types.ModuleType(name)
    for name in ("VisionDataset", "CIFAR10"):
        setattr(sys.modules["torchvision.datasets"], name, object)
    vars(sys.modules["torchvision.transforms.functional"])["to_tensor"] = None


def numbered(place: tuple[str, int]) -> dict[str, Any]:
    """A sample out of an array, for litdata's writer."""
    import numpy as np

    path, number = place
    return {"image": np.ascontiguousarray(np.load(path, mmap_mode="r")[number]), "label": 1}


def write(who: str, cubes: Path, folder: Path) -> None:
    """Write cubes with zstd, as a library's documentation says."""
    import numpy as np

    numbers = np.load(cubes, mmap_mode="r")
    if who == "litdata":
        import litdata

        places = [(str(cubes), number) for number in range(len(numbers))]
        options = {"chunk_bytes": "64MB", "compression": "zstd", "num_workers": 1}
        litdata.optimize(fn=numbered, inputs=places, output_dir=str(folder), **options)
        return
    _without_torchvision()
    import streaming

    shape = ",".join(str(side) for side in numbers.shape[1:])
    columns = {"image": f"ndarray:uint16:{shape}", "label": "int"}
    with streaming.MDSWriter(out=str(folder), columns=columns, compression="zstd:3") as out:
        for cube in numbers:
            out.write({"image": np.ascontiguousarray(cube), "label": 1})


def epochs(batches: Any, count: int) -> list[tuple[float, float]]:
    """Samples a second, and a CPU second of this process, in each pass over batches."""
    rates = []
    for _ in range(count):
        start, used, seen = time.perf_counter(), time.process_time(), 0
        for batch in batches:
            seen += len(batch["image"])
            float(batch["image"][0, 0, 0, 0, 0])
        rates.append((seen / (time.perf_counter() - start), seen / (time.process_time() - used)))
    return rates


def main(what: str, *arguments: str) -> None:
    """Run a contender; print a line of JSON at the end."""
    told: Any
    if what == "odc":
        job, out = (Path(one) for one in arguments)
        odc(json.loads(job.read_text(encoding="utf-8")), out)
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        told = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10
    elif what == "write":
        who, cubes, folder = arguments
        write(who, Path(cubes), Path(folder))
        told = None
    else:
        who, folder, workers, ready, count = arguments
        told = epochs(batches_of(who, Path(folder), int(workers), ready=ready == "ready"), int(count))
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
