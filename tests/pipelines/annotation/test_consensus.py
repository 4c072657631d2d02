"""From a campaign's ledger to layers in its corpus, its catalogue, and what later builds and campaigns make of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pystac
import pytest
from tests.campaigns import Answered, answered_campaign
from tests.chromium import look_at_file, watched

from landloom.annotate.answers.values import TaskAnswers
from landloom.annotate.consensus.consensus import consensus
from landloom.corpus.audit.validate import validate
from landloom.corpus.finished import FinishedCorpus
from landloom.formats.geotiff import decode_geotiff
from landloom.pipelines.annotation.consensus import ConsensusOptions, run_consensus
from landloom.query.corpus import Corpus
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Answered:
    """A campaign with a consensus in its corpus."""
    made = answered_campaign(tmp_path_factory.mktemp("answered"))
    run_consensus(made.folder)
    return made


def test_layers_are_in_the_corpus_and_its_catalogue(answered: Answered) -> None:
    there = FinishedCorpus.open(str(answered.corpus))
    assert [str(one) for one in validate(open_store(str(answered.corpus)))] == []
    keys = ["consensus", "consensus_posterior", "consensus_votes", "consensus_entropy", "consensus_published"]
    assert [item.key for item in there.info.products][-5:] == keys
    assert there.info.product("consensus").taxonomy is not None
    catalog = pystac.Catalog.from_file(str(answered.corpus / "stac-v1.0" / "catalog.json"))
    items = [item for item in catalog.get_items(recursive=True) if "consensus" in item.assets]
    assert len(items) == 4
    assert set(items[0].assets) >= set(keys)
    collection = catalog.get_child("chips_v1_consensus")
    assert collection is not None
    names = {one["description"] for one in collection.extra_fields["landloom:classes"]}
    assert "Water" in names
    origin = json.loads((answered.corpus / "resources" / "chips_consensus_lineage.json").read_bytes())
    assert origin["consensus"]["method"] == "guess-aware"
    assert origin["chips"] == dict.fromkeys(sorted(answered.world.truth), 36)


def test_rasters_say_what_the_consensus_says(answered: Answered) -> None:
    there = FinishedCorpus.open(str(answered.corpus))
    right = better = total = 0
    for chip, truth in answered.world.truth.items():
        folder = next(answered.corpus.glob(f"labels/*/*/{chip}"))

        def layer(name: str, folder: Path = folder) -> tuple[np.ndarray, tuple[str, ...]]:
            array, _, about = decode_geotiff((folder / f"{name}-1.tif").read_bytes())
            return array, about.bands

        labels, bands = layer("consensus")
        assert bands == ("class", "confidence")
        posterior, names = layer("consensus_posterior")
        assert names == tuple(f"class_{code}" for code in range(1, 8))
        assert np.abs(posterior.astype(int).sum(axis=0) - 10_000).max() <= 4
        assert (np.argmax(posterior, axis=0) + 1 == labels[0]).mean() > 0.999
        best = posterior.max(axis=0) / 100
        assert np.abs(best - labels[1]).max() <= 0.51
        votes, _ = layer("consensus_votes")
        assert (votes.sum(axis=0) == 3).all()
        entropy, _ = layer("consensus_entropy")
        assert (entropy[0][labels[1] >= 99] < 10).all()
        published, _ = layer("consensus_published")
        right += int((labels[0] == truth).sum())
        better += int((published[0] == truth).sum())
        total += truth.size
    assert there.info.product("consensus").label_version == "1"
    assert right / total > better / total > 0.7


def test_query_gives_the_layers(answered: Answered, tmp_path: Path) -> None:
    corpus = Corpus.open(str(answered.corpus), cache=tmp_path)
    cube = corpus.select(corpus.query().ids[0]).cube(corpus.query().ids[0], "consensus")
    assert cube.shape == (1, 2, 96, 96)
    assert cube["band"].to_numpy().tolist() == ["class", "confidence"]


def test_the_same_answers_are_not_added_again_and_another_method_is_a_new_version(tmp_path: Path) -> None:
    made = answered_campaign(tmp_path)
    first = run_consensus(made.folder)
    assert (first.product, first.version, first.added) == ("consensus", "1", True)
    assert not run_consensus(made.folder).added
    second = run_consensus(made.folder, ConsensusOptions(method="published"))
    assert (second.product, second.version, second.added) == ("consensus_v2", "2", True)
    assert [str(one) for one in validate(open_store(str(made.corpus)))] == []
    folder = next(made.corpus.glob("labels/*/*/*_00"))
    one, two = (decode_geotiff((folder / f"consensus-{number}.tif").read_bytes())[0] for number in (1, 2))
    plain, *_ = decode_geotiff((folder / "consensus_published-1.tif").read_bytes())
    assert (two == plain).all()
    assert (one != two).any()


def test_rasters_can_go_to_a_folder_instead(answered: Answered, tmp_path: Path) -> None:
    before = sorted(answered.corpus.rglob("*"))
    done = run_consensus(answered.folder, ConsensusOptions(method="dawid-skene", out=tmp_path / "labels"))
    assert (done.product, done.added) == (None, False)
    assert sorted(answered.corpus.rglob("*")) == before
    assert len(list((tmp_path / "labels").rglob("*.tif"))) == 20


def test_the_report_holds_the_figures_of_the_paper(answered: Answered) -> None:
    page = (answered.folder / "consensus.html").read_text()
    for words in ("Distribution of the classes", "Distribution of the confidence", "Sample chips", "Reliability"):
        assert words in page
    assert "Krippendorff" in page


def test_the_report_is_whole_in_every_window(answered: Answered) -> None:
    with watched() as found:
        look_at_file(found, answered.folder / "consensus.html", "consensus")


def test_labels_are_those_of_the_answers_alone(answered: Answered) -> None:
    from landloom.pipelines.annotation.campaign_answers import CampaignAnswers

    own = CampaignAnswers.read(answered.folder)
    assert all(isinstance(one, TaskAnswers) for one in own.answers)
    found = consensus(own.answers, own.campaign.codes)
    folder = next(answered.corpus.glob(f"labels/*/*/{own.tasks[0].window.chip}"))
    labels = decode_geotiff((folder / "consensus-1.tif").read_bytes())[0]
    window = own.tasks[0].window
    part = labels[0, window.row : window.row + window.height, window.column : window.column + window.width]
    assert (part.ravel() == found.labels(0)).all()
