"""The demo of parcels: products ordered and fetched, claims, samples, a corpus, pickles, and a page about all of it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
from tests.chromium import look_at_file, watched
from tests.projects import load

from landloom.engine.executors import processes
from landloom.pipelines.demos.parcels import demo_spec, run_demo_parcels
from landloom.publication.sample_files import INDEX

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.pipelines.demos.parcels import ParcelsDemo


def test_the_world_is_one_place_that_two_granules_show() -> None:
    spec = demo_spec()
    assert [place.name for place in spec.places] == ["west"]
    assert {view.granule for view in spec.views} == {"32UPA", "32UQA"}
    assert all(63 <= view.first <= (view.last or 365) <= 305 for view in spec.views)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(place: Path) -> ParcelsDemo:
    """Its first run."""
    return run_demo_parcels(place, factory=processes(2), workers=2)


@pytest.mark.slow
def test_the_demo_runs_and_a_second_run_does_nothing_twice(place: Path, first: ParcelsDemo) -> None:
    fetched = {path.name: path.stat().st_mtime_ns for path in (place / "products").glob("*.zip")}
    assert len(fetched) == first.scenes
    assert 0 < first.ordered < first.scenes
    assert first.rasters.labelled > 0
    with (place / "samples" / INDEX).open(newline="") as file:
        paths = [row["sample_path"] for row in csv.DictReader(file) if row["sample_path"]]
    assert len(paths) == first.samples.files == first.build.samples
    assert load(place / "samples" / paths[0])["B02"].ndim == 3
    page = first.page.read_text(encoding="utf-8")
    for heading in ("Scenes", "Parcels", "Samples", "One series", "Contents of a pickle"):
        assert f"<h2>{heading}</h2>" in page
    again = run_demo_parcels(place)
    assert again.build.units_run == 0
    assert {path.name: path.stat().st_mtime_ns for path in (place / "products").glob("*.zip")} == fetched
    assert (again.scenes, again.samples.files) == (first.scenes, first.samples.files)


@pytest.mark.slow
def test_its_page_is_whole_in_every_window(first: ParcelsDemo) -> None:
    with watched() as found:
        look_at_file(found, first.page, "parcels-page")
