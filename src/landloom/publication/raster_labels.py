"""Labels made after a build, such as a consensus: added to a corpus as a new label version, and kept by builds.

They are rasters, class fractions of samples, or both. Copies of the files are kept in the state folder, because a build
removes files that are not of its plan.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import orjson
import pyarrow as pa

from landloom.corpus.documents import corpus_json, parse_corpus_json
from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.layout import CORPUS
from landloom.corpus.manifest import FileEntry
from landloom.engine.context import build_context
from landloom.engine.sources.label_files import LabelFiles
from landloom.errors import CorpusError, InvalidValueError, LandloomError, MissingKeyError, Problem
from landloom.formats.parquet import decode_parquet, encode_parquet
from landloom.publication.files import CorpusWriter
from landloom.publication.relisting import relist
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.model.sample import Sample
    from landloom.store.protocol import Store

FOLDER: Final = ".landloom/added-rasters"
"""Folder of copies of added rasters: a numbered folder for each addition."""
_DOCUMENT: Final = "addition.json"
_ROWS: Final = "mappings.json"
_FRACTIONS: Final = "fractions"
"""Folder of tables of class fractions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterVersion:
    """Names of a version of added rasters.

    Example:
        >>> RasterVersion(name="consensus", number=2).key("posterior"), RasterVersion(name="consensus", number=1).key()
        ('consensus_v2_posterior', 'consensus')
    """

    name: str
    """Of the first product, and start of the keys of all others."""
    number: int
    """From 1."""

    @property
    def collection(self) -> str:
        """STAC collection of all its products."""
        return self.key()

    def key(self, layer: str = "") -> str:
        """Key of a product: of the main one, or of a further layer."""
        base = self.name if self.number == 1 else f"{self.name}_v{self.number}"
        return f"{base}_{layer}" if layer else base


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedRasters:
    """Raster labels for some samples of a corpus."""

    version: RasterVersion
    products: tuple[ProductInfo, ...]
    """Without timesteps; all with this label version."""
    rasters: Mapping[str, Mapping[str, bytes]]
    """Id of a sample → key of a product → GeoTIFF."""
    mappings: Mapping[str, Sequence[Mapping[str, str | int]]]
    """Product → its classes, where they are not those of a taxonomy."""
    lineage: bytes
    """JSON document: where the labels come from."""
    fractions: Mapping[str, Mapping[str, Sequence[int]]] = field(default_factory=dict)
    """Key of a product of fractions → id of a sample → millionths of each class, in the order of its taxonomy."""

    def __post_init__(self) -> None:
        shares = {item.key for item in self.products if item.product.kind == "labels"}
        keys = {item.key for item in self.products} - shares
        if self.version.key() not in keys | shares or not all(set(own) == keys for own in self.rasters.values()):
            raise InvalidValueError(f"{self.version.key()}: got rasters of some products only, expected {sorted(keys)}")
        if set(self.fractions) != shares:
            raise InvalidValueError(f"got fractions of {sorted(self.fractions)}, expected those of {sorted(shares)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RastersReport:
    """Result of adding rasters."""

    product: str
    """Key of the main product."""
    version: str
    samples: int
    """Samples with rasters."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def raster_versions(info: CorpusInfo, name: str) -> list[RasterVersion]:
    """Versions in a corpus under a name, oldest first."""
    known = {item.key for item in info.products}
    found: list[RasterVersion] = []
    while (one := RasterVersion(name=name, number=len(found) + 1)).key() in known:
        found.append(one)
    return found


def next_version(info: CorpusInfo, name: str) -> RasterVersion:
    """The version that would be added next."""
    return RasterVersion(name=name, number=len(raster_versions(info, name)) + 1)


def same_lineage(corpus: str | Path, name: str, lineage: bytes) -> RasterVersion | None:
    """The newest version under a name, if it has this lineage: the same labels from the same answers."""
    there = FinishedCorpus.open(str(require_local(corpus)))
    newest = raster_versions(there.info, name)[-1:]
    return next((one for one in newest if lineage_of(there, one) == lineage), None)


def lineage_of(there: FinishedCorpus, version: RasterVersion) -> bytes | None:
    """The lineage document of a version in a corpus; None if it has none."""
    key = _lineage(there.info, version.key())
    return there.store.get(key) if there.store.exists(key) else None


def require_local(corpus: str | Path) -> Path:
    """The folder of a finished corpus on this machine.

    Raises:
        CorpusError: it is none.
    """
    folder = Path(corpus)
    if not (folder / CORPUS).is_file():
        raise CorpusError(f"{corpus}: is not a finished corpus; labels can only be added on a local disk")
    return folder


def add_rasters(corpus: str | Path, rasters: AddedRasters) -> RastersReport:
    """Add raster labels to a corpus; later builds keep them.

    Args:
        corpus: folder of the corpus.
        rasters: of the next version.

    Raises:
        CorpusError: there is no corpus, or the version is not the next one.
        InvalidValueError: a sample is not in the corpus.
    """
    folder = require_local(corpus)
    with build_context(folder) as context:
        there = FinishedCorpus.open(str(folder))
        known = raster_versions(there.info, rasters.version.name)
        if rasters.version.number != len(known) + 1:
            raise CorpusError(f"{folder}: got version {rasters.version.number}, expected {len(known) + 1}")
        named = set(rasters.rasters).union(*rasters.fractions.values())
        unknown = sorted(named - {str(one.id) for own in there.tiles.values() for one in own})
        if unknown:
            raise InvalidValueError(f"{unknown[0]}: no sample of {there.info.name}")
        addition = _Addition.keep(context.store, there, rasters)
        addition.publish(there, context.store)
    return RastersReport(
        product=rasters.version.key(),
        version=str(rasters.version.number),
        samples=len(named),
    )


def restore_rasters(folder: Path) -> tuple[list[str], list[Problem]]:
    """Bring back into a corpus that was built anew what `add_rasters` had brought in; samples that are gone stay out.

    Returns:
        Keys of the main products that are back; a problem for each that cannot be had.
    """
    store, back, problems = open_store(str(folder)), [], []
    for number in _numbers(store):
        with build_context(folder) as context:
            there = FinishedCorpus.open(str(folder))
            try:
                addition = _Addition.read(store, number)
                if addition.key not in {item.key for item in there.info.products}:
                    addition.publish(there, context.store)
                    back.append(addition.key)
            except LandloomError as error:
                problems.append(Problem(where=f"{FOLDER}/{number}", what=str(error)))
    return back, problems


def _numbers(store: Store) -> list[str]:
    ends = (entry.key.split("/")[-2:] for entry in store.list(FOLDER))
    return sorted(number for number, name in ends if name == _DOCUMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Addition:
    """What one call added, as kept in the state folder."""

    number: str
    key: str
    info: CorpusInfo
    """A corpus of the added products alone."""
    samples: frozenset[str]
    """With rasters."""
    mappings: Mapping[str, Sequence[Mapping[str, str | int]]]
    fractions: Mapping[str, Mapping[str, Sequence[int]]]

    @classmethod
    def keep(cls, store: Store, there: FinishedCorpus, rasters: AddedRasters) -> Self:
        """Write copies of all files; the document comes last."""
        number = f"{len(_numbers(store)) + 1:04d}"
        base = f"{FOLDER}/{number}"
        info = replace(there.info, products=rasters.products, recipe={}, class_mappings={}, crosswalks=())
        tiles = {str(one.id): one for own in there.tiles.values() for one in own}
        for name, own in rasters.rasters.items():
            for item in (one for one in rasters.products if one.key in own):
                store.put(f"{base}/{_path(info, item, tiles[name])}", own[item.key])
        for key, rows in rasters.fractions.items():
            store.put(f"{base}/{_FRACTIONS}/{key}.parquet", _table_of(rows))
        key = rasters.version.key()
        store.put(f"{base}/{_lineage(info, key)}", rasters.lineage)
        store.put(f"{base}/{_ROWS}", orjson.dumps({"key": key, "mappings": rasters.mappings}))
        store.put(f"{base}/{_DOCUMENT}", corpus_json(info))
        return cls(
            number=number,
            key=key,
            info=info,
            samples=frozenset(rasters.rasters),
            mappings=rasters.mappings,
            fractions=rasters.fractions,
        )

    @classmethod
    def read(cls, store: Store, number: str) -> Self:
        """Read one back.

        Raises:
            CorpusError: files of it are missing.
        """
        base = f"{FOLDER}/{number}"
        try:
            info, rows = parse_corpus_json(store.get(f"{base}/{_DOCUMENT}")), orjson.loads(store.get(f"{base}/{_ROWS}"))
        except MissingKeyError as error:
            raise CorpusError(f"{base}: labels that were added cannot be read: {error}") from error
        labels = (entry.key.split("/") for entry in store.list(f"{base}/labels"))
        samples = frozenset(parts[-2] for parts in labels)
        tables = {
            entry.key.rpartition("/")[2].removesuffix(".parquet"): _rows_of(store.get(entry.key))
            for entry in store.list(f"{base}/{_FRACTIONS}")
        }
        return cls(
            number=number,
            key=rows["key"],
            info=info,
            samples=samples,
            mappings=rows["mappings"],
            fractions=tables,
        )

    def publish(self, there: FinishedCorpus, store: Store) -> None:
        """Add the products to the corpus."""
        mappings = {**there.info.class_mappings, **self.mappings}
        info = replace(there.info, products=(*there.info.products, *self.info.products), class_mappings=mappings)
        base, writer = f"{FOLDER}/{self.number}", CorpusWriter(info=info, store=store)
        rasters = [item for item in self.info.products if item.key not in self.fractions]
        shares = {
            key: {tile: self._millionths(key, samples) for tile, samples in there.tiles.items()}
            for key in self.fractions
        }

        def write(tile: str, samples: Sequence[Sample]) -> list[FileEntry]:
            made = []
            for sample in samples:
                for item in rasters if str(sample.id) in self.samples else ():
                    path = _path(self.info, item, sample)
                    data = store.get(f"{base}/{path}")
                    store.put(path, data)
                    made.append(FileEntry.of(path, data))
            for key, rows in self.fractions.items():
                made += _write_fractions(info, key, samples, rows, shares[key][tile], store)
            return made

        exists = {
            tile: {
                item.key: np.array(
                    [[str(sample.id) in self.fractions.get(item.key, self.samples)] for sample in samples], np.bool_
                )
                for item in self.info.products
            }
            for tile, samples in there.tiles.items()
        }
        lineage = _lineage(self.info, self.key)
        writer.put("", lineage, store.get(f"{base}/{lineage}"))
        relist(there, writer, exists, write, shares)

    def _millionths(self, key: str, samples: Sequence[Sample]) -> NDArray[np.int32]:
        """(sample, class) of a product of fractions; 0 of samples without any."""
        taxonomy = self.info.product(key).taxonomy
        nothing = np.zeros(0 if taxonomy is None else len(taxonomy.codes()), np.int32)
        rows = self.fractions[key]
        return np.array([rows.get(str(sample.id), nothing) for sample in samples], np.int32)


def _write_fractions(
    info: CorpusInfo,
    key: str,
    samples: Sequence[Sample],
    rows: Mapping[str, Sequence[int]],
    millionths: NDArray[np.int32],
    store: Store,
) -> list[FileEntry]:
    """Write the label files of a tile: of the samples that have fractions."""
    item = info.product(key)
    there = [number for number, sample in enumerate(samples) if str(sample.id) in rows]
    files = LabelFiles(
        layout=info.layout,
        product=item.product,
        columns=() if item.taxonomy is None else item.taxonomy.columns(),
        samples=tuple(samples[number] for number in there),
    )
    return files.write(store, millionths[there].astype(np.int64)) if there else []


def _table_of(rows: Mapping[str, Sequence[int]]) -> bytes:
    """Fractions as a Parquet file."""
    values = pa.array([list(own) for own in rows.values()], pa.list_(pa.int32()))
    return encode_parquet(pa.table({"id": pa.array(list(rows), pa.string()), "millionths": values}))


def _rows_of(content: bytes) -> dict[str, list[int]]:
    table = decode_parquet(content)
    return dict(zip(table.column("id").to_pylist(), table.column("millionths").to_pylist(), strict=True))


def _path(info: CorpusInfo, item: ProductInfo, sample: Sample) -> str:
    return info.layout.raster_label(sample.id, item.product.prefix, item.label_version, item.product.suffix)


def _lineage(info: CorpusInfo, key: str) -> str:
    return f"resources/{info.name}_{key}_lineage.json"
