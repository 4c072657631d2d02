"""What a corpus says of itself: products in the recipe's order, acquired dates as units have found them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.projects import project_of

from landloom.corpus.documents import corpus_json
from landloom.engine.context import build_context
from landloom.engine.journal import Journal
from landloom.engine.place import JOURNAL
from landloom.engine.placement import Placement
from landloom.engine.plan import gather, make_plan
from landloom.engine.results import Results
from landloom.errors import CorpusError
from landloom.pipelines.registry import REGISTRY
from landloom.publication.describe import corpus_info

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.corpus.info import CorpusInfo


def described(folder: Path, corpus: Path) -> CorpusInfo:
    project = REGISTRY.open(folder)
    with build_context(corpus) as context:
        inputs, _ = gather(project, REGISTRY, context)
        plan = make_plan(project, REGISTRY, inputs)
        return corpus_info(project, plan.requests, plan.placement, Results(plan.units, context.journal, plan.tiles))


def test_it_is_what_corpus_json_holds(tiny: Path, tiny_corpus: Path, series: Path) -> None:
    for folder, corpus in ((tiny, tiny_corpus), (series, series / "corpus")):
        assert corpus_json(described(folder, corpus)) == (corpus / "corpus.json").read_bytes()


def test_acquired_products_share_the_dates_that_any_of_them_has(series: Path) -> None:
    info = described(series, series / "corpus")
    acquired = [item for item in info.products if item.acquired]
    assert {item.key for item in acquired} == {"s2_10m", "s2_20m", "s2_60m", "s2_valid"}
    assert len({item.timesteps for item in acquired}) == 1
    assert list(acquired[0].timesteps) == sorted(acquired[0].timesteps)
    assert {item.validity for item in acquired} == {("SCL",)}
    assert {row["value"] for row in info.class_mappings["classes"] if row["value"]} == {"maize", "meadow", "wheat"}


def test_a_series_without_any_date_is_nothing_to_publish(series: Path, tmp_path: Path) -> None:
    """Though every unit were missing, the corpus must not be said to have a product without time."""
    project = REGISTRY.open(series)
    requests = [one for one in REGISTRY.requests(project) if one.key == "s2_native"]
    with Journal(tmp_path / JOURNAL) as journal, pytest.raises(CorpusError, match="s2_native: no sample has any"):
        corpus_info(project, requests, Placement(samples=()), Results((), journal, {}))


def test_names_that_a_recipe_gives_are_in_it(tmp_path: Path) -> None:
    stac: dict[str, Any] = {"item": "{collection}-{sample}"}
    plain, named = project_of(tmp_path), project_of(tmp_path, stac=stac)
    with Journal(tmp_path / JOURNAL) as journal:
        infos = [
            corpus_info(one, REGISTRY.requests(one), Placement(samples=()), Results((), journal, {}))
            for one in (plain, named)
        ]
    assert infos[0].names is None
    assert infos[1].names is not None
    assert infos[1].names.item == "{collection}-{sample}"
    assert infos[1].layout.item_id("source_s2", "a") == "demo_v1_source_s2-a"
