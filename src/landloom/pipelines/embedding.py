"""Write the embeddings of the samples and pixels of a corpus into it, with lineage."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.corpus.embedding_set import EmbeddingSet, embedding_set_key
from landloom.corpus.info import ProductInfo, software
from landloom.corpus.root import root_of
from landloom.corpus.split_set import samples_digest
from landloom.engine.run import Silent
from landloom.errors import CorpusError
from landloom.formats.geotiff import encode_geotiff
from landloom.model.grid import Grid
from landloom.model.product import Product
from landloom.model.sensor import Band
from landloom.publication.raster_labels import AddedRasters, add_rasters, next_version, same_lineage
from landloom.query.corpus import Corpus
from landloom.store.open import open_store
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.fit.reading import places_of
from landloom.training.pretrain.embedder import open_embedder
from landloom.training.pretrain.reading import joined_series, mean_series, pixel_series, samples

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.engine.run import Listener
    from landloom.publication.raster_labels import RasterVersion
    from landloom.training.pretrain.embedder import Embedder

NAME: Final = "embeddings"
"""Start of the keys of products of pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedReport:
    """Result of embedding."""

    name: str
    path: str
    """Path of the embedding set in the corpus."""
    samples: int
    """Samples with an embedding."""
    width: int
    digest: str
    changed: bool
    """False if the same embeddings were there already."""
    left_out: Mapping[str, str]
    """Sample without one → why."""
    product: str | None
    """Key of the embeddings of pixels; None if they were not asked for."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def embed_corpus(
    encoder: str | Path,
    corpus: str,
    name: str = "masked",
    *,
    pixels: bool = False,
    replace: bool = False,
    listener: Listener | None = None,
) -> EmbedReport:
    """Write embeddings of all samples of a corpus into it, with lineage.

    A sample's embedding is that of the series of means over its valid pixels.

    Args:
        encoder: its folder.
        corpus: folder or address that can be written to.
        name: of the embedding set; the file is `embeddings/NAME.parquet`.
        pixels: whether those of all pixels are added as a product `embeddings`, too; on a local disk only.
        replace: whether an embedding set of this name with other content is replaced.
        listener: receives progress.

    Raises:
        CorpusError: there is an embedding set of this name with other content; no encoder.
        NotFoundError: no such corpus, or one without the product or bands of the encoder.
    """
    key, opened, shown = embedding_set_key(name), Corpus.open(corpus), listener or Silent()
    found = open_embedder(encoder)
    dataset = CorpusDataset(opened.query(), found.product, bands=found.bands, missing="drop")
    places = places_of(dataset)
    shown.started("embedding", len(dataset))
    series, rasters, names = [], {}, []
    for number, (identity, image, dates, valid) in enumerate(samples(dataset)):
        series.append(mean_series(image, dates, valid))
        names.append(identity)
        if pixels:
            own = pixel_series(image, dates, valid)
            rasters[identity] = _raster(dataset, number, found.embed(own, np.tile(places[number], (len(own), 1))))
        shown.advanced(identity, None)
    vectors = found.embed(joined_series(series), places)
    left_out = dict(dataset.left_out) | {
        identity: "no valid pixel" for identity, seen in zip(names, ~np.isnan(vectors[:, 0]), strict=True) if not seen
    }
    ids = opened.sidecar.texts(np.arange(len(opened), dtype=np.int32))
    whole = np.full((len(opened), vectors.shape[1]), np.nan, np.float32)
    whole[opened.sidecar.rows_of_ids(names)] = vectors
    made_of = _lineage(opened, found, left_out)
    content = EmbeddingSet(vectors=whole, samples=samples_digest(ids), lineage=made_of)
    changed = _put(corpus, opened, key, content.encoded(ids), replace=replace)
    version = _add_pixels(corpus, opened, found, rasters, made_of, vectors.shape[1]) if pixels else None
    return EmbedReport(
        name=name,
        path=key,
        samples=len(opened) - len(left_out),
        width=vectors.shape[1],
        digest=content.digest,
        changed=changed,
        left_out=left_out,
        product=None if version is None else version.key(),
    )


def _raster(dataset: CorpusDataset, number: int, vectors: NDArray[np.float32]) -> bytes:
    """A GeoTIFF with a band for each number of the embeddings of a sample's pixels; NaN where nothing was seen."""
    images, there = dataset.plan.series[0], dataset.plan.samples
    west, south, east, north = there.bounds[number].tolist()
    grid = Grid.of_bounds(int(there.epsg[number]), (west, south, east, north), images.resolution)
    array = np.ascontiguousarray(vectors.T).reshape(-1, *grid.shape)
    return encode_geotiff(array, grid, nodata=float("nan"), bands=_bands(len(array)))


def _bands(width: int) -> list[str]:
    return [f"e{number:03d}" for number in range(width)]


def _put(corpus: str, opened: Corpus, key: str, content: bytes, *, replace: bool) -> bool:
    """Write the embedding set; False if it is there already."""
    store = open_store(opened.base.rstrip("/"))
    there = store.get(key) if store.exists(key) else None
    if there is not None and there != content and not replace:
        raise CorpusError(f"{corpus}: has other embeddings as {key} already; choose another name, or --replace them")
    if there != content:
        store.put(key, content)
    return there != content


def _lineage(opened: Corpus, found: Embedder, left_out: Mapping[str, str]) -> dict[str, Any]:
    """Where embeddings come from, as JSON values."""
    root = root_of(open_store(opened.base.rstrip("/")))
    item = opened.info.product(found.product)
    return {
        "encoder": dict(found.lineage),
        "corpus": {"name": opened.name, "version": opened.version, "digest": "" if root is None else root.digest},
        "product": found.product,
        "bands": list(found.bands),
        "timesteps": [str(step) for step in item.timesteps],
        "left_out": dict(sorted(left_out.items())),
        "software": software(),
    }


def _add_pixels(
    corpus: str,
    opened: Corpus,
    found: Embedder,
    rasters: Mapping[str, bytes],
    made_of: Mapping[str, Any],
    width: int,
) -> RasterVersion:
    """Add the embeddings of pixels as a product; the same ones are not added again."""
    # Adding a product changes the digest of the corpus, but not the images that embeddings are made of.
    stated = {name: value for name, value in made_of.items() if name != "corpus"}
    origin = orjson.dumps(stated, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    same = same_lineage(corpus, NAME, origin)
    if same is not None:
        return same
    version = next_version(opened.info, NAME)
    images = opened.info.product(found.product)
    resolution = float(images.product.resolution or 10)
    bands = tuple(
        Band(name=name, description=f"Number {name[1:]} of the embedding", resolution=resolution)
        for name in _bands(width)
    )
    product = Product(
        key=version.key(),
        folder=None,
        collection=version.collection,
        prefix=NAME,
        title=f"Embeddings of pixels by {found.title}",
        kind="raster-labels",
        bands=bands,
        resolution=resolution,
        dtype="float32",
        nodata=float("nan"),
    )
    item = ProductInfo(
        product=product, terms=images.terms, stated_period=images.period, label_version=str(version.number)
    )
    encoded = {identity: {item.key: content} for identity, content in rasters.items()}
    add_rasters(corpus, AddedRasters(version=version, products=(item,), rasters=encoded, mappings={}, lineage=origin))
    return version
