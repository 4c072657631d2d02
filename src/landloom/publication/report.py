"""`report.html`: one self-contained page about a build. It is build state: it has times, and is in no manifest."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
import pyarrow.parquet as pq

from landloom.corpus.documents import parse_corpus_json
from landloom.corpus.footprints import rings, squares_of
from landloom.corpus.layout import CORPUS, INDEX, ROOT
from landloom.engine.journal import Journal
from landloom.engine.kinds import ReportFacts
from landloom.engine.place import JOURNAL
from landloom.engine.project import Project
from landloom.engine.units import Outcome, unit_digest
from landloom.errors import CorpusError, RecipeError
from landloom.publication.quality.parts import quality_parts
from landloom.publication.quality.splits import split_parts
from landloom.query.corpus import Corpus
from landloom.query.views.pictures import coloured, coloured_chips
from landloom.reports.drawn import captioned, chip_rows, sample_map
from landloom.reports.page import head, page, table
from landloom.store.network.budgets import cost
from landloom.store.open import open_store

if TYPE_CHECKING:
    from landloom.engine.context import BuildContext
    from landloom.engine.placement import Placement
    from landloom.engine.registry import Registry
    from landloom.store.protocol import Store

REPORT: Final = "report.html"
"""Name of the page, in the folder of the state of the build."""
DRAW: Final = ".landloom/draw.json"
"""Key of the results of the draw, in the build state."""
HALF_TURN: Final = 180.0
"""Degrees."""
SHOWN: Final = 4
"""Number of samples whose chips are shown."""
STEPS: Final = 6
"""Number of dates of each of them."""
_SOURCES: Final = (CORPUS, ROOT, INDEX, DRAW)
_NOTHING: Final = Outcome(files=())


def keep_draw(placement: Placement, context: BuildContext) -> None:
    """Keep the results of a draw for the report; without a draw there is nothing to keep."""
    if placement.draw is not None:
        context.store.put(DRAW, orjson.dumps(dict(placement.draw)))


def write_report(folder: Path, registry: Registry, store: Store | None = None) -> Path:
    """Write the report page of a corpus, unless the one there was made of the same corpus and journal.

    Args:
        folder: of the state of its build; the page is written there.
        registry: its kinds and sampler add their sections.
        store: of the corpus, if it is elsewhere.

    Returns:
        Its path.

    Raises:
        CorpusError: no corpus was built there.
    """
    facts, size = _read(folder, open_store(str(folder)) if store is None else store)
    path, mark = folder / REPORT, _mark(facts, size)
    if path.exists() and path.read_text(encoding="utf-8").endswith(mark):
        return path
    title = f"{facts.info.publication.title}, version {facts.info.version}"
    corpus = Corpus.open(facts.store.uri)
    parts = [_head(facts, title, size), _map(facts), *quality_parts(corpus), *split_parts(corpus)]
    parts += [*_own_parts(facts, registry), _chips(corpus), _failures(facts), _timings(facts), _requests(facts)]
    path.write_text(page(title, parts) + mark, encoding="utf-8")
    return path


def _mark(facts: ReportFacts, size: int) -> str:
    """The last line of a page: a digest of everything that the page is made of."""
    texts = [hashlib.sha256(facts.store.get(key)).hexdigest() for key in _SOURCES if facts.store.exists(key)]
    units = [asdict(replace(entry, outcome=_NOTHING)) | entry.outcome.document() for entry in facts.entries]
    return f"<!-- made of {unit_digest(version('landloom'), texts, units, size)} -->\n"


def _read(folder: Path, store: Store) -> tuple[ReportFacts, int]:
    """Input of the page, and the total size of all files made by units."""
    if not store.exists(CORPUS) or not (folder / JOURNAL).exists():
        raise CorpusError(f"{folder}: no finished build here; start one with: landloom build")
    entries, size = [], 0
    with Journal(folder / JOURNAL) as journal:
        spent, told = journal.traffic(), journal.prices()
        for entry in journal.entries():
            size += sum(file.size for file in entry.outcome.files)
            entries.append(replace(entry, outcome=replace(entry.outcome, files=(), inputs={})))
    info = parse_corpus_json(store.get(CORPUS))
    index = pq.read_table(io.BytesIO(store.get(INDEX)), use_threads=False)
    costs = cost(spent, told)
    facts = ReportFacts(store=store, info=info, table=index, entries=tuple(entries), traffic=spent, costs=costs)
    return facts, size


def _own_parts(facts: ReportFacts, registry: Registry) -> list[str]:
    """Sections of sampler and product kinds; without those of recipe sections that cannot be read any more."""
    try:
        recipe = registry.recipe.parse(facts.info.recipe, facts.store.uri)
    except RecipeError as error:
        return [f"<p>{len(error.problems)} keys of the recipe are unknown: figures of its products are left out.</p>"]
    project, parts = Project(recipe=recipe, folder=Path(facts.store.uri).parent), []
    if facts.store.exists(DRAW):
        achieved = json.loads(facts.store.get(DRAW))
        parts += registry.sampler(recipe.samples).report(achieved, facts.info)
    for request in registry.requests(project):
        parts += request.kind.report(request, facts)
    return parts


def _head(facts: ReportFacts, title: str, size: int) -> str:
    info, index = facts.info, facts.table
    lineages = [entry.outcome.lineage for entry in facts.entries if entry.outcome.lineage is not None]
    scenes = {scene.id for lineage in lineages for step in lineage.timesteps for scene in step.scenes}
    numbers = (
        (f"{index.num_rows:,}", "samples"),
        (f"{len(set(index['tile'].to_pylist())):,}", "tiles"),
        (f"{len(set(index['zone'].to_pylist())):,}", "UTM zones"),
        (f"{len(scenes):,}", "scenes used"),
        (f"{sum(item.slots for item in info.products if item.timesteps) * index.num_rows:,}", "chips"),
        (f"{size / 1e6:,.1f} MB", "made by units"),
    )
    return head(title, info.publication.description, numbers)


def _map(facts: ReportFacts) -> str:
    boxes = facts.table["bbox"].combine_chunks().flatten()
    array = np.stack([column.to_numpy() for column in boxes], axis=1)
    outlines = rings(*squares_of(facts.table))
    if (array[:, 2] - array[:, 0] > HALF_TURN).any():  # samples across 180°: a map around it
        outlines[outlines[:, :, 0].max(axis=1) < 0, :, 0] += 2 * HALF_TURN
    by = "split" if facts.info.recipe.get("splits") else "stratum"
    groups = [value or "no " + by for value in facts.table[by].to_pylist()]
    return "<h2>Samples</h2>" + captioned(sample_map(outlines, groups), f"Footprints of all samples, coloured by {by}.")


def _chips(corpus: Corpus) -> str:
    """Some samples through time, in true colour."""
    info = corpus.sidecar.info
    key = coloured(info, tuple(item.key for item in info.products))
    if key is None or info.product(key).product.dtype != "uint16":
        return ""
    chosen = corpus.query(products=(key,))
    rows: dict[str, list[tuple[str, Any]]] = {}
    for identity in chosen.ids[:: max(len(chosen) // SHOWN, 1)][:SHOWN]:
        chips, pictures = coloured_chips(chosen, identity, key)
        there = np.flatnonzero(chips.observed)
        for number in there[:: -(-len(there) // STEPS) or 1]:
            rows.setdefault(identity, []).append((str(chips.times[number])[:10], pictures[number]))
    if not rows:
        return ""
    caption = f"{info.product(key).product.title}, true colour; light grey is no data."
    return "<h2>Example chips</h2>" + captioned(chip_rows(rows), caption)


def _failures(facts: ReportFacts) -> str:
    failed = [(one.id, one.attempts, one.reason or "") for one in facts.entries if one.state == "failed"]
    left = {
        (entry.id, step.timestep, scene.id, scene.reason)
        for entry in facts.entries
        if entry.outcome.lineage is not None
        for step in entry.outcome.lineage.timesteps
        for scene in step.left_out
    }
    notes = [(one.id, note.kind.value, note.what) for one in facts.entries for note in one.outcome.notes]
    parts = ["<h2>Failures</h2>"]
    parts.append(table(("unit", "attempts", "reason"), failed) if failed else '<p class="ok">No unit failed.</p>')
    if left:
        parts.append("<h2>Scenes left out</h2>" + table(("unit", "timestep", "scene", "reason"), sorted(left)))
    if notes:
        parts.append("<h2>Notes</h2>" + table(("unit", "about", "what"), notes))
    return "".join(parts)


def _timings(facts: ReportFacts) -> str:
    groups: dict[str, list[float]] = {}
    for entry in facts.entries:
        groups.setdefault(entry.product, []).append(entry.seconds)
    rows = [(name, len(times), f"{sum(times):.1f}", f"{max(times):.1f}") for name, times in sorted(groups.items())]
    header = ("units", "count", "seconds in all", "longest")
    return "<h2>Timings</h2>" + table(header, rows, (1, 2, 3))


def _requests(facts: ReportFacts) -> str:
    """What each host was asked for, and what it gave."""
    if not facts.traffic:
        return ""
    priced = ("cost",) if facts.costs else ()
    header = ("host", "requests", "retries", "given up", "MB", "seconds waited between tries", *priced)
    rows = [
        (
            host,
            f"{one.requests:,}",
            f"{one.retries:,}",
            f"{one.failures:,}",
            f"{one.size / 1e6:,.1f}",
            f"{one.waited:,.0f}",
            *(f"{facts.costs[host]:,.2f}" if host in facts.costs else "" for _ in priced),
        )
        for host, one in facts.traffic.items()
    ]
    return "<h2>Requests</h2>" + table(header, rows, tuple(range(1, len(header))))
