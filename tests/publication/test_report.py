"""The page about a build: what it says is what the journal and the index hold."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from landloom.corpus.root import RootDigest, covered_keys
from landloom.engine.context import build_context
from landloom.engine.journal import Journal
from landloom.engine.place import JOURNAL
from landloom.engine.placement import Placement
from landloom.engine.units import Note, NoteKind, Outcome, Unit
from landloom.errors import CorpusError
from landloom.pipelines.registry import REGISTRY
from landloom.publication.quality.parts import EXPLORER
from landloom.publication.report import DRAW, keep_draw, write_report
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def corpus(tiny_corpus: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    shutil.copytree(tiny_corpus, tmp_path / "corpus")
    return tmp_path / "corpus"


def test_the_page_stands_alone_and_counts_what_the_index_holds(corpus: Path) -> None:
    before = (corpus / "report.html").read_text(encoding="utf-8")
    page = write_report(corpus, REGISTRY).read_text(encoding="utf-8")
    assert page == before, "nothing has happened since"
    index = pq.read_table(corpus / "index" / "samples.parquet")
    tiles, zones = (len(set(index[name].to_pylist())) for name in ("tile", "zone"))
    for number, what in ((index.num_rows, "samples"), (tiles, "tiles"), (zones, "UTM zones")):
        assert f"<b>{number}</b><span>{what}</span>" in page
    assert '<p class="ok">No unit failed.</p>' in page
    assert "Example chips" in page
    assert "<h2>Quality</h2>" in page
    assert not re.findall(rf'(?:src|href)="(?!data:|{EXPLORER}/#)', page), "it needs no other file"


def test_failures_and_notes_are_named_with_their_attempts(corpus: Path) -> None:
    with Journal(corpus / JOURNAL) as journal:
        failed = Unit(kind="x", product="s2", tile="33N_a", key="k", memory=0, task=None)  # type: ignore[arg-type]
        noted = Unit(kind="x", product="labels.clc", tile="33N_a", key="k", memory=0, task=None)  # type: ignore[arg-type]
        for _ in range(2):
            journal.record_failure(failed, "scene <x>: 404", seconds=0)
        notes = (Note(kind=NoteKind.OVERLAP, what="311 & 211"),)
        journal.record_outcome(noted, Outcome(files=(), notes=notes), seconds=0)
    page = write_report(corpus, REGISTRY).read_text(encoding="utf-8")
    assert "<td>s2/33N_a</td><td>2</td><td>scene &lt;x&gt;: 404</td>" in page
    assert "<td>labels.clc/33N_a</td><td>overlap</td><td>311 &amp; 211</td>" in page
    assert "No unit failed" not in page


def test_scenes_that_were_left_out_are_named_with_the_reason(corpus: Path) -> None:
    page = (corpus / "report.html").read_text(encoding="utf-8")
    with Journal(corpus / JOURNAL) as journal:
        lineages = [entry.outcome.lineage for entry in journal.entries() if entry.outcome.lineage is not None]
    left = {one.reason for lineage in lineages for step in lineage.timesteps for one in step.left_out}
    assert left
    assert all(f"<td>{reason}</td>" in page for reason in left)


def test_a_recipe_that_is_no_longer_understood_costs_its_own_figures_alone(corpus: Path) -> None:
    document = json.loads((corpus / "corpus.json").read_text(encoding="utf-8"))
    document["recipe"]["products"]["s2"]["spell"] = "abracadabra"
    (corpus / "corpus.json").write_text(json.dumps(document), encoding="utf-8")
    store = LocalStore(corpus)
    store.put("digest.json", RootDigest.read(store, covered_keys(store)).encode())
    page = write_report(corpus, REGISTRY).read_text(encoding="utf-8")
    assert "1 keys of the recipe are unknown" in page
    assert "<h2>Observations" not in page
    assert "Samples" in page


def test_what_a_draw_achieved_is_kept_for_it(tmp_path: Path) -> None:
    with build_context(tmp_path) as context:
        keep_draw(Placement(samples=()), context)
        assert not context.store.exists(DRAW)
        keep_draw(Placement(samples=(), draw={"divergence": 0.5}), context)
        assert json.loads(context.store.get(DRAW)) == {"divergence": 0.5}


def test_there_is_no_page_of_no_build(tmp_path: Path, tiny_corpus: Path) -> None:
    with pytest.raises(CorpusError, match="no finished build here"):
        write_report(tmp_path, REGISTRY)
    shutil.copytree(tiny_corpus, tmp_path / "published", ignore=shutil.ignore_patterns(".landloom"))
    with pytest.raises(CorpusError, match="no finished build here"):
        write_report(tmp_path / "published", REGISTRY)
