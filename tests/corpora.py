"""A small finished corpus of cells with known numbers, written without a build: chips, cubes or both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.corpus.documents import corpus_json
from landloom.corpus.index import SampleTable, index_bytes, index_table
from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.corpus.manifest import FileEntry, manifest_bytes
from landloom.formats.geotiff import encode_geotiff
from landloom.formats.zarr.cubes import CubeSpec, encode_cubes
from landloom.model.apportion import MILLION
from landloom.model.ids import SampleId
from landloom.model.product import Product, product
from landloom.model.recipe import Publication, Terms
from landloom.model.sample import Sample
from landloom.model.sensor import Band
from landloom.model.taxonomy import taxonomy
from landloom.model.time import Cadence, Period
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

TERMS: Final = Terms(licence="CC0-1.0", attribution="nobody")
TILES: Final = ("33N_16E-243N", "34N_24E-241N")
CLASSES: Final = ("211", "311", "512")
"""CORINE codes that occur."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was written."""

    folder: Path
    info: CorpusInfo
    ids: tuple[str, ...]
    """In index order."""
    series: dict[str, NDArray[np.uint16]]
    """Sample → (month, band, y, x) composites; 0 is nodata."""
    masks: dict[str, NDArray[np.uint8]]
    """Sample → (2, y, x) LandCoverNet code and confidence in percent."""
    shares: dict[str, NDArray[np.int64]]
    """Sample → millionths of the CORINE classes."""


def write_corpus(
    folder: Path,
    *,
    layouts: Sequence[str] = ("chips", "cubes"),
    count: int = 6,
    months: int = 3,
    bands: Sequence[str] = ("B04", "B08", "B11"),
    seed: int = 0,
) -> Made:
    """A corpus of monthly composites in two tiles.

    The second month of the first sample of each tile is missing; in every chip some pixels are nodata or saturated.

    Args:
        folder: of the corpus.
        layouts: of the imagery.
        count: samples of each tile.
        months: from January 2018 on.
        bands: of the composites.
        seed: of the numbers.
    """
    rng = np.random.default_rng(seed)
    info = _info(tuple(layouts), months, bands)
    own = [
        Sample.of_utm24(SampleId.parse(f"{tile}_{1 + 3 * number:02d}_07"), "DE", "train")
        for tile in TILES
        for number in range(count)
    ]
    item, codes = info.product("s2"), taxonomy("clc").codes()
    exists = {one.key: np.ones((len(own), one.slots), np.bool_) for one in info.products}
    series, masks, shares = {}, {}, {}
    for place, sample in enumerate(own):
        name = str(sample.id)
        classes = rng.permutation(3)[np.clip(np.arange(60) // 25, 0, 2)]
        numbers = rng.integers(500, 4000, (months, len(bands), 60, 60)).astype(np.uint16)
        numbers += (classes * 1500).astype(np.uint16)[None, None, :, None]
        numbers[:, :, :2, :3] = 0
        numbers[0, 0, 5, 5] = 65_535
        if place % count == 0:
            numbers[1] = 0
            exists["s2"][place, 1] = False
        layer = np.repeat(np.array([6, 5, 1], np.uint8)[classes][:, None], 60, axis=1)
        layer[-4:] = 0
        series[name], masks[name] = numbers, np.stack([layer, np.where(layer == 5, 60, 90).astype(np.uint8)])
        shares[name] = np.zeros(len(codes), np.int64)
        for number, code in enumerate(CLASSES):
            shares[name][codes.index(code)] = (classes == number).sum() * MILLION // 60
        shares[name][codes.index("999")] = MILLION - shares[name].sum()
    made = Made(
        folder=folder, info=info, ids=tuple(str(one.id) for one in own), series=series, masks=masks, shares=shares
    )
    store = LocalStore(folder)
    for tile in TILES:
        _write_tile(store, made, [one for one in own if one.tile == tile], exists["s2"], item.product)
        entries = [FileEntry.of(one.key, store.get(one.key)) for one in store.list("") if f"/{tile[4:]}" in one.key]
        store.put(f"manifest/{tile.replace('_', '/', 1)}.parquet", manifest_bytes(entries))
    table = index_table(info, SampleTable.of(own), {"labels": np.stack(list(shares.values()))}, exists)
    store.put("index/samples.parquet", index_bytes(table))
    store.put("corpus.json", corpus_json(info))
    return replace(made, ids=tuple(table.column("id").to_pylist()))


def _info(layouts: tuple[str, ...], months: int, bands: Sequence[str]) -> CorpusInfo:
    whole = product("s2")
    composites = replace(whole, bands=tuple(next(b for b in whole.bands if b.name == name) for name in bands))
    period = Period.parse("2018-01-01", f"{2018 + months // 12}-{months % 12 + 1:02d}-01")
    landcover = Product(
        key="landcover",
        folder=None,
        collection="labels",
        prefix="landcover",
        title="Land cover",
        kind="raster-labels",
        bands=tuple(Band(name=name, description=name, resolution=10) for name in ("class", "confidence")),
        dtype="uint8",
        resolution=10,
    )
    return CorpusInfo(
        name="made",
        version="1.0",
        publication=Publication(title="made", description="made", authors=("Author, A.",)),
        products=(
            ProductInfo(product=composites, terms=TERMS, timesteps=Cadence.parse("month").timesteps(period)),
            ProductInfo(product=product("labels"), terms=TERMS, taxonomy=taxonomy("clc"), stated_period=period),
            ProductInfo(product=landcover, terms=TERMS, taxonomy=taxonomy("landcovernet"), stated_period=period),
        ),
        layouts=layouts,
    )


def _write_tile(store: LocalStore, made: Made, samples: list[Sample], exists: NDArray[np.bool_], row: Product) -> None:
    info, steps = made.info, made.info.product("s2").timesteps
    grids = {str(one.id): one.grid(10) for one in samples}
    for sample in samples:
        name = str(sample.id)
        there = exists[made.ids.index(name)]
        for number, step in enumerate(steps):
            if "chips" in info.layouts and there[number]:
                chip = encode_geotiff(made.series[name][number], grids[name], nodata=0)
                store.put(info.layout.chip(sample.id, row, step.name), chip)
        store.put(
            info.layout.raster_label(sample.id, "landcover", "1"),
            encode_geotiff(made.masks[name], grids[name], nodata=0),
        )
    if "cubes" in info.layouts:
        spec = CubeSpec(
            samples=tuple(grids),
            timesteps=tuple(step.name for step in steps),
            times=tuple(step.stamp for step in steps),
            bands=tuple(band.name for band in row.bands),
            corners=tuple((grid.west, grid.north) for grid in grids.values()),
            height=60,
            width=60,
            dtype="uint16",
            nodata=0,
            epsg=samples[0].epsg,
            resolution=10.0,
        )
        for key, data in encode_cubes(spec, np.stack([made.series[name] for name in grids])):
            store.put(f"{info.layout.cube(samples[0].id, row)}/{key}", data)
