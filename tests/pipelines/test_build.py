"""The main path: from a recipe to a corpus that validates, the same bytes however it is built."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from typing import TYPE_CHECKING

import geopandas
import numpy as np
import pytest
import rasterio
import yaml
from tests.killing import build_killed
from tests.projects import digest_of

from landloom.corpus.audit.validate import audit
from landloom.engine.executors import processes
from landloom.engine.place import JOURNAL
from landloom.errors import DiskFullError, ForeignCorpusError, InvalidInputError
from landloom.formats.geotiff import decode_geotiff
from landloom.pipelines.build import build
from landloom.pipelines.registry import REGISTRY
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path


def test_it_validates(tiny_corpus: Path, shared_schemas: Path) -> None:
    result = audit(open_store(str(tiny_corpus)), schemas=shared_schemas, digests=True)
    assert result.problems == ()
    assert result.files > 6 * 2


def test_a_second_build_runs_nothing(tiny: Path, tiny_corpus: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (tiny_corpus / "imagery").rglob("*.tif")}
    again = build(tiny, out=tiny_corpus)
    assert again.units_run == 0
    assert not [note for note in again.notes if "overlapping" in note], "what rounding makes of shared edges is none"
    assert {path: path.stat().st_mtime_ns for path in (tiny_corpus / "imagery").rglob("*.tif")} == before


def test_chips_are_where_gis_tools_look(tiny: Path, tiny_corpus: Path) -> None:
    chips = sorted((tiny_corpus / "imagery").rglob("S2-SR/*.tif"))
    assert len(chips) == 6 * 2
    with rasterio.open(chips[0]) as file:
        assert (file.count, file.height, file.width, file.dtypes[0], file.nodata) == (12, 60, 60, "uint16", 0)
        assert file.descriptions == REGISTRY.open(tiny).recipe.products["s2"].bands  # type: ignore[attr-defined]


def test_counts_say_where_nothing_was_seen(tiny_corpus: Path) -> None:
    for path in sorted((tiny_corpus / "imagery").rglob("S2-SR/*.tif")):
        chip = decode_geotiff(path.read_bytes())[0]
        count = decode_geotiff((path.parents[1] / "S2-COUNT" / path.name).read_bytes())[0][0]
        assert np.array_equal(count == 0, (chip == 0).all(axis=0))
        assert np.array_equal(count > 0, (chip > 0).all(axis=0))


def test_lineage_names_scenes_offsets_and_what_was_left_out(tiny_corpus: Path) -> None:
    documents = [json.loads(path.read_text()) for path in sorted((tiny_corpus / "lineage").rglob("*.json"))]
    scenes = [scene for doc in documents for step in doc["timesteps"] for scene in step["scenes"]]
    assert {scene["offset"] for scene in scenes} == {0, -1000}
    left_out = [scene for doc in documents for step in doc["timesteps"] for scene in step["left_out"]]
    assert left_out
    assert all(scene["reason"].startswith(f"{scene['id']}/B") for scene in left_out)
    assert not any(str(tiny_corpus.parents[1]) in scene["reason"] for scene in left_out)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_do_not_change_a_byte(tiny: Path, tiny_corpus: Path, tmp_path: Path, workers: int) -> None:
    factory = processes(workers)
    build(tiny, out=tmp_path / "corpus", factory=factory)
    assert digest_of(tmp_path / "corpus") == digest_of(tiny_corpus)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_builds_end_in_the_same_bytes(tiny: Path, tiny_corpus: Path, tmp_path: Path, workers: int) -> None:
    """SIGKILL at five random moments, then resume."""
    rng = random.Random(5)  # noqa: S311 - moments, not secrets
    build_killed(tiny, tmp_path / "corpus", rng, times=5, workers=workers)
    assert digest_of(tmp_path / "corpus") == digest_of(tiny_corpus)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_stops_the_build_and_it_resumes(tiny: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("this machine mounts no tmpfs")
    try:
        with pytest.raises(DiskFullError, match="no space left"):
            build(tiny, out=disk / "corpus")
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        build(tiny, out=disk / "corpus")
        assert digest_of(disk / "corpus") == digest_of(tiny_corpus)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_project_that_moves_runs_nothing_again(tiny: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    """With its archive, whether that lies below the recipe or beside its folder; what it makes is the same."""
    here = tmp_path / "here"
    (here / "project").mkdir(parents=True)
    shutil.copytree((tiny / "archive").resolve(), here / "project" / "archive")
    shutil.copytree((tiny / "archive").resolve(), here / "archive")
    text = (tiny / "landloom.yaml").read_text(encoding="utf-8")
    (here / "project" / "landloom.yaml").write_text(text, encoding="utf-8")
    beside = text.replace("href: archive/", "href: ../archive/")
    (here / "project" / "beside.yaml").write_text(beside, encoding="utf-8")
    build(here / "project")
    build(here / "project" / "beside.yaml", out=here / "project" / "other")
    there = tmp_path / "there" / "deeper"
    there.mkdir(parents=True)
    shutil.move(here, there / "moved")
    project = there / "moved" / "project"
    assert build(project).units_run == 0
    assert build(project / "beside.yaml", out=project / "other").units_run == 0
    assert digest_of(project / "corpus") == digest_of(tiny_corpus)


def test_another_corpus_is_refused(tiny: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    text = (tiny / "landloom.yaml").read_text(encoding="utf-8").replace("name: tiny", "name: other")
    (tmp_path / "other.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ForeignCorpusError, match="got the corpus tiny"):
        build(tmp_path / "other.yaml", out=tiny_corpus)


def test_a_folder_of_something_else_is_refused(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x", encoding="utf-8")
    with pytest.raises(ForeignCorpusError, match="contains files of something else"):
        build(tiny, out=tmp_path)


def test_a_lost_file_is_made_again(tiny: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    build(tiny, out=tmp_path / "corpus")
    next((tmp_path / "corpus" / "imagery").rglob("*.tif")).unlink()
    assert build(tiny, out=tmp_path / "corpus").units_run == 1
    assert digest_of(tmp_path / "corpus") == digest_of(tiny_corpus)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"region": {"bounds": [50.1, 11.8, 50.2, 12.3]}}, "are the region's axes longitude, latitude"),
        ({"period": {"start": "2030-06-01", "end": "2030-08-01"}}, "the archive has no scene"),
        ({"archive": {"kind": "static", "href": "{tiny}/archive/region.geojson"}}, r"its problems:\n  - .*region"),
        (
            {"samples": {"draw": "list", "ids": ["33N_16E-243N_29_01", "x", "33N_16E-243N_29_99"]}},
            r"3 sample ids cannot be used:\n.*ids\.1: got 'x'.*\n.*ids\.2: .*\w+ row.*\n.*ids\.0: .*outside the region",
        ),
        (
            {"samples": {"draw": "all"}, "region": {"bounds": [-179, -80, 179, 80]}},
            r"about 1,3.* cells of 600 m, \w+ at most 50,000,000",
        ),
    ],
    ids=["swapped axes", "no scene", "no archive", "no ids", "the world"],
)
def test_what_cannot_be_built_is_said(tiny: Path, tmp_path: Path, change: dict[str, object], message: str) -> None:
    text = (tiny / "landloom.yaml").read_text(encoding="utf-8").replace("archive/", f"{tiny}/archive/")
    document = yaml.safe_dump(yaml.safe_load(text) | change).replace("{tiny}", str(tiny))
    (tmp_path / "landloom.yaml").write_text(document, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=message):
        build(tmp_path)


def test_a_changed_recipe_leaves_nothing_stale(tiny: Path, tmp_path: Path) -> None:
    text = (tiny / "landloom.yaml").read_text(encoding="utf-8").replace("archive/", f"{tiny}/archive/")
    (tmp_path / "landloom.yaml").write_text(text, encoding="utf-8")
    build(tmp_path)
    document = yaml.safe_load(text)
    kept = min((tmp_path / "corpus" / "labels" / "33N").rglob("*.geojson")).stem.removeprefix("labels_")
    document["samples"] = {"draw": "list", "ids": [kept]}
    document["layouts"] = ["chips"]
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    assert build(tmp_path).samples == 1
    assert audit(open_store(str(tmp_path / "corpus"))).problems == ()
    assert [path.name for path in (tmp_path / "corpus" / "manifest").rglob("*.parquet")].count("29E-231N.parquet") == 0


def test_without_json_items_the_tables_say_the_same(
    tiny: Path, tiny_corpus: Path, tmp_path: Path, shared_schemas: Path
) -> None:
    document = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8"))
    document["stac"] = {"json_items": False}
    (tiny / "slim.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    build(tiny / "slim.yaml", out=tmp_path / "corpus")
    result = audit(open_store(str(tmp_path / "corpus")), schemas=shared_schemas, digests=True)
    assert (result.problems, result.unchecked) == ((), ())
    slim, full = tmp_path / "corpus" / "stac-v1.0", tiny_corpus / "stac-v1.0"
    assert {path.name for path in slim.rglob("*.json")} == {"catalog.json", "collection.json"}
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in slim.rglob("collection.json")]
    assert not [link for one in documents for link in one["links"] if link["rel"] == "item"]
    tables = sorted(path.relative_to(slim) for path in slim.rglob("items.parquet"))
    assert len(tables) == 2
    for table in tables:
        ids = geopandas.read_parquet(full / table)["id"]
        assert sorted(geopandas.read_parquet(slim / table)["id"]) == sorted(ids)
        assert {f"{name}.json" for name in ids} <= {path.name for path in full.rglob("*.json")}


def test_a_lost_journal_costs_only_time(tiny: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    build(tiny, out=tmp_path / "corpus")
    (tmp_path / "corpus" / JOURNAL).unlink()
    build(tiny, out=tmp_path / "corpus")
    assert digest_of(tmp_path / "corpus") == digest_of(tiny_corpus)


def test_bad_labels_name_the_file_and_the_rows(tiny: Path, tmp_path: Path) -> None:
    text = (tiny / "landloom.yaml").read_text(encoding="utf-8").replace("column: CODE_18", "column: ID")
    (tmp_path / "landloom.yaml").write_text(text.replace("archive/", f"{tiny}/archive/"), encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"landcover\.gpkg: .*bad rows\n.*- feature \d+: no class of clc"):
        build(tmp_path / "landloom.yaml")


def test_labels_elsewhere_are_a_mistake(tiny: Path, tmp_path: Path) -> None:
    """Of those that the draw needs, and of others that the samples get."""
    text = (tiny / "landloom.yaml").read_text(encoding="utf-8").replace("archive/", f"{tiny}/archive/")
    moved = geopandas.read_file(tiny / "archive" / "landcover.gpkg")
    moved.geometry = moved.geometry.translate(1e5, 1e5)
    moved.to_file(tmp_path / "moved.gpkg")
    document = yaml.safe_load(text)
    other = document["labels"]["clc"] | {"file": "moved.gpkg"}
    for labels in ({"clc": other}, {**document["labels"], "more": other}):
        document["labels"] = labels
        (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        with pytest.raises(InvalidInputError, match=r"moved\.gpkg: no label lies in any of the"):
            build(tmp_path)
    assert not (tmp_path / "corpus" / "corpus.json").exists()
    other["allow_empty"] = True
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    assert "more: 6 of 6 samples without any label" in build(tmp_path).notes
