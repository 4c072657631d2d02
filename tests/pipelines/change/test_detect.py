"""Breaks in the series of a built corpus: written back as raster labels, or told per sample."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pytest
import rasterio

from landloom.corpus.audit.validate import validate
from landloom.errors import InvalidInputError, NotFoundError
from landloom.imagery.change.breaks import BreakTest
from landloom.pipelines.change.detect import change_rasters, change_samples
from landloom.pipelines.change.series import ChangeSettings, IndexSeries
from landloom.query.corpus import Corpus
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

EASY = BreakTest(direction="both", magnitude=0.05, score=2.0, most=2)


@pytest.fixture
def corpus(fused: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return shutil.copytree(fused / "corpus", tmp_path / "corpus")


def test_rasters_are_labels_of_the_corpus(corpus: Path) -> None:
    settings = ChangeSettings(product="pfsr", test=EASY)
    done = change_rasters(str(corpus), settings)
    assert (done.added, done.product, done.version) == (True, "change", "1")
    assert validate(open_store(str(corpus))) == []
    opened = Corpus.open(corpus)
    sample = opened.query().ids[0]
    found = IndexSeries.read(opened, sample, settings).breaks(EASY)
    dates = opened.query().cube(sample, product="change").values[0]
    np.testing.assert_array_equal(dates > 0, np.isfinite(found.date))
    assert done.changed >= int((found.count > 0).sum())
    (path,) = corpus.glob(f"labels/**/{sample}/change_magnitude-1.tif")
    with rasterio.open(path) as file:
        assert file.descriptions == ("magnitude_1", "magnitude_2")
        stored = file.read()
    there = np.isfinite(found.change)
    np.testing.assert_allclose(stored[there] / 10_000, found.change[there], atol=1e-4)
    lineage = orjson.loads((corpus / "resources" / f"{opened.name}_change_lineage.json").read_bytes())
    assert lineage["product"] == "pfsr"
    assert set(lineage["changed"]) == set(opened.query().ids)
    assert lineage["files"] != "0 files"
    again = change_rasters(str(corpus), settings)
    assert (again.added, again.product) == (False, "change")
    other = change_rasters(str(corpus), ChangeSettings(product="pfsr", test=BreakTest(most=1)))
    assert (other.added, other.product) == (True, "change_v2")
    assert validate(open_store(str(corpus))) == []


def test_samples_as_a_whole(fused: Path) -> None:
    opened = Corpus.open(fused / "corpus")
    rows = change_samples(opened.query(), ChangeSettings(product="pfsr", test=EASY))
    assert {row.sample for row in rows} == set(opened.query().ids)
    for row in rows:
        assert (row.date is None) == (row.change is None) == (row.margin is None)


def test_a_mean_does_not_depend_on_which_pixels_are_clear() -> None:
    rng = np.random.default_rng(0)
    levels = rng.uniform(0.2, 0.8, (1, 10, 10))
    course = np.where(np.arange(40) < 20, 0.1, -0.1)[:, None, None]
    series = IndexSeries(
        grid=None,  # type: ignore[arg-type]
        days=np.arange(40, dtype=np.float64) * 5,
        values=(levels + course).astype(np.float32),
        variance=np.full((40, 10, 10), 1e-4, np.float32),
        valid=rng.random((40, 10, 10)) < 0.7,
    )
    mean = series.mean()
    assert mean.valid.all()
    assert np.diff(mean.values[:20, 0, 0]).std() < 0.01
    (date,) = mean.breaks(BreakTest(magnitude=0.1, most=1)).date[:, 0, 0]
    assert date == pytest.approx(97.5)


def test_what_cannot_be_looked_at_is_refused(fused: Path) -> None:
    opened = Corpus.open(fused / "corpus")
    with pytest.raises(InvalidInputError, match="expected B12 or SWIR2"):
        change_samples(opened.query(), ChangeSettings(product="pfsr", index="nbr"))
    with pytest.raises(InvalidInputError, match="expected one of pfsr"):
        change_samples(opened.query(), ChangeSettings(product="pfqa"))
    with pytest.raises(NotFoundError, match="nothing"):
        change_samples(opened.query(), ChangeSettings(product="nothing"))


def test_from_the_command_line(corpus: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    done = run("change", str(corpus), "--product", "pfsr", "--magnitude", "0.05", "--score", "2", "--workers", "1")
    assert done.code == 0, done.err
    assert "pixels change abruptly" in done.out
    assert "added change, change_margin" in done.out
    table = tmp_path / "change.csv"
    told = run("change", str(corpus), "--product", "pfsr", "--per", "sample", "--out", str(table), "--workers", "1")
    assert told.code == 0, told.err
    assert table.read_text(encoding="utf-8").startswith("sample,date,margin,change,score\n")
    wrong = run("change", str(corpus), "--product", "pfsr", "--out", str(table))
    assert wrong.code == 1
    assert "expected --per sample" in wrong.err
