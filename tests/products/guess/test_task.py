"""Guess labels of granules: better than chance, scored apart, and the same bytes however they are made."""

from __future__ import annotations

import csv
import io
import json
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.killing import build_killed
from tests.projects import digest_of, granule_world, write_granules

from landloom.corpus.audit.validate import audit
from landloom.corpus.finished import FinishedCorpus
from landloom.engine.executors import processes
from landloom.errors import BuildError
from landloom.formats.geotiff import decode_geotiff
from landloom.model.crosswalk import crosswalk
from landloom.pipelines.build import build
from landloom.products.guess.report import guess_rows
from landloom.simulate.world import World
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.pipelines.build import BuildReport


def test_the_corpus_validates(granules: BuildReport) -> None:
    checked = audit(open_store(str(granules.corpus)), digests=True)
    assert checked.problems == ()
    assert (granules.samples, granules.tiles) == (6, 2)
    assert granules.notes == () or all("scene left out" in note for note in granules.notes)


def test_guesses_are_better_than_chance_and_scored_apart(granules: BuildReport) -> None:
    world = World(granule_world())
    there = FinishedCorpus.open(str(granules.corpus))
    for row in guess_rows(granules.corpus):
        assert row.reason is None
        test, chips = row.scores("test"), row.scores("chips")
        assert test is not None
        assert chips is not None
        assert test.accuracy > 0.7
        assert row.facts["held_out"] == [f"{row.granule}_02"]
        assert sum(row.facts["importances"]["bands"].values()) == pytest.approx(1)
    right = []
    for samples in there.tiles.values():
        for sample in samples:
            data = there.store.get(there.info.layout.raster_label(sample.id, "labels", "1"))
            labels, confidence = decode_geotiff(data)[0]
            shares = decode_geotiff(there.store.get(there.info.layout.raster_label(sample.id, "probabilities", "1")))[0]
            assert abs(shares.sum(axis=0).astype(int) - 10_000).max() <= 7
            assert (abs(shares.max(axis=0) / 100 - confidence) <= 0.52).all()
            truth = crosswalk("clc_landcovernet").apply(world.land_cover(sample.grid(10)))
            right.append(float((truth == labels).mean()))
    assert np.mean(right) > 0.8


def test_a_pixel_that_was_never_seen_has_no_label(granules: BuildReport) -> None:
    there = FinishedCorpus.open(str(granules.corpus))
    products = {item.key: item for item in there.info.products}
    for tile, samples in there.tiles.items():
        exists = there.exists(["s2_observed"])[tile]["s2_observed"]
        for row, sample in enumerate(samples):
            steps = [products["s2_observed"].timesteps[at].name for at in np.flatnonzero(exists[row])]
            keys = [
                there.info.layout.chip(sample.id, products["s2_observed"].product, step, "observed") for step in steps
            ]
            seen = np.any([decode_geotiff(there.store.get(key))[0][0] > 0 for key in keys], axis=0)
            labels = decode_geotiff(there.store.get(there.info.layout.raster_label(sample.id, "labels", "1")))[0][0]
            np.testing.assert_array_equal(labels > 0, seen)


def test_source_dates_name_every_scene_of_the_series(granules: BuildReport) -> None:
    """The granule's scenes are decided once: those of the series are those of the guess."""
    text = (granules.corpus / "labels/33N/33UUR/33UUR_00/source_dates-1.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["datetime"] for row in rows] == sorted(row["datetime"] for row in rows)
    assert all(row["scene"].startswith(("S2A_33UUR", "S2B_33UUR")) for row in rows)
    lineage = json.loads((granules.corpus / "lineage/33N/33UUR/S2-L2A.json").read_text(encoding="utf-8"))
    assert [row["scene"] for row in rows] == [step["scenes"][0]["id"] for step in lineage["timesteps"]]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"least": 10**9}, "imagery and map agree on no class"),
        ({"crosswalk": dict.fromkeys(crosswalk("clc_landcovernet").source.codes(), "5")}, "at least two classes"),
    ],
)
def test_a_guess_that_cannot_be_made_leaves_the_series_of_its_granule(
    granule_archive: Path, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    write_granules(tmp_path, granule_archive, guess=changes, samples={"granules": ["33UUR"], "chips": 1})
    with pytest.raises(BuildError, match=reason):
        build(tmp_path)
    done = build(tmp_path, allow_missing=True)
    assert any(reason in note for note in done.notes)
    assert audit(open_store(str(done.corpus))).problems == ()
    assert any((done.corpus / "imagery").rglob("*.tif"))
    assert not any((done.corpus / "labels").rglob("labels-1.tif"))


@pytest.mark.slow
def test_workers_change_no_byte(granules: BuildReport, granule_archive: Path, tmp_path: Path) -> None:
    write_granules(tmp_path, granule_archive)
    other = build(tmp_path, factory=processes(2))
    for name in ("corpus.json", "manifest/corpus.parquet", "manifest/32N/32UPA.parquet", "manifest/33N/33UUR.parquet"):
        assert (other.corpus / name).read_bytes() == (granules.corpus / name).read_bytes()


@pytest.mark.slow
def test_killed_builds_of_granules_end_in_the_same_bytes(
    granules: BuildReport, granule_archive: Path, tmp_path: Path
) -> None:
    """SIGKILL at random moments, whatever is being read, trained or written; then resume."""
    write_granules(tmp_path, granule_archive)
    rng = random.Random(5)  # noqa: S311 - moments, not secrets
    build_killed(tmp_path, tmp_path / "corpus", rng, times=4)
    assert digest_of(tmp_path / "corpus") == digest_of(granules.corpus)
    assert audit(open_store(str(tmp_path / "corpus")), digests=True).problems == ()
