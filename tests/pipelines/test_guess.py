"""A small corpus of granules, from scenes to guess labels, and what goes wrong on the way."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from landloom.archive.open import open_archive
from landloom.archive.selection import SceneFilter
from landloom.corpus.audit.check import audit, digest
from landloom.corpus.finished import Existing
from landloom.engine.executors import processes
from landloom.engine.granules import GranuleScenes, daily_step
from landloom.errors import BuildError, CorpusError, InvalidInputError, NotFoundError, RecipeError
from landloom.formats.geotiff import decode_geotiff
from landloom.imagery.fill import fill_periodic
from landloom.labels.guess.files import decode_model
from landloom.model.granules import granule_footprint, granule_grid
from landloom.model.ids import ChipId, GranuleId
from landloom.model.recipe import Recipe
from landloom.model.taxonomy import crosswalk
from landloom.model.time import Period
from landloom.pipelines.build import build
from landloom.pipelines.demos.landcovernet import demo_spec
from landloom.pipelines.starters import write_starter
from landloom.products.guess.models import predict_chips, train_models
from landloom.products.guess.report import guess_rows, write_guess_report
from landloom.simulate.archive import simulate_archive
from landloom.simulate.world import World
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.model.scene import Scene
    from landloom.pipelines.build import BuildReport

SIZE = 96
BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Windows of 3 km in two granules, every 24 days."""
    folder = tmp_path_factory.mktemp("granules") / "archive"
    simulate_archive(demo_spec(pixels=300, step=24), folder)
    return folder


def document(archive: Path, folder: Path, **changes: Any) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "archive").symlink_to(archive)
    write_starter("demo-landcovernet", folder / "landloom.yaml")
    recipe: dict[str, Any] = yaml.safe_load((folder / "landloom.yaml").read_text(encoding="utf-8"))
    recipe["name"] = "small"
    recipe["samples"] |= {"chips": 3, "size": SIZE}
    recipe["scenes"]["policy"] = "monthly + 2"
    recipe["guess"] |= {"trees": 12, "buffer": 6, "least": 30}
    for section, values in changes.items():
        recipe[section] |= values
    (folder / "landloom.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return recipe


@pytest.fixture(scope="module")
def built(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> BuildReport:
    folder = tmp_path_factory.mktemp("small")
    document(archive, folder)
    return build(folder)


def test_the_corpus_validates(built: BuildReport) -> None:
    checked = audit(open_store(str(built.corpus)), digests=True)
    assert checked.problems == ()
    assert (built.samples, built.tiles) == (6, 2)
    assert built.notes == () or all("scene left out" in note for note in built.notes)


def test_items_are_named_and_linked_as_published(built: BuildReport) -> None:
    stac = built.corpus / "stac-v1.0"
    label = json.loads(next(stac.rglob("small_v1_labels_32UPA_00.json")).read_text(encoding="utf-8"))
    assert label["id"] == "small_v1_labels_32UPA_00"
    assert label["assets"].keys() == {"labels", "probabilities", "source_dates"}
    assert label["assets"]["source_dates"]["type"] == "text/csv"
    sources = [link["href"].rsplit("/", 1)[1] for link in label["links"] if link["rel"] == "source"]
    scenes = [name for name in sources if "source_sentinel_2" in name]
    with (built.corpus / "labels/32N/32UPA/32UPA_00/source_dates-1.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    dates = [row["date"].replace("-", "") for row in rows]
    assert scenes == [f"small_v1_source_sentinel_2_32UPA_00_{date}.json" for date in dates]
    item = json.loads(next(stac.rglob(scenes[0])).read_text(encoding="utf-8"))
    assert item["assets"].keys() >= {*BANDS, "SCL"}
    assert item["links"]
    collection = json.loads((stac / "small_v1_labels/collection.json").read_text(encoding="utf-8"))
    assert "Cultivated Vegetation" in json.dumps(collection)


def test_chips_lie_on_the_granules_own_grid_and_do_not_overlap(built: BuildReport) -> None:
    there = Existing.open(str(built.corpus))
    for samples in there.tiles.values():
        grid = granule_grid(GranuleId.parse(samples[0].id.tile_name), 10)
        taken = np.zeros(grid.shape, np.uint8)
        for sample in samples:
            assert isinstance(sample.id, ChipId)
            row, column = sample.grid(10).offset_in(grid)
            assert (row % 6, column % 6) == (0, 0)
            taken[row : row + SIZE, column : column + SIZE] += 1
        assert taken.max() == 1
        assert taken.sum() == len(samples) * SIZE * SIZE


def test_series_hold_the_scenes_and_the_filled_ones_what_filling_says(built: BuildReport) -> None:
    there = Existing.open(str(built.corpus))
    sample = next(iter(there.tiles.values()))[1]
    layout, products = there.info.layout, {item.key: item for item in there.info.products}
    exists = there.exists(["s2_scenes"])[sample.tile]["s2_scenes"]
    steps = [products["s2_scenes"].timesteps[at].name for at in np.flatnonzero(exists[1])]
    lineage = json.loads((built.corpus / "lineage/32N/32UPA/S2-L2A.json").read_text(encoding="utf-8"))
    instants = [row["scenes"][0]["datetime"] for row in lineage["timesteps"]]
    assert [instant[:10] for instant in instants] == steps

    def read(key: str, step: str, band: str) -> Any:
        return decode_geotiff((built.corpus / layout.chip(sample.id, products[key].product, step, band)).read_bytes())[
            0
        ][0]

    raw = np.stack([[read("s2_scenes", step, band) for band in BANDS] for step in steps])
    scl = np.stack([read("scl", step, "SCL") for step in steps])
    valid = np.isin(scl, (2, 4, 5, 6, 7, 11)) & ((raw > 0) & (raw < 65_535)).all(axis=1)
    days = (np.array([one[:-1] for one in instants], "datetime64[s]") - np.datetime64("2018-01-01")) / np.timedelta64(
        1, "D"
    )
    wanted = fill_periodic(raw, valid, days.astype(float), 365.0)
    filled = np.stack([[read("s2_filled", step, band) for band in BANDS] for step in steps])
    observed = np.stack([read("s2_observed", step, "observed") for step in steps])
    np.testing.assert_array_equal(filled, wanted)
    np.testing.assert_array_equal(observed.astype(bool), valid)
    assert 0.2 < valid.mean() < 0.99


def archived(archive: Path, granule: str) -> tuple[Scene, ...]:
    scenes = open_archive("static", str(archive / "catalog.json")).search(
        granule_footprint(GranuleId.parse(granule)), Period.year(2018)
    )
    return tuple(scene for scene in scenes if scene.granule == granule)


def test_scenes_are_one_a_month_and_a_broken_one_gives_its_place_to_another(built: BuildReport, archive: Path) -> None:
    rows = json.loads((built.corpus / "lineage/32N/32UPA/S2-L2A.json").read_text(encoding="utf-8"))["timesteps"]
    used = {row["scenes"][0]["id"] for row in rows}
    months = {f"{scene.time:%Y-%m}" for scene in archived(archive, "32UPA")}
    left = {entry["id"] for row in rows for entry in row["left_out"]}
    assert {row["timestep"][:7] for row in rows} <= months
    assert len(used) == len(rows) >= 13
    assert len(left) == 1
    assert not left & used


def test_guesses_are_better_than_chance_and_scored_apart(built: BuildReport) -> None:
    world = World(demo_spec(pixels=300, step=24))
    there = Existing.open(str(built.corpus))
    for row in guess_rows(built.corpus):
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


def test_a_model_predicts_what_the_build_published(built: BuildReport, tmp_path: Path) -> None:
    model = built.corpus / ".landloom/guess/33UUR.skops"
    files = predict_chips(model, str(built.corpus), tmp_path, samples=["33UUR_01"])
    assert [file.name for file in files] == ["33UUR_01.tif", "33UUR_01_probabilities.tif"]
    published = built.corpus / "labels/33N/33UUR/33UUR_01/labels-1.tif"
    assert files[0].read_bytes() == published.read_bytes()
    with pytest.raises(NotFoundError, match="33UUR_09"):
        predict_chips(model, str(built.corpus), tmp_path, samples=["33UUR_09"])
    assert decode_model(model.read_bytes()).classes


def test_the_page_has_maps_and_says_what_failed(built: BuildReport, archive: Path, tmp_path: Path) -> None:
    page = write_guess_report(built.corpus, archive, tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<img") >= 8
    assert "Against the truth of the simulated world" in page
    with pytest.raises(CorpusError, match="no build has been here"):
        guess_rows(tmp_path)


def test_models_are_trained_without_a_corpus(archive: Path, tmp_path: Path, built: BuildReport) -> None:
    document(archive, tmp_path / "project")
    rows = train_models(tmp_path / "project", tmp_path / "models", granules=["33UUR"])
    assert [row.granule for row in rows] == ["33UUR"]
    pixels = np.random.default_rng(1).integers(1, 5_000, (len(BANDS) * 13, 50), dtype=np.uint16)
    ours = decode_model((tmp_path / "models/33UUR.skops").read_bytes())
    theirs = decode_model((built.corpus / ".landloom/guess/33UUR.skops").read_bytes())
    pixels = pixels[: ours.classifier.n_features_in_]
    if len(pixels) == ours.classifier.n_features_in_:
        np.testing.assert_array_equal(ours.probabilities(pixels), theirs.probabilities(pixels))
    with pytest.raises(NotFoundError, match="32UQA"):
        train_models(tmp_path / "project", tmp_path / "models", granules=["32UQA"])


def test_a_granule_that_fails_is_reported_and_the_rest_goes_on(archive: Path, tmp_path: Path) -> None:
    document(archive, tmp_path, samples={"granules": ["32UPA", "33TWL", "33UUR"]})
    done = build(tmp_path)
    assert (done.samples, done.tiles) == (6, 2)
    assert any("33TWL: no usable scene" in note for note in done.notes)
    rows = {row.granule: row.reason for row in guess_rows(done.corpus)}
    assert [name for name, reason in rows.items() if reason is None] == ["32UPA", "33UUR"]
    assert "no usable scene" in str(rows["33TWL"])
    assert audit(open_store(str(done.corpus))).problems == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"least": 10**9}, "imagery and map agree on no class"),
        ({"crosswalk": dict.fromkeys(crosswalk("clc_landcovernet").source.codes(), "5")}, "at least two to tell apart"),
    ],
)
def test_a_guess_that_cannot_be_made_leaves_the_series_of_its_granule(
    archive: Path, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    document(archive, tmp_path, guess=changes, samples={"granules": ["33UUR"], "chips": 1})
    with pytest.raises(BuildError, match=reason):
        build(tmp_path)
    done = build(tmp_path, allow_missing=True)
    assert any(reason in note for note in done.notes)
    assert audit(open_store(str(done.corpus))).problems == ()
    assert any((done.corpus / "imagery").rglob("*.tif"))
    assert not any((done.corpus / "labels").rglob("labels-1.tif"))


@pytest.mark.slow
def test_workers_change_no_byte(built: BuildReport, archive: Path, tmp_path: Path) -> None:
    document(archive, tmp_path)
    other = build(tmp_path, factory=processes(2))
    for name in ("corpus.json", "manifest/corpus.parquet", "manifest/32N/32UPA.parquet", "manifest/33N/33UUR.parquet"):
        assert (other.corpus / name).read_bytes() == (built.corpus / name).read_bytes()


@pytest.mark.slow
def test_killed_builds_of_granules_end_in_the_same_bytes(built: BuildReport, archive: Path, tmp_path: Path) -> None:
    """SIGKILL at random moments, whatever is being read, trained or written; then resume."""
    document(archive, tmp_path)
    command = [sys.executable, "-m", "landloom.cli", "build", str(tmp_path), "--workers", "2"]
    rng = random.Random(5)  # noqa: S311 - moments, not secrets
    state = tmp_path / "corpus/.landloom"
    for _ in range(4):
        running = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        while running.poll() is None and not (state / "begun").exists():
            time.sleep(0.05)
        time.sleep(rng.uniform(0.5, 7))
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert (state / "begun").exists(), "the last one was to be killed too"
    resumed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert resumed.returncode == 0, resumed.stderr
    assert digest(open_store(str(tmp_path / "corpus"))) == digest(open_store(str(built.corpus)))
    assert audit(open_store(str(tmp_path / "corpus")), digests=True).problems == ()


def test_too_few_places_are_reported(archive: Path, tmp_path: Path) -> None:
    document(archive, tmp_path, samples={"granules": ["33UUR"], "chips": 40})
    with pytest.raises(BuildError, match="places for chips without nodata, wanted 40"):
        build(tmp_path)


def test_recipes_of_granules_are_checked(archive: Path, tmp_path: Path) -> None:
    recipe = document(archive, tmp_path)
    with pytest.raises(RecipeError, match="wanted either granules or table"):
        Recipe.parse(recipe | {"samples": {"draw": "granules"}})
    with pytest.raises(RecipeError, match="guess"):
        Recipe.parse(recipe | {"guess": recipe["guess"] | {"agreement": 2}})
    with pytest.raises(RecipeError, match="granule-series"):
        Recipe.parse(recipe | {"samples": {"draw": "all"}})
    assert Recipe.parse(recipe).scheme == "granule"


def test_of_one_day_the_scene_with_most_data_is_taken(archive: Path) -> None:
    one = archived(archive, "33UUR")[0]
    poor = replace(one, id="poor", nodata_share=60.0, cloud_cover=0.0)
    rich = replace(one, id="rich", nodata_share=0.0, cloud_cover=90.0)
    group = GranuleScenes(
        granule=GranuleId.parse("33UUR"), candidates=(poor, rich), policy="monthly + 12", rule=SceneFilter(),
        period=Period.year(2018),
    )  # fmt: skip
    assert [scene.id for scene in group.chosen()] == ["rich"]
    assert [scene.id for scene in group.chosen({"rich"})] == ["poor"]
    assert daily_step(one.time).name == f"{one.time:%Y-%m-%d}"
    with pytest.raises(InvalidInputError, match="no usable scene"):
        group.chosen({"rich", "poor"})


def test_source_dates_name_every_scene(built: BuildReport) -> None:
    text = (built.corpus / "labels/33N/33UUR/33UUR_00/source_dates-1.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["datetime"] for row in rows] == sorted(row["datetime"] for row in rows)
    assert all(row["scene"].startswith(("S2A_33UUR", "S2B_33UUR")) for row in rows)
