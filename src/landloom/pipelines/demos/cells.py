"""The demo: a simulated world, and a corpus built from it, validated and queried, without a network."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import orjson

from landloom.corpus.layout import ROOT
from landloom.engine.project import RECIPE_FILE
from landloom.engine.run import Silent
from landloom.pipelines.build import BuildReport, build
from landloom.pipelines.starters import write_starter
from landloom.query.corpus import Corpus
from landloom.simulate.archive import simulate_archive
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.run import Listener
    from landloom.simulate.archive import ArchiveReport
    from landloom.simulate.spec import WorldSpec

QUERY: Final = "clc_2 >= 0.5"
"""Query of the demo: samples with at least half agriculture."""
VALIDATED: Final = "validated.json"
"""File beside the corpus that says what was validated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """Result of the demo."""

    build: BuildReport
    checked: int
    """Number of files and documents validated."""
    query: str
    found: int
    """Number of samples found by the query."""
    assets: int
    """Number of their files."""


def write_world(
    preset: WorldSpec | str, folder: Path, listener: Listener | None = None, workers: int = 1
) -> ArchiveReport:
    """Simulate a world, with progress."""
    shown = listener or Silent()
    started = False

    def progress(done: int, total: int) -> None:
        nonlocal started
        if not started:
            shown.started("simulating scenes", total)
            started = True
        shown.advanced(str(done), None)

    pool = None if workers <= 1 else partial(ThreadPoolExecutor, workers)
    return simulate_archive(preset, folder, pool=pool, progress=progress)


def run_demo(folder: Path, *, listener: Listener | None = None, workers: int = 1) -> DemoReport:
    """Simulate, build, validate, query; a second run repeats no finished step.

    Args:
        folder: for `archive/`, `landloom.yaml` and `corpus/`.
        listener: receives progress.
        workers: threads of the simulation; the build is too small for worker processes.

    Raises:
        CorpusInvalidError: the corpus is invalid.
    """
    write_world("demo", folder / "archive", listener, workers)
    recipe = folder / RECIPE_FILE
    if not recipe.exists():
        write_starter("demo", recipe)
    built = build(recipe, listener=listener)
    checked = _validated(built.corpus, folder / VALIDATED)
    selection = Corpus.open(str(built.corpus)).query(where=QUERY)
    found = selection.assets
    return DemoReport(build=built, checked=checked, query=QUERY, found=len(selection), assets=len(found))


def _validated(corpus: Path, note: Path) -> int:
    """Number of files and documents of a valid corpus, which is noted: the same corpus is not validated again.

    Raises:
        CorpusInvalidError: it is invalid.
    """
    digest = orjson.loads((corpus / ROOT).read_bytes())["digest"]
    before = orjson.loads(note.read_bytes()) if note.exists() else {}
    if before.get("digest") == digest:
        return int(before["checked"])
    from landloom.corpus.audit.validate import audit  # noqa: PLC0415 - only where there is something to validate

    found = audit(open_store(str(corpus)))
    found.demand()
    checked = found.files + found.documents
    note.write_bytes(orjson.dumps({"digest": digest, "checked": checked}))
    return checked
