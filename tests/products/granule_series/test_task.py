"""Series of granules' chips: the chosen scenes as they are, and filled as filling says."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.archive.open import open_archive
from landloom.corpus.finished import FinishedCorpus
from landloom.engine.scenes.granules import DecidedScenes
from landloom.formats.geotiff import decode_geotiff
from landloom.imagery.fill import fill_periodic
from landloom.model.granules import granule_footprint
from landloom.model.ids import GranuleId
from landloom.model.time import Period

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.model.scene import Scene
    from landloom.pipelines.build import BuildReport

BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")


def test_items_are_named_and_linked_as_published(granules: BuildReport) -> None:
    stac = granules.corpus / "stac-v1.0"
    label = json.loads(next(stac.rglob("small_v1_labels_32UPA_00.json")).read_text(encoding="utf-8"))
    assert label["id"] == "small_v1_labels_32UPA_00"
    assert label["assets"].keys() == {"labels", "probabilities", "source_dates"}
    assert label["assets"]["source_dates"]["type"] == "text/csv"
    sources = [link["href"].rsplit("/", 1)[1] for link in label["links"] if link["rel"] == "source"]
    scenes = [name for name in sources if "source_sentinel_2" in name]
    with (granules.corpus / "labels/32N/32UPA/32UPA_00/source_dates-1.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    dates = [row["date"].replace("-", "") for row in rows]
    assert scenes == [f"small_v1_source_sentinel_2_32UPA_00_{date}.json" for date in dates]
    item = json.loads(next(stac.rglob(scenes[0])).read_text(encoding="utf-8"))
    assert item["assets"].keys() >= {*BANDS, "SCL"}
    assert item["links"]
    collection = json.loads((stac / "small_v1_labels/collection.json").read_text(encoding="utf-8"))
    assert "Cultivated Vegetation" in json.dumps(collection)


def test_series_hold_the_scenes_and_the_filled_ones_what_filling_says(granules: BuildReport) -> None:
    there = FinishedCorpus.open(str(granules.corpus))
    sample = next(iter(there.tiles.values()))[1]
    layout, products = there.info.layout, {item.key: item for item in there.info.products}
    exists = there.exists(["s2_scenes"])[sample.tile]["s2_scenes"]
    steps = [products["s2_scenes"].timesteps[at].name for at in np.flatnonzero(exists[1])]
    lineage = json.loads((granules.corpus / "lineage/32N/32UPA/S2-L2A.json").read_text(encoding="utf-8"))
    instants = [row["scenes"][0]["datetime"] for row in lineage["timesteps"]]
    assert [instant[:10] for instant in instants] == steps

    def read(key: str, step: str, band: str) -> Any:
        path = granules.corpus / layout.chip(sample.id, products[key].product, step, band)
        return decode_geotiff(path.read_bytes())[0][0]

    raw = np.stack([[read("s2_scenes", step, band) for band in BANDS] for step in steps])
    scl = np.stack([read("scl", step, "SCL") for step in steps])
    valid = np.isin(scl, (2, 4, 5, 6, 7, 11)) & ((raw > 0) & (raw < 65_535)).all(axis=1)
    start = np.datetime64("2018-01-01")
    days = (np.array([one[:-1] for one in instants], "datetime64[s]") - start) / np.timedelta64(1, "D")
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


def test_scenes_are_one_a_month_and_a_broken_one_gives_its_place_to_another(
    granules: BuildReport, granule_archive: Path
) -> None:
    rows = json.loads((granules.corpus / "lineage/32N/32UPA/S2-L2A.json").read_text(encoding="utf-8"))["timesteps"]
    used = {row["scenes"][0]["id"] for row in rows}
    months = {f"{scene.time:%Y-%m}" for scene in archived(granule_archive, "32UPA")}
    left = {entry["id"] for row in rows for entry in row["left_out"]}
    assert {row["timestep"][:7] for row in rows} <= months
    assert len(used) == len(rows) >= 13
    assert len(left) == 1
    assert not left & used


def test_the_scenes_that_were_decided_are_kept_for_other_products(granules: BuildReport) -> None:
    """In build state, which is no part of what is published."""
    there = FinishedCorpus.open(str(granules.corpus))
    for tile, samples in there.tiles.items():
        decided = DecidedScenes.decode((granules.corpus / DecidedScenes.key(tile)).read_bytes())
        lineage = json.loads(there.store.get(f"lineage/{tile.replace('_', '/')}/S2-L2A.json"))
        assert sorted(decided.scenes) == sorted(one["id"] for step in lineage["timesteps"] for one in step["scenes"])
        assert decided.valid.shape[:2] == decided.exists.shape == (len(samples), len(lineage["timesteps"]))
        assert not any(entry.path.startswith(".landloom") for entry in there.entries(tile))
