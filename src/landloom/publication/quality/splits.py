"""The part of the report about splits: classes in each, and how far apart they are."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np

from landloom.reports.page import table
from landloom.training.splits.distances import Footprints
from landloom.training.splits.proof import prove

if TYPE_CHECKING:
    from landloom.query.corpus import Corpus


def split_parts(corpus: Corpus) -> list[str]:
    """Classes of each split of the recipe, and the distances measured between splits; none without splits."""
    whole = corpus.query()
    counts = {name: number for name, number in whole.counts("split").items() if name is not None}
    if not counts:
        return []
    parts = ["<h2>Splits</h2>", _classes(corpus, tuple(counts))]
    if len(counts) > 1:
        parts.append(_distances(corpus, tuple(counts)))
    return parts


def _classes(corpus: Corpus, names: tuple[str, ...]) -> str:
    """A table: share of each split's area by class of the first level, with those of all samples."""
    selections = {**{name: corpus.query(split=name) for name in names}, "all samples": corpus.query()}
    header = ["class", *(f"{name}, %" for name in selections)]
    counts = ("samples", *(f"{len(chosen):,}" for chosen in selections.values()))
    if not corpus.columns:
        return table(header, [counts], range(1, len(header)))
    areas = {name: chosen.histogram(level=1, names=True) for name, chosen in selections.items()}
    rows = [
        (
            title,
            *(f"{100 * areas[name].get(title, 0) / max(len(chosen), 1):.1f}" for name, chosen in selections.items()),
        )
        for title in areas["all samples"]
    ]
    return table(header, [*rows, counts], range(1, len(header)))


def _distances(corpus: Corpus, names: tuple[str, ...]) -> str:
    """What was measured between the nearest samples of every two splits."""
    rows = np.arange(len(corpus.sidecar), dtype=np.int32)
    codes = np.full(len(rows), -1, np.int64)
    for number, name in enumerate(names):
        codes[corpus.query(split=name).rows] = number
    proof = prove(Footprints.of_degrees(corpus.sidecar.corners(rows)), codes, names, 0.0, {})
    lines = [(pair, f"{distance:,.0f}") for pair, distance in proof.nearest.items()]
    note = (
        "Nearest samples of two splits, measured between their outlines. 0 m: they touch; see landloom split for a gap."
    )
    return f"{table(('splits', 'nearest samples, m'), lines, (1,))}<p>{html.escape(note)}</p>"
