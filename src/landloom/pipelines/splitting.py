"""Make a split set of a finished corpus, write it and draw it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.corpus.split_set import split_set_key
from landloom.errors import CorpusError, InvalidInputError
from landloom.query.corpus import Corpus
from landloom.query.region_files import read_regions
from landloom.reports.figures import new_figure, png
from landloom.store.open import open_store
from landloom.training.splits.make import SplitSettings, make_split

if TYPE_CHECKING:
    from landloom.training.splits.proof import SplitProof


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitReport:
    """Result of making a split set."""

    name: str
    path: str
    """Path of the split set in the corpus."""
    figure: str | None
    """Path of the map beside it; None if it was not asked for."""
    digest: str
    """Digest of samples, splits and settings."""
    changed: bool
    """False if the same split set was there already."""
    samples: int
    """Samples of the corpus."""
    proof: SplitProof
    """What was measured."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        names = ("name", "path", "figure", "digest", "changed", "samples")
        return {name: getattr(self, name) for name in names} | {"proof": self.proof.document()}


def split_corpus(
    corpus: str,
    name: str,
    settings: SplitSettings,
    *,
    regions: str | None = None,
    column: str | None = None,
    figure: bool = True,
    replace: bool = False,
) -> SplitReport:
    """Split the samples of a finished corpus, without building it again.

    Args:
        corpus: its folder, or an address that can be written to.
        name: of the split set; the file is `splits/NAME.parquet`, its map `splits/NAME.png`.
        settings: how.
        regions: vector file with the regions of `by="region"`; `file.gpkg|layer`.
        column: of their names.
        figure: whether the map is drawn.
        replace: whether a split set of this name with other content is replaced.

    Raises:
        CorpusError: there is a split set of this name with other content.
        InvalidInputError: the split cannot be had.
        NotFoundError: no such corpus, label product or column.

    Example:
        >>> split_corpus("absent", "control", SplitSettings(by="tile"))
        Traceback (most recent call last):
        landloom.errors.NotFoundError: ...
    """
    key = split_set_key(name)
    opened = Corpus.open(corpus)
    if (regions is None) != (column is None):
        raise InvalidInputError("got only one of a layer of regions and the column of their names, expected both")
    shapes = None if regions is None or column is None else read_regions(regions, column)
    made, proof = make_split(opened.sidecar, settings, shapes)
    rows = np.arange(len(opened.sidecar), dtype=np.int32)
    content = made.encoded(opened.sidecar.texts(rows))
    store = open_store(opened.base.rstrip("/"))
    there = store.get(key) if store.exists(key) else None
    if there is not None and there != content and not replace:
        raise CorpusError(f"{corpus}: has another split set {name!r} already; choose another name, or --replace it")
    changed = there != content
    if changed:
        store.put(key, content)
    picture = key.removesuffix(".parquet") + ".png"
    if figure and (changed or not store.exists(picture)):
        canvas = new_figure(8, 8)
        axes = opened.query(split_set=name).plot(by="split", ax=canvas.add_subplot())
        axes.set_title("\n".join([f"Split set {name}", *_told(proof)]), fontsize=9)
        if (legend := axes.get_legend()) is not None:  # beside the map, which may be flatter than its legend
            legend.set_loc("upper left")
            legend.set_bbox_to_anchor((1.01, 1.0))
        store.put(picture, png(canvas))
    return SplitReport(
        name=name,
        path=key,
        figure=picture if figure else None,
        digest=made.digest,
        changed=changed,
        samples=len(opened.sidecar),
        proof=proof,
    )


def _told(proof: SplitProof) -> list[str]:
    """Samples of each split, and the distances that the proof measured, as lines under the title of the map."""
    left = {"in the gap": proof.gap_samples, "in no block": proof.outside}
    counts = {one.name: one.samples for one in proof.parts} | {name: count for name, count in left.items() if count}
    near = ", ".join(f"{pair}: {metres:,.0f} m" for pair, metres in proof.nearest.items())
    return [", ".join(f"{name} {count:,}" for name, count in counts.items()), *([f"nearest {near}"] if near else [])]
