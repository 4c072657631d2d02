"""One corpus through every reader that people have: equal pixels, whoever reads them.

The readers are the rows of the table in docs/howto/train.md.
"""

from __future__ import annotations

import gc
import re
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from tests.foreign import call, needed

from landloom.publication.exchange import export_exchange
from landloom.publication.sample_files import export_samples
from landloom.query.corpus import Corpus
from landloom.training.datasets.dataset import CorpusDataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from tests.corpora import Made

PAGE: Final = Path(__file__).parents[3] / "docs" / "howto" / "train.md"


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader found of a sample."""

    name: str
    image: NDArray[Any]
    """(time, band, y, x) of the timesteps that it shows."""
    steps: slice | list[int]
    """Which they are, of the three of the corpus."""
    mask: NDArray[Any] | None = None
    """(y, x) stored code of land cover, if it reads rasters of labels."""


EVERY: Final = slice(None)


def _dataset(folder: Path, _: Path) -> Iterator[Read]:
    dataset = CorpusDataset(Corpus.open(folder).query(), "s2", "mask")
    for sample in (dataset[number] for number in range(len(dataset))):
        stored = np.rint(sample["image"].numpy() * 10_000).astype(np.uint16)
        yield Read(sample["id"], stored, EVERY, sample["mask"].numpy() + 1)


def _selection(folder: Path, _: Path) -> Iterator[Read]:
    chosen = Corpus.open(folder).query()
    for name in chosen.ids:
        yield Read(name, chosen.cube(name, "s2").values, EVERY)


def _zarr(folder: Path, _: Path) -> Iterator[Read]:
    import zarr

    for path in folder.rglob("*.zarr"):
        group: Any = zarr.open_group(path, mode="r")
        for position, name in enumerate(group["sample"][:]):
            yield Read(str(name), group["data"][position], EVERY)


def _xarray(folder: Path, _: Path) -> Iterator[Read]:
    import xarray as xr

    for path in folder.rglob("*.zarr"):
        with xr.open_zarr(path) as cubes:
            assert cubes["time"].dt.strftime("%Y-%m").values.tolist() == cubes["timestep"].values.tolist()
            for name in cubes["sample"].values:
                found = cubes["data"].sel(sample=name, band=["B04", "B08", "B11"])
                yield Read(str(name), found.fillna(0).values.astype(np.uint16), EVERY)  # nodata is NaN for xarray


def _rasterio(folder: Path, _: Path) -> Iterator[Read]:
    import rasterio

    for label in (folder / "labels").rglob("landcover-1.tif"):
        name = label.parent.name
        with rasterio.open(label) as raster:
            mask = raster.read(1)
        chips = sorted((folder / "imagery").glob(f"*/*/{name}/S2-SR/*.tif"))
        images = []
        for chip in chips:
            with rasterio.open(chip) as raster:
                images.append(raster.read())
        yield Read(name, np.stack(images), [int(chip.stem[-2:]) - 1 for chip in chips], mask)


def _webdataset(folder: Path, out: Path) -> Iterator[Read]:
    import webdataset

    export_exchange(str(folder), out, "webdataset")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the library leaves the tar file open
        rows = list(webdataset.WebDataset(str(out / "made-train-000000.tar"), shardshuffle=False).decode())
        gc.collect()
    for row in rows:
        yield Read(row["__key__"], row["s2.npy"], EVERY, row["landcover.npy"][0])


def _parquet(folder: Path, out: Path) -> Iterator[Read]:
    import pyarrow.parquet as pq

    export_exchange(str(folder), out, "hf")
    for row in pq.read_table(out / "data").to_pylist():
        yield Read(row["id"], np.array(row["s2"]), EVERY, np.array(row["landcover"])[0])


DATASETS: Final = """
import sys, datasets, numpy as np
rows = datasets.load_dataset(sys.argv[1], cache_dir=sys.argv[2])["train"].with_format("numpy")
for row in rows:
    np.savez(f"{sys.argv[3]}/{row['id']}", image=row["s2"], mask=row["landcover"][0])
"""
TACO: Final = """
import sys, tacoreader, rasterio, numpy as np
data = tacoreader.load(sys.argv[1]).data
for number, name in enumerate(data["id"].to_pylist()):
    own = data.read(number)
    shape = own["stac:tensor_shape"][0].as_py()
    with rasterio.open(own.read("s2.tif")) as image, rasterio.open(own.read("landcover.tif")) as mask:
        np.savez(f"{sys.argv[3]}/{name}", image=image.read().reshape(shape), mask=mask.read(1))
"""


def _foreign(library: str, source: str, to: str, folder: Path, out: Path) -> Iterator[Read]:
    needed(library)
    export_exchange(str(folder), out, to)
    found = out.parent / "found"
    found.mkdir()
    call(library, source, out, out.parent / "cache", found)
    for path in found.glob("*.npz"):
        with np.load(path) as row:
            yield Read(path.stem, row["image"], EVERY, row["mask"])


def _npz(folder: Path, out: Path) -> Iterator[Read]:
    export_samples(str(folder), out, "npz")
    for path in out.glob("*.npz"):
        with np.load(path, allow_pickle=False) as row:
            image = np.stack([row[band] for band in ("B04", "B08", "B11")], axis=1)
            steps = [int(text[5:7]) - 1 for text in row["datetime"].tolist()]
            yield Read(str(row["sample"]), image, steps, row["landcover"])


READERS: Final[dict[str, Callable[[Path, Path], Iterator[Read]]]] = {
    "CorpusDataset": _dataset,
    "Selection.cube": _selection,
    "zarr": _zarr,
    "xarray": _xarray,
    "rasterio": _rasterio,
    "webdataset": _webdataset,
    "pyarrow": _parquet,
    "datasets": partial(_foreign, "datasets", DATASETS, "hf"),
    "tacoreader": partial(_foreign, "tacoreader", TACO, "taco"),
    "numpy": _npz,
}
"""Name in the table → samples of a corpus; exports go to the second folder."""


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_finds_equal_pixels(reader: str, made: Made, tmp_path: Path) -> None:
    seen = set()
    for read in READERS[reader](made.folder, tmp_path / "out"):
        wanted = made.series[read.name][read.steps]
        if reader == "CorpusDataset":
            valid = ((wanted != 0) & (wanted != 65_535)).all(axis=1, keepdims=True)
            wanted = np.where(valid, wanted, 0)
        np.testing.assert_array_equal(read.image, wanted)
        if read.mask is not None:
            np.testing.assert_array_equal(read.mask, made.masks[read.name][0])
        if read.steps != EVERY:
            assert len(read.image) == (made.series[read.name] != 0).any(axis=(1, 2, 3)).sum()
        seen.add(read.name)
    assert seen == set(made.ids)


def test_the_table_names_the_readers() -> None:
    rows = re.findall(r"^\| `([\w.]+)`.*\| yes", PAGE.read_text("utf-8"), re.MULTILINE)
    assert rows == list(READERS)
