"""Samples without a single observation in a year end the build, unless the recipe allows them; then all is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.cases.odd_scenes import CELL, TERMS, Form, write_catalog, write_recipe, write_scene

from landloom.corpus.audit.validate import audit
from landloom.errors import LandloomError
from landloom.model.ids import SampleId
from landloom.pipelines.build import build
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

FAR = SampleId.parse("33N_16E-243N_29_20")
"""A cell of the same tile that no scene reaches."""
TWO = {"draw": "list", "ids": [str(CELL), str(FAR)]}
SERIES = {"native": {"kind": "series", "bands": ["B04"], "valid": False, "terms": TERMS}}
GRANULES: dict[str, Any] = {
    "products": {"s2": {"kind": "granule-series", "bands": ["B04"], "filled": False, "terms": TERMS}},
    "samples": {"draw": "granules", "granules": ["33UUU"], "chips": 1, "size": 48},
    "scenes": {"policy": "all"},
}


def archive(folder: Path, *days: str, form: Form | None = None) -> None:
    for day in days:
        write_scene(folder / "archive", f"d{day}", f"{day}T10:00:00Z", form or Form())
    write_catalog(folder / "archive", [f"d{day}" for day in days])


@pytest.mark.parametrize("changes", [{}, {"products": SERIES}, GRANULES], ids=["composite", "series", "granules"])
def test_a_product_of_which_every_scene_fell_away_is_refused_with_the_reason(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    archive(tmp_path, "2018-06-05", "2018-06-15", form=Form(asset={"href": "./gone.tif"}))
    with pytest.raises(LandloomError, match=r"d2018-06-05/B04: .*(No such file|no such file)"):
        build(write_recipe(tmp_path, **changes))
    assert not (tmp_path / "corpus" / "corpus.json").exists()


@pytest.mark.parametrize("products", [{}, {"products": SERIES}], ids=["composite", "series"])
def test_a_sample_that_nothing_shows_is_refused_by_name(products: dict[str, Any], tmp_path: Path) -> None:
    archive(tmp_path, "2018-06-05")
    with pytest.raises(LandloomError, match=str(FAR)) as caught:
        build(write_recipe(tmp_path, samples=TWO, **products))
    assert str(CELL) not in str(caught.value)
    assert "allow_blank: true" in str(caught.value)


def test_every_year_counts(tmp_path: Path) -> None:
    archive(tmp_path, "2018-06-05")
    period = {"start": "2018-01-01", "end": "2020-01-01"}
    with pytest.raises(LandloomError, match="from 2019-01-01 to 2020-01-01"):
        build(write_recipe(tmp_path, period=period))
    archive(tmp_path / "both", "2018-06-05", "2019-06-05")
    build(write_recipe(tmp_path / "both", period=period))


def test_a_blank_month_of_a_year_is_no_fault(tmp_path: Path) -> None:
    archive(tmp_path, "2018-06-05")
    report = build(write_recipe(tmp_path, period={"start": "2018-05-01", "end": "2018-08-01"}))
    found = audit(LocalStore(report.corpus))
    assert found.problems == ()
    assert "s2: 2 of 3 chips hold no observation" in found.notes


@pytest.mark.parametrize("layouts", [["chips"], ["cubes"], ["chips", "cubes"]])
def test_what_is_allowed_is_said_and_counted(layouts: list[str], tmp_path: Path) -> None:
    archive(tmp_path, "2018-06-05")
    report = build(write_recipe(tmp_path, samples=TWO, layouts=layouts, allow_blank=True))
    assert any("no observation of 1 sample" in note and str(FAR) in note for note in report.notes)
    found = audit(LocalStore(report.corpus), digests=True)
    assert found.problems == ()
    assert f"s2: 1 of 2 chips hold no observation; of 1 of 2 samples none does ({FAR})" in found.notes
    unread = audit(LocalStore(report.corpus), digests=False).unchecked
    assert any("blank chips of s2" in line for line in unread) == (layouts == ["cubes"])


def test_a_scene_that_comes_later_mends_what_was_refused(tmp_path: Path) -> None:
    """Refused units count as failed, so that the next build makes them again."""
    archive(tmp_path, "2018-06-05", form=Form(asset={"href": "./late.tif"}))
    with pytest.raises(LandloomError, match=r"late\.tif|No such file|no such file"):
        build(write_recipe(tmp_path))
    home = tmp_path / "archive" / "d2018-06-05"
    (home / "B04.tif").rename(home / "late.tif")
    assert build(tmp_path).units_run == 1
