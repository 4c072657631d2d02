"""`guess.html`: one page about the guess labels of a corpus, with maps, accuracies and feature importances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.corpus.finished import FinishedCorpus
from landloom.engine.journal import Journal
from landloom.engine.pixels.reread import ChipSeries
from landloom.engine.place import JOURNAL
from landloom.errors import CorpusError
from landloom.formats.geotiff import decode_geotiff
from landloom.labels.guess.scores import Scores
from landloom.model.crosswalk import crosswalk
from landloom.model.sensor import Scl
from landloom.model.taxonomy import taxonomy
from landloom.products.guess import figures
from landloom.products.guess.kind import CLASSES, SCENES, GuessKind
from landloom.products.guess.task import VERSION, facts_key
from landloom.reports.figures import true_colour
from landloom.reports.page import figure, head, page, table
from landloom.simulate.archive import spec_of
from landloom.simulate.world import World
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.model.grid import Grid
    from landloom.model.product import Product
    from landloom.model.sample import Sample

PAGE: Final = "guess.html"
"""Name of the page, which is next to the corpus and not part of it."""
SHOWN: Final = 4
"""Maximum number of chips shown per granule."""
KIND: Final = GuessKind.name
CHIPS: Final = "chips"
"""Kind of the units that place chips."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessRow:
    """The result of one granule."""

    granule: str
    reason: str | None
    """Reason if it failed."""
    facts: dict[str, Any]
    """Facts of its unit; empty if it failed."""

    def scores(self, name: str) -> Scores | None:
        """`test`: held-out pixels; `chips`: held-out chips where map and imagery agree; `chips_all`: all pixels."""
        found = self.facts.get(name)
        return None if found is None else Scores.parse(found)

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {"granule": self.granule, "reason": self.reason, **self.facts}


def guess_rows(corpus: Path) -> list[GuessRow]:
    """The result of every granule's guess, in id order.

    Raises:
        CorpusError: no build has run there.
    """
    if not (corpus / JOURNAL).exists():
        raise CorpusError(f"{corpus}: no build has run here; start one with: landloom build")
    store, rows = open_store(str(corpus)), {}
    with Journal(corpus / JOURNAL) as journal:
        for entry in journal.entries():
            failed = entry.state == "failed"
            name = entry.tile.rpartition("_")[2] if entry.kind != CHIPS else entry.tile
            if entry.kind == KIND:
                facts = {} if failed else orjson.loads(store.get(facts_key(name)))
                rows[name] = GuessRow(granule=name, reason=entry.reason, facts=facts)
            elif failed:
                rows.setdefault(name, GuessRow(granule=name, reason=entry.reason, facts={}))
    return [rows[name] for name in sorted(rows)]


def write_guess_report(corpus: Path, truth: Path | None = None, out: Path | None = None) -> Path:
    """Write the report page of a corpus folder.

    Args:
        corpus: folder of the build.
        truth: folder of the simulated archive; the maps are then also compared with its truth.
        out: file for the page; by default `guess.html` next to the corpus.

    Returns:
        Its path.

    Raises:
        CorpusError: no build has run there.
    """
    rows = guess_rows(corpus)
    there = FinishedCorpus.open(str(corpus))
    parts = [_head(there, rows), _failures(rows), _table(rows)]
    parts += [_granule(there, row, truth) for row in rows if row.reason is None]
    path = out or corpus.resolve().parent / PAGE
    path.write_text(page(f"Guess labels of {there.info.publication.title}", parts), encoding="utf-8")
    return path


def _head(there: FinishedCorpus, rows: Sequence[GuessRow]) -> str:
    chips = sum(len(samples) for samples in there.tiles.values())
    done = [row for row in rows if row.reason is None]
    numbers = [(f"{len(done)} of {len(rows)}", "granules guessed"), (f"{chips:,}", "chips")]
    for name, words in (("test", "on held-out pixels"), ("chips", "on held-out chips")):
        parts = [found for row in done if (found := row.scores(name)) is not None]
        if parts:
            numbers.append((f"{Scores.total(parts).accuracy:.1%}", words))
    lead = "A classifier for each granule, trained on another map where the year's imagery agrees with it."
    return head("Guess labels", f"{there.info.publication.title}. {lead}", numbers)


def _failures(rows: Sequence[GuessRow]) -> str:
    failed = [(row.granule, row.reason) for row in rows if row.reason is not None]
    if not failed:
        return ""
    return "<h2>Granules without a guess</h2>" + table(("granule", "reason"), failed)


def _percent(scores: Scores | None) -> str:
    return "–" if scores is None or not scores.pixels else f"{scores.accuracy:.1%}"


def _table(rows: Sequence[GuessRow]) -> str:
    header = ("granule", "map agrees with imagery", "held-out pixels", "held-out chips", "the same, all pixels")
    lines = [
        (
            row.granule,
            f"{row.facts['agreeing']:.1%}",
            *(_percent(row.scores(n)) for n in ("test", "chips", "chips_all")),
        )
        for row in rows
        if row.reason is None
    ]
    note = "<p>Accuracies are relative to the training map, which has errors itself; held-out chips are separate.</p>"
    return "<h2>Accuracy</h2>" + note + table(header, lines, range(1, 5))


def _granule(there: FinishedCorpus, row: GuessRow, truth: Path | None) -> str:
    samples = next(own for own in there.tiles.values() if own[0].id.tile_name == row.granule)
    names = {int(one.code): one.name for one in taxonomy("landcovernet").classes}
    parts = [f"<h2>{row.granule}</h2>"]
    maps, compared = {}, []
    for sample in samples[:SHOWN]:
        labels = _raster(there, sample, "labels")
        shown: dict[str, Any] = {"summer": _picture(there, sample), "guess": labels[0], "confidence": labels[1]}
        if truth is not None:
            shown["truth"] = simulated_truth(truth, sample.grid(10))
            compared.append(Scores.of(shown["truth"], labels[0]))
        maps[str(sample.id)] = shown
    caption = "Chips in summer, the guess, its confidence (dark: uncertain)" + (", and the truth." if truth else ".")
    parts.append(figure(figures.chip_maps(maps, names), caption))
    if compared:
        total = Scores.total(compared)
        parts.append(
            f"<p>Compared with the truth of the simulated world: {total.accuracy:.1%} of {total.pixels:,} pixels.</p>"
        )
    for name, words in (("test", "Held-out pixels"), ("chips", "Held-out chips, where map and imagery agree")):
        scores = row.scores(name)
        if scores is not None and scores.pixels:
            parts.append(_scores(scores, names, words))
    found = row.facts.get("importances")
    if found:
        parts.append(figure(figures.importances(found["bands"], found["months"]), "Feature importance of the model."))
    return "".join(parts)


def _scores(scores: Scores, names: dict[int, str], words: str) -> str:
    reference = scores.matrix.sum(axis=1)
    rows = [
        (
            f"{code} {names[code]}",
            f"{reference[at]:,}",
            *(f"{found[code]:.1%}" if code in found else "–" for found in (scores.producers, scores.users)),
        )
        for at, code in enumerate(scores.classes)
    ]
    header = ("class", "pixels in the map", "producer's accuracy", "user's accuracy")
    picture = figures.confusion(scores.matrix, [f"{code} {names[code]}" for code in scores.classes])
    return (
        f"<h3>{words}: {scores.accuracy:.1%}</h3>"
        + table(header, rows, range(1, 4))
        + figure(picture, f"{words}: rows are the map, columns the guess; percent of the row.")
    )


def _raster(there: FinishedCorpus, sample: Sample, layer: str) -> NDArray[Any]:
    key = there.info.layout.raster_label(sample.id, layer, VERSION)
    return decode_geotiff(there.store.get(key))[0]


def _picture(there: FinishedCorpus, sample: Sample) -> NDArray[np.uint8]:
    """True colour of the scene with most vegetation, which is usually a cloud-free summer scene."""
    tile = there.tiles[sample.tile]
    row = [one.id for one in tile].index(sample.id)
    item, classes = there.info.product(SCENES), there.info.product(CLASSES)
    steps = np.flatnonzero(there.exists([item.key])[sample.tile][item.key][row]).tolist()
    names = [item.timesteps[at].name for at in steps]

    def read(product: Product) -> NDArray[Any]:
        chips = ChipSeries(there.store, there.info.layout, there.info.layouts, product, tile)
        return chips.read(sample, names, [True] * len(names))

    green = (read(classes.product) == Scl.VEGETATION).mean(axis=(1, 2, 3))
    best = int(np.argmax(green))
    bands = [band.name for band in item.product.bands]
    return true_colour(read(item.product)[best], *(bands.index(name) for name in ("B04", "B03", "B02")))


def simulated_truth(archive: Path, grid: Grid) -> NDArray[np.uint8]:
    """(y, x) true classes of a simulated world, in the taxonomy of LandCoverNet.

    Args:
        archive: folder of the simulated archive.
        grid: pixels of 10 m.
    """
    codes = World(spec_of(archive)).land_cover(grid)
    return crosswalk("clc_landcovernet").apply(codes)
