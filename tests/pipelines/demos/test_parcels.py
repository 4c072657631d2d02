"""The demo of parcels: products ordered and fetched, claims, samples, a corpus, pickles, and a page about all of it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
from tests.projects import load

from landloom.engine.executors import processes
from landloom.pipelines.demos.parcels import demo_spec, run_demo_parcels
from landloom.publication.sample_files import INDEX

if TYPE_CHECKING:
    from pathlib import Path


def test_the_world_is_one_place_that_two_granules_show() -> None:
    spec = demo_spec()
    assert [place.name for place in spec.places] == ["west"]
    assert {view.granule for view in spec.views} == {"32UPA", "32UQA"}
    assert all(63 <= view.first <= (view.last or 365) <= 305 for view in spec.views)


@pytest.mark.slow
def test_the_demo_runs_and_a_second_run_does_nothing_twice(tmp_path: Path) -> None:
    first = run_demo_parcels(tmp_path, factory=processes(2), workers=2)
    fetched = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "products").glob("*.zip")}
    assert len(fetched) == first.scenes
    assert 0 < first.ordered < first.scenes
    assert first.rasters.labelled > 0
    with (tmp_path / "samples" / INDEX).open(newline="") as file:
        paths = [row["sample_path"] for row in csv.DictReader(file) if row["sample_path"]]
    assert len(paths) == first.samples.files == first.build.samples
    assert load(tmp_path / "samples" / paths[0])["B02"].ndim == 3
    page = first.page.read_text(encoding="utf-8")
    for heading in ("Scenes", "Parcels", "Samples", "One series", "Contents of a pickle"):
        assert f"<h2>{heading}</h2>" in page
    again = run_demo_parcels(tmp_path)
    assert again.build.units_run == 0
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "products").glob("*.zip")} == fetched
    assert (again.scenes, again.samples.files) == (first.scenes, first.samples.files)
