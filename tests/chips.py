"""A small finished corpus of granules' chips with a known land cover: scenes, classes, guess, probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.documents import corpus_json
from landloom.corpus.index import SampleTable, index_bytes, index_table
from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.corpus.manifest import FileEntry, manifest_bytes
from landloom.formats.geotiff import encode_geotiff
from landloom.model.granules import granule_grid
from landloom.model.ids import ChipId, GranuleId
from landloom.model.product import Product
from landloom.model.recipe import Publication, Terms
from landloom.model.sample import Sample
from landloom.model.sensor import SENTINEL2, Band
from landloom.model.taxonomy import taxonomy
from landloom.model.time import Period, Timestep
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

BANDS: Final = ("B02", "B04", "B08")
CLASSES: Final = (1, 5, 6)
"""Codes of the land cover: water, woody, cultivated."""
SPECTRA: Final = {1: (600, 400, 200), 5: (300, 400, 3000), 6: (500, 900, 2200)}
"""Class → reflectance of each band in summer; cultivated land is bare in winter."""
TERMS: Final = Terms(licence="CC0-1.0", attribution="nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What was written."""

    folder: Path
    truth: dict[str, NDArray[np.uint8]]
    """Chip → (y, x) land cover."""
    guess: dict[str, NDArray[np.uint8]]
    """Chip → (y, x) guess; part of it is wrong."""
    series: dict[str, NDArray[np.uint16]]
    """Chip → (time, band, y, x)."""
    scl: dict[str, NDArray[np.uint8]]
    """Chip → (time, y, x)."""
    dates: dict[str, list[datetime]]
    """Chip → its dates; those of two granules differ."""


def write_world(  # noqa: PLR0913 - all but the folder have a default
    folder: Path,
    *,
    side: int = 60,
    scenes: int = 4,
    chips: int = 2,
    year: int = 2018,
    labels: str | None = "guess",
    probabilities: bool = True,
    bands: Sequence[str] = BANDS,
    seed: int = 1,
) -> World:
    """A corpus with some chips in each of two granules.

    Args:
        folder: of the corpus.
        side: of a chip in pixels; a multiple of 6.
        scenes: number of scenes of each granule.
        chips: of each granule.
        year: of the scenes; from 2019 on, the north-west quarter of every chip is water.
        labels: key of the guess labels; None for none.
        probabilities: whether the probabilities of the guess are published.
        bands: of Sentinel-2; further ones look like the first three, by turns.
        seed: of everything.
    """
    granules = [GranuleId.parse(name) for name in ("32UPA", "33UUR")]
    starts = {
        granules[0]: datetime(year, 1, 10, 10, 30, tzinfo=UTC),
        granules[1]: datetime(year, 1, 20, 10, 30, tzinfo=UTC),
    }
    step = timedelta(days=360 // scenes)
    dates = {granule: [start + number * step for number in range(scenes)] for granule, start in starts.items()}
    steps = tuple(_timestep(date) for date in sorted({date for own in dates.values() for date in own}))
    world = World(folder=folder, truth={}, guess={}, series={}, scl={}, dates={})
    samples = [_sample(granule, number, side) for granule in granules for number in range(chips)]
    products = _products(steps, labels, bands, probabilities=probabilities)
    info = CorpusInfo(
        name="chips",
        version="1.0",
        scheme="granule",
        publication=Publication(title="chips", description="chips", authors=("Author, A.",)),
        products=products,
    )
    store = LocalStore(folder)
    exists = {one.key: np.ones((len(samples), one.slots), np.bool_) for one in products}
    for number, sample in enumerate(samples):
        own = dates[GranuleId.parse(sample.id.tile_name)]
        there = np.array([one.stamp in own for one in steps])
        exists["s2_scenes"][number] = exists["scl"][number] = there
        _write_chip(store, info, sample, own, world, seed + number, changed=year >= 2019)
    for tile in sorted({(str(sample.id.zone), sample.id.tile_name) for sample in samples}):
        entries = [FileEntry.of(item.key, store.get(item.key)) for item in store.list("") if f"/{tile[1]}/" in item.key]
        store.put(f"manifest/{tile[0]}/{tile[1]}.parquet", manifest_bytes(entries))
    store.put("index/samples.parquet", index_bytes(index_table(info, SampleTable.of(samples), {}, exists)))
    store.put("corpus.json", corpus_json(info))
    return world


def _timestep(date: datetime) -> Timestep:
    day = date.replace(hour=0, minute=0)
    return Timestep(stamp=date, name=f"{date:%Y-%m-%d}", period=Period(day, day + timedelta(days=1)))


def _sample(granule: GranuleId, number: int, side: int) -> Sample:
    grid = granule_grid(granule, 10)
    bounds = grid.window(600, 600 + number * side, side, side).bounds
    return Sample(id=ChipId(granule, number), epsg=grid.epsg, bounds=bounds, stratum=str(granule))


def layer(name: str) -> Band:
    return Band(name=name, description=name, resolution=10)


def _products(
    steps: tuple[Timestep, ...], key: str | None, bands: Sequence[str], *, probabilities: bool
) -> tuple[ProductInfo, ...]:
    def row(key: str, folder: str | None, kind: Any, bands: tuple[Band, ...], dtype: str, prefix: str = "") -> Product:
        return Product(
            key=key,
            folder=folder,
            collection="labels" if folder is None else "source_sentinel_2",
            prefix=prefix or key,
            title=key,
            kind=kind,
            bands=bands,
            dtype=dtype,
            resolution=10,
            cadence=None if folder is None else "acquired",
        )

    imagery = row("s2_scenes", "S2-L2A", "imagery", tuple(SENTINEL2[name] for name in bands), "uint16", "s2")
    found = [
        ProductInfo(product=imagery, terms=TERMS, timesteps=steps, acquired=True),
        ProductInfo(
            product=row("scl", "SCL", "quality", (layer("SCL"),), "uint8"), terms=TERMS, timesteps=steps, acquired=True
        ),
    ]
    if key is not None:
        labels = row(key, None, "raster-labels", (layer("class"), layer("confidence")), "uint8", "labels")
        shares = row(
            f"{key}_probabilities",
            None,
            "raster-labels",
            tuple(layer(f"class_{code}") for code in range(1, 8)),
            "uint16",
            "probabilities",
        )
        period = Period(steps[0].period.start, steps[-1].period.end)
        own = taxonomy("landcovernet")
        found.append(ProductInfo(product=labels, terms=TERMS, taxonomy=own, stated_period=period))
        if probabilities:
            found.append(ProductInfo(product=shares, terms=TERMS, stated_period=period))
    return tuple(found)


def _write_chip(
    store: LocalStore,
    info: CorpusInfo,
    sample: Sample,
    dates: list[datetime],
    world: World,
    seed: int,
    *,
    changed: bool,
) -> None:
    rng = np.random.default_rng(seed)
    bands = len(info.product("s2_scenes").product.bands)
    grid, name = sample.grid(10), str(sample.id)
    height, width = grid.shape
    truth = np.asarray(CLASSES, np.uint8)[np.clip(np.arange(width) * 3 // width, 0, 2)][None].repeat(height, axis=0)
    truth = np.ascontiguousarray(np.roll(truth, 4 * seed, axis=1))
    if changed:
        truth[: height // 2, : width // 2] = 1
    wrong = np.zeros(truth.shape, np.bool_)
    wrong[height // 6 : height // 3, width // 6 : -width // 6] = True
    predicted = np.where(wrong, np.roll(truth, width // 3, axis=1), truth).astype(np.uint8)
    world.truth[name], world.guess[name], world.dates[name] = truth, predicted, dates
    series = np.zeros((len(dates), bands, height, width), np.uint16)
    scl = np.full((len(dates), height, width), 4, np.uint8)
    for number, date in enumerate(dates):
        summer = 0.5 - 0.5 * np.cos(2 * np.pi * (date.timetuple().tm_yday - 15) / 365)
        for code, spectrum in SPECTRA.items():
            seen = np.array(spectrum, np.float64)
            if code == 6:
                seen[2] = 1200 + 1000 * summer
            series[number][:, truth == code] = np.resize(seen, bands)[:, None]
        series[number] += rng.integers(0, 60, series[number].shape, dtype=np.uint16)
        top = int(rng.integers(0, height // 2))
        scl[number, top : top + height // 4] = 9
        series[number][:, scl[number] == 9] = 8000
    series[0, :, :, -3:], scl[0, :, -3:] = 0, 0
    world.series[name], world.scl[name] = series, scl
    _put(store, info, sample, world, [f"{date:%Y-%m-%d}" for date in dates], wrong)


def _put(
    store: LocalStore, info: CorpusInfo, sample: Sample, world: World, steps: list[str], wrong: NDArray[np.bool_]
) -> None:
    grid, name = sample.grid(10), str(sample.id)
    scenes, classes = info.product("s2_scenes").product, info.product("scl").product
    for number, step in enumerate(steps):
        for position, band in enumerate(scenes.bands):
            chip = encode_geotiff(world.series[name][number, position][None], grid, nodata=0, bands=[band.name])
            store.put(info.layout.chip(sample.id, scenes, step, band.name), chip)
        chip = encode_geotiff(world.scl[name][number][None], grid, nodata=0, bands=["SCL"])
        store.put(info.layout.chip(sample.id, classes, step, "SCL"), chip)
    if len(info.products) > 2:
        confidence = np.where(wrong, 45, 90).astype(np.uint8)
        layers = np.stack([world.guess[name], confidence])
        store.put(info.layout.raster_label(sample.id, "labels", "1"), encode_geotiff(layers, grid, nodata=0))
        probabilities = np.zeros((7, *grid.shape), np.uint16)
        for code in CLASSES:
            first = np.where(wrong, 4500, 9000)
            probabilities[code - 1] = np.where(world.guess[name] == code, first, (10_000 - first) // 2)
        store.put(info.layout.raster_label(sample.id, "probabilities", "1"), encode_geotiff(probabilities, grid))
