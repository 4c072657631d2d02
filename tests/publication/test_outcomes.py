"""From the results of units to a corpus: what the manifests, the index and the lineage say is what the units made."""

from __future__ import annotations

import io
import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.projects import digest_of

from landloom.corpus.audit.validate import audit
from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.lineage import read_lineage
from landloom.corpus.manifest import read_manifest
from landloom.engine.context import build_context
from landloom.engine.plan import gather, make_plan
from landloom.engine.results import Results
from landloom.pipelines.registry import REGISTRY
from landloom.publication.outcomes import publish_outcomes
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landloom.engine.context import BuildContext
    from landloom.engine.plan import Plan
    from landloom.engine.project import Project


@pytest.fixture
def built(tiny: Path, tiny_corpus: Path, tmp_path: Path) -> Iterator[tuple[Project, Plan, BuildContext]]:
    """A copy of the tiny corpus, its plan and its journal, ready to be published once more."""
    shutil.copytree(tiny_corpus, tmp_path / "corpus")
    project = REGISTRY.open(tiny)
    with build_context(tmp_path / "corpus") as context:
        inputs, problems = gather(project, REGISTRY, context)
        yield project, make_plan(project, REGISTRY, inputs, problems), context


def results(plan: Plan, context: BuildContext) -> Results:
    return Results(plan.units, context.journal, plan.tiles)


def test_publishing_again_changes_no_byte(
    built: tuple[Project, Plan, BuildContext], tiny_corpus: Path, tmp_path: Path
) -> None:
    """Whatever of the documents is lost: they follow from the data files, the journal and the plan."""
    project, plan, context = built
    for part in ("stac-v1.0", "index", "manifest", "resources", "lineage"):
        shutil.rmtree(tmp_path / "corpus" / part)
    publication = publish_outcomes(project, plan, results(plan, context), context)
    assert digest_of(tmp_path / "corpus") == digest_of(tiny_corpus)
    assert audit(context.store, digests=True).problems == ()
    there = [path for path in (tmp_path / "corpus" / "stac-v1.0").rglob("*") if path.is_file()]
    assert publication.parts["stac-v1.0"] == len(there)
    assert publication.sizes["stac-v1.0"] == sum(path.stat().st_size for path in there)


def test_manifests_name_what_the_units_made_and_no_build_state(
    built: tuple[Project, Plan, BuildContext],
) -> None:
    project, plan, context = built
    publish_outcomes(project, plan, results(plan, context), context)
    for tile in plan.tiles:
        zone, _, name = tile.partition("_")
        key = f"manifest/{zone}/{name}.parquet"
        entries = {entry.path: entry for entry in read_manifest(context.store.get(key), key)}
        made = [
            file
            for unit in plan.units
            if unit.tile == tile and (outcome := results(plan, context).of(unit)) is not None
            for file in outcome.files
        ]
        published = [file for file in made if not file.path.startswith(".landloom")]
        assert len(published) < len(made), "a table of fractions is kept for the build alone"
        assert all(entries[file.path] == file for file in published)
        assert not any(path.startswith(".landloom") for path in entries)


def test_lineage_is_that_of_the_units(built: tuple[Project, Plan, BuildContext]) -> None:
    project, plan, context = built
    publish_outcomes(project, plan, results(plan, context), context)
    told = 0
    for unit in plan.units:
        outcome = results(plan, context).of(unit)
        assert outcome is not None
        if outcome.lineage is not None:
            data = context.store.get(f"lineage/{unit.tile.replace('_', '/')}/S2-SR.json")
            assert read_lineage(data) == (unit.tile, "s2", outcome.lineage)
            told += 1
    assert told == len(plan.tiles)


def test_what_failed_is_missing_and_all_else_is_there(
    built: tuple[Project, Plan, BuildContext],
) -> None:
    """A tile without its composites, and one without its labels: the index says so, and the corpus validates."""
    project, plan, context = built
    first, second = plan.tiles
    lost = {f"s2/{first}", f"labels.clc/{second}"}
    for unit in plan.units:
        if unit.id in lost:
            context.journal.record_failure(unit, "404", seconds=0)
    publish_outcomes(project, plan, results(plan, context), context)
    there = FinishedCorpus.open(context.uri)
    exists = there.exists()
    assert not exists[first]["s2"].any()
    assert exists[first]["labels"].all()
    assert exists[second]["s2"].all()
    assert not exists[second]["labels"].any()
    shares = pq.read_table(io.BytesIO(context.store.get("index/samples.parquet")))
    codes = [name for name in shares.column_names if name.startswith("clc_")]
    sums = sum(shares.column(name).to_numpy().astype(np.int64) for name in codes)
    rows = dict(zip(shares.column("tile").to_pylist(), np.asarray(sums).tolist(), strict=True))
    assert rows == {first: 1_000_000, second: 0}
    assert audit(open_store(context.uri)).problems == ()


def test_corpus_json_holds_the_recipe_and_is_the_last_to_change(built: tuple[Project, Plan, BuildContext]) -> None:
    project, plan, context = built
    context.store.delete("corpus.json")
    publish_outcomes(project, plan, results(plan, context), context)
    document = json.loads(context.store.get("corpus.json"))
    assert document["recipe"] == project.recipe.document()
    assert {row["key"] for row in document["products"]} == {"s2", "count", "labels"}
