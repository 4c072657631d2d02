"""GeoTIFF chips against rasterio, cubes against chips and zarr-python; chips are 12 bands of 60 x 60 uint16."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from itertools import cycle
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import rasterio
import zarr
from benchmarks.timing import speedup
from rasterio.io import MemoryFile

from landloom.formats.geotiff import decode_geotiff, encode_geotiff
from landloom.formats.zarr.codecs import LEVELS
from landloom.formats.zarr.cubes import CubeReader, CubeSpec, encode_cubes
from landloom.model.product import RAPIDAI4EO_BANDS
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SIDE, STEPS, SAMPLES = 60, 12, 32
CHIPS = 24


def chips() -> NDArray[np.uint16]:
    """(sample, time, band, y, x): fields with edges, a season, correlated bands and noise of some per cent."""
    rng = np.random.default_rng(11)
    fields = np.kron(rng.normal(0, 1, (SAMPLES, 1, 1, 6, 6)), np.ones((10, 10)))
    season = np.sin(np.arange(STEPS) / STEPS * 2 * np.pi)[:, None, None, None]
    levels = np.linspace(400, 3200, len(RAPIDAI4EO_BANDS))[:, None, None]
    clean = levels * (1 + 0.2 * fields + 0.15 * season * fields)
    noisy = clean + rng.normal(0, 0.02, clean.shape) * levels
    return noisy.clip(1, 10_000).astype(np.uint16)


def spec() -> CubeSpec:
    """Of the chips above."""
    return CubeSpec(
        samples=tuple(f"33N_16E-243N_29_{n + 1:02}" for n in range(SAMPLES)),
        timesteps=tuple(f"2018-{n + 1:02}" for n in range(STEPS)),
        times=tuple(datetime(2018, n + 1, 15, 10, 30, tzinfo=UTC) for n in range(STEPS)),
        bands=RAPIDAI4EO_BANDS,
        corners=tuple((500_000.0 + 600 * n, 5_000_000.0) for n in range(SAMPLES)),
        height=SIDE,
        width=SIDE,
        dtype="uint16",
        nodata=0,
        epsg=32633,
        resolution=10.0,
    )


def by_rasterio(chip: NDArray[Any], place: int, interleave: str = "pixel") -> bytes:
    """What users of rasterio write: deflate 6, predictor 2, one thread, in memory."""
    grid = spec().grid(place)
    with MemoryFile() as file:
        with file.open(
            driver="GTiff",
            count=len(chip),
            height=SIDE,
            width=SIDE,
            dtype="uint16",
            crs=f"EPSG:{grid.epsg}",
            transform=grid.affine,
            nodata=0,
            compress="deflate",
            zlevel=6,
            predictor=2,
            interleave=interleave,
            num_threads=1,
        ) as dataset:
            dataset.write(chip)
            dataset.descriptions = RAPIDAI4EO_BANDS
        return bytes(file.getbuffer())


def run() -> dict[str, float]:
    """Bar name → measured ratio."""
    cubes, about = chips(), spec()
    some = [cubes[n % SAMPLES, n % STEPS] for n in range(CHIPS)]
    grid = about.grid(0)
    ours = [encode_geotiff(chip, grid, nodata=0, bands=RAPIDAI4EO_BANDS) for chip in some]
    peers = [sum(len(by_rasterio(chip, 0, interleave)) for chip in some) for interleave in ("pixel", "band")]
    for chip, data in zip(some, ours, strict=True):
        np.testing.assert_array_equal(decode_geotiff(data)[0], chip)
    results = {
        "geotiff_write": speedup(
            lambda: [encode_geotiff(chip, grid, nodata=0, bands=RAPIDAI4EO_BANDS) for chip in some],
            lambda: [by_rasterio(chip, 0) for chip in some],
        ),
        "geotiff_size": sum(map(len, ours)) / min(peers),
    }
    with tempfile.TemporaryDirectory() as folder:
        results |= _cube_reads(LocalStore(folder), about, cubes)
    return results


def _cube_reads(store: LocalStore, about: CubeSpec, cubes: NDArray[np.uint16]) -> dict[str, float]:
    for key, data in encode_cubes(about, cubes):
        store.put(f"S2.zarr/{key}", data)
    for sample in range(SAMPLES):
        for step in range(STEPS):
            chip = encode_geotiff(cubes[sample, step], about.grid(sample), nodata=0, bands=RAPIDAI4EO_BANDS)
            store.put(f"chips/{sample}/{step}.tif", chip)
    reader = CubeReader(store.get, store.get_range, "S2.zarr/")
    array = zarr.open_array(store.path("S2.zarr/data"), mode="r")
    order = [int(n) for n in np.random.default_rng(2).permutation(SAMPLES)]

    def from_chips(sample: int) -> NDArray[Any]:
        parts = []
        for step in range(STEPS):
            with rasterio.open(store.path(f"chips/{sample}/{step}.tif")) as dataset:
                parts.append(dataset.read())
        return np.stack(parts)

    for sample in order[:4]:
        np.testing.assert_array_equal(reader.read(sample), cubes[sample])
        np.testing.assert_array_equal(from_chips(sample), cubes[sample])
    places: Iterator[int] = cycle(order)
    few = [next(places) for _ in range(16)]
    return {
        "cube_read": speedup(lambda: [reader.read(n) for n in few], lambda: [from_chips(n) for n in few]),
        "cube_read_zarr": speedup(lambda: [reader.read(n) for n in few], lambda: [array[n] for n in few]),
        "cube_read_limit": _against_decoding(reader, cubes, few),
    }


def _against_decoding(reader: CubeReader, cubes: NDArray[np.uint16], few: list[int]) -> float:
    """How much longer reading takes than decoding the same frames from memory: the physical limit is 1."""
    frames = {n: bytes(imagecodecs.zstd_encode(cubes[n].tobytes(), LEVELS["zstd"])) for n in few}
    size = cubes[0].nbytes
    return speedup(
        lambda: [imagecodecs.zstd_decode(frames[n], out=size) for n in few],
        lambda: [reader.read(n) for n in few],
    )


if __name__ == "__main__":
    for name, ratio in run().items():
        print(f"{name:18} {ratio:8.3f}")
