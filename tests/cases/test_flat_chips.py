"""A chip that cannot be right fails alone: it is named, tried again, and missing only if one says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.cases.odd_scenes import CELL, RAMP, TERMS, Form, write_catalog, write_recipe, write_scene

from landloom.corpus.audit.validate import audit
from landloom.engine.shards import Shard
from landloom.errors import BuildError
from landloom.pipelines.build import build
from landloom.pipelines.shards.build import build_shard
from landloom.pipelines.status import read_status
from landloom.query.corpus import Corpus
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

FLAT = Form(factor=0.0, plus=1_234.0)
"""Every pixel of a scene has one value, as of a file that was written before its numbers were there."""
WHAT = f"{CELL} 2018-06: band 1: all observed pixels are 1234, band 2: all observed pixels are 1234"


def archive(folder: Path, june: Form) -> None:
    red = {"href": "./B04.tif"}
    for day, form in {"2018-06-05": june, "2018-07-05": Form()}.items():
        write_scene(
            folder / "archive",
            day,
            f"{day}T10:00:00Z",
            form,
            assets={"B04": red, "B08": red, "SCL": {"href": "./SCL.tif"}},
        )
    write_catalog(folder / "archive", ["2018-06-05", "2018-07-05"])


def recipe(folder: Path, **changes: Any) -> Path:
    product = {"kind": "composite", "bands": ["B04", "B08"], "dilate": 0, "terms": TERMS}
    period = {"start": "2018-06-01", "end": "2018-08-01"}
    return write_recipe(folder, period=period, products={"s2": product}, layouts=["chips", "cubes"], **changes)


def test_only_the_chip_fails_and_the_next_build_tries_it_again(tmp_path: Path) -> None:
    archive(tmp_path, FLAT)
    with pytest.raises(BuildError, match="1 unit failed") as caught:
        build(recipe(tmp_path))
    assert [problem.what for problem in caught.value.problems] == [WHAT]
    assert read_status(tmp_path / "corpus").failures == (f"s2/33N_16E-243N (attempt 1): {WHAT}",)
    report = build(recipe(tmp_path), allow_missing=True)
    assert any(WHAT in note for note in report.notes)
    assert audit(LocalStore(report.corpus), digests=True).problems == ()
    selection = Corpus.open(str(report.corpus)).query()
    assert [(asset.product, asset.timestep) for asset in selection.assets] == [("s2", "2018-07"), ("count", "2018-07")]
    cube = selection.cube(str(CELL), "s2")
    assert cube.observed.values.tolist() == [False, True]
    assert not cube.values[0].any()
    assert cube.values[1].max() == RAMP[30:90, 30:90].max()


def test_shards_name_the_chip_once(tmp_path: Path) -> None:
    archive(tmp_path, FLAT)
    with pytest.raises(BuildError, match="1 unit failed"):
        build_shard(recipe(tmp_path), Shard(1, 1))
    with pytest.raises(BuildError) as caught:
        build(recipe(tmp_path), finish=True)
    assert [problem.what for problem in caught.value.problems] == [WHAT]
    report = build(recipe(tmp_path), finish=True, allow_missing=True)
    assert report.units_run == 0
    assert [note for note in report.notes if "2018-06" in note] == [f"s2/33N_16E-243N: {WHAT}"]


def test_a_mended_archive_heals_the_corpus(tmp_path: Path) -> None:
    archive(tmp_path / "late", FLAT)
    build(recipe(tmp_path / "late"), allow_missing=True)
    archive(tmp_path / "good", Form())
    for name in ("B04.tif", "SCL.tif"):
        good = tmp_path / "good/archive/2018-06-05" / name
        (tmp_path / "late/archive/2018-06-05" / name).write_bytes(good.read_bytes())
    healed, built = build(recipe(tmp_path / "late")), build(recipe(tmp_path / "good"))
    assert healed.units_run == 1
    assert (healed.corpus / "digest.json").read_bytes() == (built.corpus / "digest.json").read_bytes()
