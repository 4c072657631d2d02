"""Change between two versions of raster labels of a corpus, pixel by pixel, added to it as masks with lineage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.info import ProductInfo, software
from landloom.errors import InvalidInputError
from landloom.formats.chip_tags import classes_of
from landloom.formats.geotiff import decode_geotiff, encode_geotiff
from landloom.labels.change import CHANGED, STABLE, change_mask, transition_counts
from landloom.model.product import Product
from landloom.model.recipe import Terms
from landloom.model.rendering import known
from landloom.model.sensor import Band
from landloom.publication.label_change import LabelChangeReport
from landloom.publication.raster_labels import (
    AddedRasters,
    RasterVersion,
    add_rasters,
    next_version,
    require_local,
    same_lineage,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.model.sample import Sample

NAME: Final = "label_change"
"""Key of the masks."""
_CLASS: Final = "class"
_ROWS: Final[tuple[dict[str, str | int], ...]] = (
    {"value": "stable", "code": STABLE, "role": "class"},
    {"value": "changed", "code": CHANGED, "role": "class"},
)


def is_dense(info: CorpusInfo, key: str) -> bool:
    """Whether a product is a map of classes: raster labels whose first band is `class`."""
    item = next((one for one in info.products if one.key == key), None)
    return item is not None and item.product.kind == "raster-labels" and item.product.bands[0].name == _CLASS


def add_mask_change(corpus: str | Path, before: str, after: str) -> LabelChangeReport:
    """Compare two maps of classes of a corpus, and add a mask of each sample that has both: 1 stable, 2 changed.

    Bands are the mask and the classes before and after. The lineage holds the counted transitions of the corpus and of
    every sample; samples without one of the maps are named in it.

    Args:
        corpus: folder of a finished corpus.
        before: key of the raster labels of the earlier date.
        after: of the later date.

    Raises:
        CorpusError: there is no corpus on a local disk.
        InvalidInputError: the same product twice, other classes or pixels, or no sample with both.
        NotFoundError: no such product.
    """
    require_local(corpus)
    there = FinishedCorpus.open(str(corpus))
    first, second = there.info.product(before), there.info.product(after)
    _require_comparable(there.info, first, second)
    version = next_version(there.info, NAME)
    products = (_product(there.info, version, first, second),)
    rasters, counts, left_out = {}, {}, []
    for sample in (one for own in there.tiles.values() for one in own):
        pair = [_map(there, item, sample) for item in (first, second)]
        if pair[0] is None or pair[1] is None:
            left_out.append(str(sample.id))
            continue
        (old, grid), (new, other) = pair[0], pair[1]
        if grid != other:
            raise InvalidInputError(f"{sample.id}: got {before} on {grid} and {after} on {other}, expected one grid")
        mask = np.stack([change_mask(old, new), old, new]).astype(first.product.dtype)
        bands = [band.name for band in products[0].product.bands]
        data = encode_geotiff(mask, grid, nodata=0, bands=bands, classes=classes_of(products[0].product.bands))
        rasters[str(sample.id)] = {version.key(): data}
        codes = np.unique(np.concatenate([old[old > 0], new[new > 0]]))
        counts[str(sample.id)] = (codes, transition_counts(old, new, codes), old.size)
    if not rasters:
        raise InvalidInputError(f"got no sample with {before} and {after}, expected some")
    told = _told(counts)
    origin = _lineage(first, second, told, counts, left_out)
    same = same_lineage(corpus, NAME, origin)
    if same is None:
        rows = {version.key(): list(_ROWS)}
        add_rasters(
            corpus, AddedRasters(version=version, products=products, rasters=rasters, mappings=rows, lineage=origin)
        )
    return LabelChangeReport(
        product=(same or version).key(),
        before=before,
        after=after,
        added=same is None,
        change=told,
        changed=sum(int(found.sum() - np.trace(found)) > 0 for _, found, _ in counts.values()),
    )


def _require_comparable(info: CorpusInfo, first: ProductInfo, second: ProductInfo) -> None:
    if first.key == second.key:
        raise InvalidInputError(f"got {first.key!r} twice, expected two versions of labels")
    for item in (first, second):
        if not is_dense(info, item.key):
            raise InvalidInputError(f"{item.key}: got no map of classes, expected raster labels with a band `class`")
    classes = [
        (item.taxonomy.name if item.taxonomy else None, [dict(row) for row in info.class_mappings.get(item.key, ())])
        for item in (first, second)
    ]
    if classes[0] != classes[1]:
        raise InvalidInputError(f"got {first.key} and {second.key} with different classes, expected the same")


def _product(info: CorpusInfo, version: RasterVersion, first: ProductInfo, second: ProductInfo) -> ProductInfo:
    old, new = (info.rendering(item, item.product.bands[0].name) for item in (first, second))
    resolution = float(first.product.resolution or 10)
    bands = (
        Band(
            name=_CLASS,
            description="1 stable, 2 changed, 0 without a label",
            resolution=resolution,
            rendering=known.CHANGED,
        ),
        Band(name="before", description=f"Class in {first.key}", resolution=resolution, rendering=old),
        Band(name="after", description=f"Class in {second.key}", resolution=resolution, rendering=new),
    )
    row = Product(
        key=version.key(),
        folder=None,
        collection=version.collection,
        prefix=NAME,
        title=f"Change from {first.key} to {second.key}",
        kind="raster-labels",
        bands=bands,
        resolution=resolution,
        dtype=first.product.dtype,
        nodata=0,
    )
    terms = Terms(licence=first.terms.licence, licence_url=first.terms.licence_url, attribution=first.terms.attribution)
    return ProductInfo(product=row, terms=terms, stated_period=first.period, label_version=str(version.number))


def _map(there: FinishedCorpus, item: ProductInfo, sample: Sample) -> tuple[NDArray[Any], Any] | None:
    """Classes of a sample and their grid; None if it has no such map."""
    key = there.info.layout.raster_label(sample.id, item.product.prefix, item.label_version, item.product.suffix)
    if not there.store.exists(key):
        return None
    array, grid, _ = decode_geotiff(there.store.get(key))
    return array[0], grid


def _told(counts: dict[str, tuple[NDArray[Any], NDArray[np.int64], int]]) -> dict[str, Any]:
    """Shares and transitions of all compared samples."""
    pixels = sum(size for _, _, size in counts.values())
    total: dict[tuple[int, int], int] = {}
    for codes, found, _ in counts.values():
        for i, j in zip(*np.nonzero(found), strict=True):
            pair = int(codes[i]), int(codes[j])
            total[pair] = total.get(pair, 0) + int(found[i, j])
    stable = sum(number for (old, new), number in total.items() if old == new)
    known = sum(total.values())
    moved = sorted((-number, old, new) for (old, new), number in total.items() if old != new)
    return {
        "exact": True,
        "samples": len(counts),
        "shares": {
            "stable": round(stable / pixels, 9),
            "changed": round((known - stable) / pixels, 9),
            "unknown": round(1 - known / pixels, 9),
        },
        "transitions": [
            {"from": str(old), "to": str(new), "share": round(-number / pixels, 9)} for number, old, new in moved
        ],
    }


def _lineage(
    first: ProductInfo,
    second: ProductInfo,
    told: dict[str, Any],
    counts: dict[str, tuple[NDArray[Any], NDArray[np.int64], int]],
    left_out: list[str],
) -> bytes:
    samples = {
        name: [[int(codes[i]), int(codes[j]), int(found[i, j])] for i, j in zip(*np.nonzero(found), strict=True)]
        for name, (codes, found, _) in counts.items()
    }
    document = {
        "before": {"product": first.key, "version": first.label_version},
        "after": {"product": second.key, "version": second.label_version},
        "method": "counted pixel by pixel",
        "corpus": told,
        "samples": samples,
        "without both": left_out,
        "software": software(),
    }
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
