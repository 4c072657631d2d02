"""Change between two label versions of a corpus, added to it as labels: fractions that queries see, and masks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.info import ProductInfo, software
from landloom.engine.context import build_context
from landloom.engine.sources.label_files import LabelFiles
from landloom.errors import InvalidInputError, LandloomError, NotFoundError, Problem
from landloom.labels.change import CHANGE, change_of_fractions
from landloom.model.product import product
from landloom.model.recipe import Terms
from landloom.publication.files import CorpusWriter
from landloom.publication.raster_labels import require_local
from landloom.publication.relisting import fractions_of, relist
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.corpus.manifest import FileEntry
    from landloom.labels.change import LabelChange
    from landloom.model.sample import Sample
    from landloom.store.protocol import Store

KEY: Final = "labels_change"
"""Key of the product, and of its further versions before `_v2`, …"""
FOLDER: Final = ".landloom/label-changes"
"""What was compared, in order, so that later builds compare it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChangeReport:
    """Result of comparing two label versions."""

    product: str
    """Key of the product of change fractions."""
    before: str
    after: str
    added: bool
    """False if the corpus had the same change already."""
    change: dict[str, Any]
    """Shares and transitions of the corpus."""
    changed: int
    """Samples of which any part has changed."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def add_label_change(corpus: str | Path, before: str, after: str) -> LabelChangeReport:
    """Compare two label products of a corpus, and add the change of each sample as a label product; builds keep it.

    Its lineage, `resources/NAME_KEY_lineage.json`, holds the transitions of the corpus and of every sample.

    Args:
        corpus: folder of a finished corpus.
        before: key of the label product of the earlier date.
        after: of the later date.

    Raises:
        CorpusError: there is no corpus on a local disk.
        NotFoundError: no such label product.
        InvalidInputError: the same product twice, or two taxonomies.
    """
    folder = require_local(corpus)
    with build_context(folder) as context:
        there = FinishedCorpus.open(str(folder))
        found, tables, origin = _compared(there, before, after)
        key, added = _same(there, origin), False
        if key is None:
            key, added = _next(there.info), True
            document = orjson.dumps({"before": before, "after": after})
            context.store.put(f"{FOLDER}/{key}.json", document)
            _publish(there, context.store, key, before, tables, origin)
    return LabelChangeReport(
        product=key,
        before=before,
        after=after,
        added=added,
        change=found.document(),
        changed=int((found.fractions[:, 1] > 0).sum()),
    )


def restore_label_changes(folder: Path) -> tuple[list[str], list[Problem]]:
    """Bring back into a corpus that was built anew what `add_label_change` had added, from its labels of today.

    Returns:
        Keys of the products that are back; a problem for each that cannot be had.
    """
    store, back, problems = open_store(str(folder)), [], []
    for key in sorted(entry.key for entry in store.list(FOLDER)):
        kept = orjson.loads(store.get(key))
        name = key.rsplit("/", 1)[-1].removesuffix(".json")
        try:
            with build_context(folder) as context:
                there = FinishedCorpus.open(str(folder))
                if name in {item.key for item in there.info.labels}:
                    continue
                _, tables, origin = _compared(there, kept["before"], kept["after"])
                _publish(there, context.store, name, kept["before"], tables, origin)
                back.append(name)
        except LandloomError as error:
            problems.append(Problem(where=name, what=str(error)))
    return back, problems


def _compared(
    there: FinishedCorpus, before: str, after: str
) -> tuple[LabelChange, dict[str, NDArray[np.int64]], bytes]:
    """The change of all samples; tile → its fractions; lineage."""
    known = {item.key: item for item in there.info.labels}
    for key in (before, after):
        if key not in known:
            raise NotFoundError.of("label product", key, known)
    first, second = known[before].taxonomy, known[after].taxonomy
    if before == after or first is None or second is None:
        raise InvalidInputError(f"got {before!r} twice, expected two versions of labels")
    if first.codes() != second.codes() or first.name != second.name:
        raise InvalidInputError(f"got labels of {first.name} and of {second.name}, expected one taxonomy")
    old, new = fractions_of(there, before), fractions_of(there, after)
    found = change_of_fractions(
        np.concatenate([old[tile] for tile in there.tiles]), np.concatenate([new[tile] for tile in there.tiles]), first
    )
    ends = np.cumsum([len(own) for own in there.tiles.values()])
    parts = np.split(found.fractions, ends[:-1])
    names = [str(sample.id) for own in there.tiles.values() for sample in own]
    codes = first.codes()
    own = {
        name: [[codes[i], codes[j], round(float(matrix[i, j]), 6)] for i, j in zip(*np.nonzero(matrix), strict=True)]
        for name, matrix in zip(names, found.transitions, strict=True)
    }
    document = {
        "before": {"product": before, "version": known[before].label_version},
        "after": {"product": after, "version": known[after].label_version},
        "method": "least change that explains both, losses spread over gains in proportion",
        "corpus": found.document(),
        "samples": own,
        "software": software(),
    }
    origin = orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    return found, dict(zip(there.tiles, parts, strict=True)), origin


def _next(info: CorpusInfo) -> str:
    known, number, key = {item.key for item in info.products}, 1, KEY
    while key in known:
        number += 1
        key = f"{KEY}_v{number}"
    return key


def _same(there: FinishedCorpus, origin: bytes) -> str | None:
    """The product with this lineage."""
    for item in there.info.labels:
        key = _lineage(there.info, item.key)
        if item.key.startswith(KEY) and there.store.exists(key) and there.store.get(key) == origin:
            return item.key
    return None


def _publish(
    there: FinishedCorpus,
    store: Store,
    key: str,
    before: str,
    tables: dict[str, NDArray[np.int64]],
    origin: bytes,
) -> None:
    source = there.info.product(before)
    own = Terms(
        licence=source.terms.licence, licence_url=source.terms.licence_url, attribution=source.terms.attribution
    )
    item = ProductInfo(
        product=replace(product("labels"), key=key, collection=key, prefix=key, title="Change of labels"),
        terms=own,
        taxonomy=CHANGE,
        stated_period=source.period or there.info.period,
        label_version=key.partition("_v")[2] or "1",
    )
    publication = CorpusWriter(info=replace(there.info, products=(*there.info.products, item)), store=store)

    def write(tile: str, samples: Sequence[Sample]) -> Sequence[FileEntry]:
        files = LabelFiles(
            layout=publication.info.layout, product=item.product, columns=CHANGE.columns(), samples=tuple(samples)
        )
        return files.write(store, tables[tile])

    publication.put("", _lineage(publication.info, key), origin)
    exists = {tile: {key: np.ones((len(own), 1), np.bool_)} for tile, own in there.tiles.items()}
    relist(there, publication, exists, write, {key: {tile: one.astype(np.int32) for tile, one in tables.items()}})


def _lineage(info: CorpusInfo, key: str) -> str:
    return f"resources/{info.name}_{key}_lineage.json"
