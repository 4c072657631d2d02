"""`guess.html`: one page about the guesses of a corpus, with maps, accuracies and what the models leaned on."""

from __future__ import annotations

import html
from base64 import b64encode
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.finished import Existing
from landloom.engine.context import JOURNAL
from landloom.engine.journal import Entry, Journal
from landloom.engine.project import GUESS
from landloom.errors import CorpusError
from landloom.formats.geotiff import decode_geotiff
from landloom.labels.guess.scores import Scores
from landloom.model.taxonomy import crosswalk, taxonomy
from landloom.products.guess import figures
from landloom.products.guess.task import VERSION
from landloom.reports.figures import true_colour

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.model.grid import Grid
    from landloom.model.sample import Sample

PAGE: Final = "guess.html"
"""Name of the page, which lies beside the corpus: it is no part of it."""
SHOWN: Final = 4
"""Chips of a granule that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessRow:
    """What came of one granule."""

    granule: str
    reason: str | None
    """Why it failed, where it did."""
    facts: dict[str, Any]
    """Of its unit; empty where it failed."""

    def scores(self, name: str) -> Scores | None:
        """`test`: held-out pixels; `chips`: held-out chips where map and imagery agree; `chips_all`: all of these."""
        found = self.facts.get(name)
        return None if found is None else Scores.parse(found)

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {"granule": self.granule, "reason": self.reason, **self.facts}


def guess_rows(corpus: Path) -> list[GuessRow]:
    """What came of every granule's guess, in id order.

    Raises:
        CorpusError: no build has been there.
    """
    if not (corpus / JOURNAL).exists():
        raise CorpusError(f"{corpus}: no build has been here; start one with: landloom build")
    with Journal(corpus / JOURNAL) as journal:
        entries: list[Entry] = [one for one in journal.entries() if one.id.partition("/")[0] in {GUESS, "chips"}]
    rows = {}
    for entry in sorted(entries, key=lambda one: (one.id.startswith(GUESS), one.id)):
        kind, _, where = entry.id.partition("/")
        name = where.rpartition("_")[2]
        if kind == GUESS or entry.state == "failed":
            facts = dict(entry.outcome.facts) if entry.state == "done" else {}
            rows[name] = GuessRow(granule=name, reason=entry.reason if entry.state == "failed" else None, facts=facts)
    return [rows[name] for name in sorted(rows)]


def write_guess_report(corpus: Path, truth: Path | None = None, out: Path | None = None) -> Path:
    """Write the page of a corpus folder.

    Args:
        corpus: where it was built.
        truth: folder of the simulated archive, whose truth the maps are then compared with, too.
        out: where the page goes; `guess.html` beside the corpus if absent.

    Returns:
        Its path.

    Raises:
        CorpusError: no build has been there.
    """
    rows = guess_rows(corpus)
    there = Existing.open(str(corpus))
    style = (files("landloom.reports") / "report.css").read_text(encoding="utf-8")
    body = [_head(there, rows), _failures(rows), _table(rows)]
    body += [_granule(there, row, truth) for row in rows if row.reason is None]
    title = html.escape(f"Guess labels of {there.info.publication.title}")
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{style}</style><main>{''.join(body)}</main></html>\n"
    )
    path = out or corpus.resolve().parent / PAGE
    path.write_text(page, encoding="utf-8")
    return path


def _head(there: Existing, rows: Sequence[GuessRow]) -> str:
    chips = sum(len(samples) for samples in there.tiles.values())
    done = [row for row in rows if row.reason is None]
    numbers = [(f"{len(done)} of {len(rows)}", "granules guessed"), (f"{chips:,}", "chips")]
    for name, words in (("test", "on held-out pixels"), ("chips", "on held-out chips")):
        parts = [found for row in done if (found := row.scores(name)) is not None]
        if parts:
            numbers.append((f"{Scores.total(parts).accuracy:.1%}", words))
    tiles = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in numbers)
    title = html.escape(there.info.publication.title)
    lead = "A classifier for each granule, trained on another map where the year's imagery agrees with it."
    return f'<h1>Guess labels</h1><p class="lead">{title}. {lead}</p><div class="tiles">{tiles}</div>'


def _failures(rows: Sequence[GuessRow]) -> str:
    failed = [(row.granule, row.reason) for row in rows if row.reason is not None]
    if not failed:
        return ""
    return "<h2>Granules without a guess</h2>" + _lines(("granule", "reason"), failed)


def _lines(header: Sequence[str], rows: Iterable[Sequence[object]], numbers: frozenset[int] = frozenset()) -> str:
    def cell(tag: str, place: int, value: object) -> str:
        mark = ' class="n"' if place in numbers else ""
        return f"<{tag}{mark}>{html.escape(str(value))}</{tag}>"

    lines = ["".join(cell("th", place, name) for place, name in enumerate(header))]
    lines += ["".join(cell("td", place, value) for place, value in enumerate(row)) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _figure(png: bytes, caption: str) -> str:
    text = html.escape(caption)
    data = b64encode(png).decode()
    return f'<figure><img alt="{text}" src="data:image/png;base64,{data}"><figcaption>{text}</figcaption></figure>'


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
    note = (
        "<p>Accuracies are against the map that was learned from, which is wrong itself; held-out chips lie apart.</p>"
    )
    return "<h2>Accuracy</h2>" + note + _lines(header, lines, frozenset({1, 2, 3, 4}))


def _granule(there: Existing, row: GuessRow, truth: Path | None) -> str:
    samples = next(own for own in there.tiles.values() if own[0].id.tile_name == row.granule)
    names = {int(one.code): one.name for one in taxonomy("landcovernet").classes}
    parts = [f"<h2>{row.granule}</h2>"]
    maps, compared = {}, []
    for sample in samples[:SHOWN]:
        labels = _raster(there, sample, "labels")
        shown: dict[str, Any] = {"summer": _picture(there, sample), "guess": labels[0], "confidence": labels[1]}
        if truth is not None:
            shown["truth"] = _truth(truth, sample.grid(10))
            compared.append(Scores.of(shown["truth"], labels[0]))
        maps[str(sample.id)] = shown
    caption = "Chips in summer, the guess, its confidence (dark: in doubt)" + (", and what is true." if truth else ".")
    parts.append(_figure(figures.chip_maps(maps, names), caption))
    if compared:
        total = Scores.total(compared)
        parts.append(
            f"<p>Against the truth of the simulated world: {total.accuracy:.1%} of {total.pixels:,} pixels.</p>"
        )
    for name, words in (("test", "Held-out pixels"), ("chips", "Held-out chips, where map and imagery agree")):
        scores = row.scores(name)
        if scores is not None and scores.pixels:
            parts.append(_scores(scores, names, words))
    found = row.facts.get("importances")
    if found:
        parts.append(_figure(figures.importances(found["bands"], found["months"]), "What the model leans on."))
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
        + _lines(header, rows, frozenset({1, 2, 3}))
        + _figure(picture, f"{words}: rows are the map, columns the guess; percent of the row.")
    )


def _raster(there: Existing, sample: Sample, layer: str) -> NDArray[Any]:
    key = there.info.layout.raster_label(sample.id, layer, VERSION)
    return decode_geotiff(there.store.get(key))[0]


def _picture(there: Existing, sample: Sample) -> NDArray[np.uint8]:
    """True colour of the scene that is most nearly of midsummer."""
    item = there.info.product("s2_scenes")
    exists = there.exists(["s2_scenes"])[sample.tile]["s2_scenes"]
    row = [one.id for one in there.tiles[sample.tile]].index(sample.id)
    steps = [item.timesteps[at] for at in np.flatnonzero(exists[row]).tolist()]
    best = min(steps, key=lambda step: (-_clear(there, sample, step.name), step.name))
    bands = [
        decode_geotiff(there.store.get(there.info.layout.chip(sample.id, item.product, best.name, band)))[0][0]
        for band in ("B04", "B03", "B02")
    ]
    return true_colour(np.stack(bands), 0, 1, 2)


def _clear(there: Existing, sample: Sample, step: str) -> float:
    """Share of vegetation in a scene's classification: summers without clouds have most."""
    product = there.info.product("scl").product
    scl = decode_geotiff(there.store.get(there.info.layout.chip(sample.id, product, step, "SCL")))[0]
    return float((scl == 4).mean())


def _truth(archive: Path, grid: Grid) -> NDArray[np.uint8]:
    from landloom.simulate.archive import spec_of
    from landloom.simulate.world import World

    codes = World(spec_of(archive)).land_cover(grid)
    return crosswalk("clc_landcovernet").apply(codes)
