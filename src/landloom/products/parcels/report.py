"""The parcel section of a build's report page: class map, layers, one series, classes, and rejected parcels."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow.parquet as pq

from landloom.corpus.finished import FinishedCorpus
from landloom.engine.pixels.reread import ChipSeries
from landloom.engine.sources.prepared import folder_of
from landloom.errors import MissingKeyError
from landloom.formats.geotiff import decode_geotiff
from landloom.model.rendering.values import Categorical
from landloom.reports import rasters
from landloom.reports.figures import true_colour
from landloom.reports.page import figure, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.corpus.info import ProductInfo
    from landloom.model.sample import Sample
    from landloom.store.protocol import Store

MAPPED: Final = 20_000
"""Maximum number of samples on the class map."""
ACROSS: Final = 1_200
"""Maximum side of the class map in pixels."""
SHOWN: Final = 4
"""Number of samples whose layers are shown."""
DATES: Final = 60
"""Maximum number of dates of the series."""
COLOURS: Final = ("B04", "B03", "B02")


def parcel_parts(store: Store) -> list[str]:
    """The parcel section of a report page; empty if the corpus has no parcels.

    Args:
        store: of the build.
    """
    there = FinishedCorpus.open(store.uri)
    layers = [item for item in there.info.products if item.product.kind == "raster-labels"]
    samples = [sample for part in there.tiles.values() for sample in part]
    if "classes" not in {item.key for item in layers} or not samples:
        return []
    rows = there.info.class_mappings.get("classes", ())
    names = {int(row["code"]): str(row["value"]) for row in rows if row["value"]}
    step = max(len(samples) // MAPPED, 1)
    mosaic, pixels = _mosaic(there, samples[::step])
    chosen = _most_parcels(there, samples)
    shown = {str(one.id): {item.key: _layer(there, one, item) for item in layers} for one in chosen}
    parts = ["<h2>Parcels</h2>"]
    classes = next(item for item in layers if item.key == "classes")
    own = there.info.rendering(classes, "classes")
    if names and isinstance(own, Categorical):
        parts.append(figure(rasters.class_picture(mosaic, own), "Classes on all samples."))
        parts.append(_classes(there, names, pixels))
    drawn = {item.key: there.info.rendering(item, item.product.bands[0].name) for item in layers}
    parts.append(figure(rasters.layer_rows(shown, drawn), "Label layers of the samples with the most parcels."))
    pictures = _series(there, chosen[0])
    if pictures:
        caption = f"Every acquisition of {chosen[0].id} in true colour, with its share of valid pixels."
        parts.append("<h2>One series</h2>" + figure(rasters.small_multiples(pictures), caption))
    return [*parts, _rejected(there)]


def _layer(there: FinishedCorpus, sample: Sample, item: ProductInfo) -> NDArray[Any]:
    key = there.info.layout.raster_label(sample.id, item.product.prefix, item.label_version)
    layer: NDArray[Any] = decode_geotiff(there.store.get(key))[0][0]
    return layer


def _mosaic(there: FinishedCorpus, samples: Sequence[Sample]) -> tuple[NDArray[Any], Counter[int]]:
    """The class rasters of samples in one array, coarsened if it is large; and number of pixels per code."""
    item = there.info.product("classes")
    resolution = float(item.product.resolution or 10)
    bounds = np.array([sample.bounds for sample in samples])
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    step = max(int(np.ceil(max(east - west, north - south) / resolution / ACROSS)), 1)
    shape = (int((north - south) / resolution) // step + 1, int((east - west) / resolution) // step + 1)
    mosaic, pixels = np.full(shape, -1, np.int64), Counter[int]()
    for sample in samples:
        try:
            array = _layer(there, sample, item)
        except MissingKeyError:
            continue
        codes, counts = np.unique(array[np.isfinite(array)], return_counts=True)
        pixels.update(dict(zip(codes.astype(int).tolist(), counts.tolist(), strict=True)))
        top, left = (north - sample.bounds[3]) / resolution / step, (sample.bounds[0] - west) / resolution / step
        part = array[::step, ::step]
        row, column = int(top), int(left)
        height, width = min(part.shape[0], shape[0] - row), min(part.shape[1], shape[1] - column)
        mosaic[row : row + height, column : column + width] = np.nan_to_num(part[:height, :width], nan=-1)
    return mosaic, pixels


def _most_parcels(there: FinishedCorpus, samples: Sequence[Sample]) -> list[Sample]:
    """Some samples, those with the most parcels first."""
    some = samples[:: max(len(samples) // 40, 1)]
    keys = {item.key for item in there.info.products}
    if "ids" not in keys:
        return list(some[:SHOWN])
    item = there.info.product("ids")
    return sorted(some, key=lambda one: (-len(np.unique(_layer(there, one, item))), str(one.id)))[:SHOWN]


def _series(there: FinishedCorpus, sample: Sample) -> list[tuple[str, NDArray[np.uint8], float]]:
    item = next((i for i in there.info.products if {*COLOURS} <= {b.name for b in i.product.bands}), None)
    if item is None or not item.timesteps:
        return []
    tile = next(tile for tile, own in there.tiles.items() if sample in own)
    row = there.tiles[tile].index(sample)
    steps = np.flatnonzero(there.exists([item.key])[tile][item.key][row])
    steps = steps[:: max(len(steps) // DATES, 1)]
    bands = [[band.name for band in item.product.bands].index(name) for name in COLOURS]
    names = [item.timesteps[step].name for step in steps.tolist()]
    mask = next((i for i in there.info.products if i.key.endswith("_valid")), None)
    tiles = there.tiles[sample.tile]

    def read(wanted: ProductInfo) -> NDArray[Any]:
        chips = ChipSeries(there.store, there.info.layout, there.info.layouts, wanted.product, tiles)
        return chips.read(sample, names, [True] * len(names))

    usable, chips = None if mask is None else read(mask), read(item)
    return [
        (name[:10], true_colour(chip, *bands), 1.0 if usable is None else float(usable[place].mean()))
        for place, (name, chip) in enumerate(zip(names, chips, strict=True))
    ]


def _classes(there: FinishedCorpus, names: dict[int, str], pixels: Counter[int]) -> str:
    """Pixels and parcels of each class, the most frequent first."""
    years = {getattr(sample.id, "year", None) for part in there.tiles.values() for sample in part}
    parcels: Counter[int] = Counter()
    for year in years:
        key = f"{folder_of(year)}/table.parquet"
        if there.store.exists(key):
            read = pq.read_table(io.BytesIO(there.store.get(key)), columns=["value"], use_threads=False)
            parcels.update(read.column("value").to_pylist())
    total = sum(count for code, count in pixels.items() if code in names) or 1
    rows = [
        (code, names[code], f"{pixels[code]:,}", f"{pixels[code] / total:.1%}", f"{parcels[code]:,}")
        for code in sorted(names, key=lambda code: (-pixels[code], code))
    ]
    header = ("code", "class", "pixels", "share of labelled", "parcels")
    return table(header, rows, (0, 2, 3, 4))


def _rejected(there: FinishedCorpus) -> str:
    """Number of rejected or repaired parcels by reason."""
    try:
        text = there.store.get(f"resources/{there.info.name}_rejected_parcels.csv").decode()
    except MissingKeyError:
        return ""
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows:
        return '<h2>Rejected parcels</h2><p class="ok">No parcel was rejected or repaired.</p>'
    counts = Counter((row["fate"], _kind(row["reason"])) for row in rows)
    lines = [(fate, reason, f"{count:,}") for (fate, reason), count in counts.most_common(20)]
    return "<h2>Rejected parcels</h2>" + table(("fate", "reason", "parcels"), lines, (2,))


def _kind(reason: str) -> str:
    """A reason without the numbers that differ between parcels."""
    head = reason.split("[", maxsplit=1)[0].strip()
    return head if len(head) < 90 else head[:89] + "…"
