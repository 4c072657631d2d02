"""What a model says about where it comes from: its classes, and digests of what it was trained on."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.corpus.documents import parse_corpus_json
from landloom.corpus.layout import CORPUS
from landloom.corpus.manifest import read_manifest
from landloom.corpus.root import MANIFESTS, root_of
from landloom.corpus.split_set import samples_digest
from landloom.errors import MissingKeyError
from landloom.store.open import open_store
from landloom.training.datasets.classes import ClassTable
from landloom.training.fit.folder import ModelClass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.query.corpus import Corpus
    from landloom.training.datasets.targets import Target


def model_classes(info: CorpusInfo, target: Target) -> tuple[tuple[ModelClass, ...], dict[str, Any]]:
    """The classes of a target with their codes in rasters, and name, prefix and nodata code of their taxonomy.

    Args:
        info: the corpus.
        target: of classes.
    """
    item = target.item(info)
    table = ClassTable.of(info, item, level=target.level, walk=target.crosswalk, background=target.background)
    if item.taxonomy is None:
        codes = {place: code for code, place in sorted(table.codes.items(), reverse=True) if place >= 0}
        taken = set(table.codes)
        unused = next(code for code in range(len(taken) + 1) if code not in taken)
        classes = tuple(ModelClass(key=key, code=codes[place], name=key) for place, key in enumerate(table.names))
        key = item.key
        return classes, {"name": f"{key}_classes", "prefix": key, "nodata": str(unused)}
    own = item.taxonomy
    if target.crosswalk is not None:
        from landloom.model.taxonomy import taxonomy  # noqa: PLC0415 - most targets need no other taxonomy

        walks = (one.target for one in info.crosswalks if one.target.name == target.crosswalk)
        own = next(walks, None) or taxonomy(target.crosswalk)
    level = None if target.level == own.levels else target.level
    codes_of = {own.column(code): code for code in own.codes(level)}
    classes = tuple(
        ModelClass(key=key, code=int(codes_of[key]), name=own.land_class(codes_of[key], level).name)
        for key in table.names
    )
    if level is None:
        return classes, {"name": own.name, "prefix": own.prefix, "nodata": own.nodata}
    nodata = (*own.land_class(own.nodata).parents, own.nodata)[level - 1]
    return classes, {"name": f"{own.name}_level{level}", "prefix": f"{own.prefix}_l{level}", "nodata": nodata}


def corpus_digests(corpus: Corpus, product: str, target: ProductInfo | None) -> dict[str, str]:
    """Name and version of a corpus, its root digest, and digests of its samples and of the data of some products.

    The last covers the samples, the files of the images and the labels used, by their manifests, and so does not
    change when other labels are added to the corpus.

    Args:
        corpus: the corpus.
        product: key of the images.
        target: label product, if any.
    """
    store = open_store(corpus.base.rstrip("/"))
    root = root_of(store)
    sidecar = corpus.sidecar
    rows = np.arange(len(sidecar), dtype=np.int32)
    named = f"{corpus.name} {corpus.version} {samples_digest(sidecar.texts(rows))}"
    total = hashlib.sha256(f"{named}\n".encode())
    keys = [product, *([] if target is None else [target.key])]
    described = [_described(corpus.info.product(key)) for key in keys]
    total.update(json.dumps(described, sort_keys=True).encode())
    for key in keys:
        if sidecar.has_availability(key):
            codes, patterns = sidecar.availability(key)
            total.update(patterns.tobytes() if codes is None else patterns[codes].tobytes())
    if target is not None and target.product.kind == "labels":
        for name in corpus.info.label_columns[target.key]:
            total.update(sidecar.column(name).tobytes() if name in sidecar.columns else b"0")
    for line in _files(corpus, keys, () if root is None else tuple(root.files)):
        total.update(line.encode())
    return {
        "name": corpus.name,
        "version": corpus.version,
        "digest": "" if root is None else root.digest,
        "samples": hashlib.sha256(named.encode()).hexdigest(),
        "data": total.hexdigest(),
    }


def _described(item: ProductInfo) -> dict[str, Any]:
    row = item.product
    bands = [band.name for band in row.bands]
    return {"key": item.key, "bands": bands, "dtype": row.dtype, "timesteps": [str(step) for step in item.timesteps]}


def _files(corpus: Corpus, keys: list[str], named: tuple[str, ...]) -> Iterator[str]:
    """Path and digest of every file of some products, as manifests list them."""
    store = open_store(corpus.base.rstrip("/"))
    try:
        info = parse_corpus_json(store.get(CORPUS))
    except MissingKeyError:  # a published index without the documents of a corpus
        return
    folders, ends = set(), set()
    for item in (info.product(key) for key in keys):
        if item.product.folder is not None:
            folders |= {item.product.folder, f"{item.product.folder}.zarr"}
        elif item.product.kind == "raster-labels":
            ends.add(f"/{item.product.prefix}-{item.label_version}.{item.product.suffix}")
    for key in sorted(name for name in named if name.startswith(f"{MANIFESTS}/")):
        for entry in read_manifest(store.get(key), key):
            if not folders.isdisjoint(entry.path.split("/")) or entry.path.endswith(tuple(ends) or ("\0",)):
                yield f"{entry.path}\0{entry.sha256}\n"
