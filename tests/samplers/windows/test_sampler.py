"""Samples of windows: whole corpora around parcels and where labels are, and recipes that fit together."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely
import yaml
from tests.projects import EAST, SERIES, fields, load, write_series

from landloom.corpus.audit.validate import audit
from landloom.corpus.finished import FinishedCorpus
from landloom.engine.context import build_context
from landloom.engine.plan import gather
from landloom.errors import BuildError, RecipeError
from landloom.formats.geotiff import decode_geotiff
from landloom.pipelines.build import build
from landloom.pipelines.registry import REGISTRY, Recipe
from landloom.publication.sample_files import export_samples
from landloom.samplers.windows.sampler import ParcelWindowsSampler, WindowGridSampler
from landloom.samplers.windows.section import ParcelWindows, WindowGrid
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas

    from landloom.engine.placement import Placement


@pytest.mark.parametrize("others", ["background", "keep"])
def test_a_corpus_around_parcels(tiny_archive: Path, tmp_path: Path, others: str) -> None:
    samples = {"draw": "parcels", "others": others, "vertices": 16}
    folder = write_series(tmp_path, tiny_archive, samples=samples, layouts=["cubes"])
    build(folder)
    assert audit(open_store(str(folder / "corpus"))).problems == ()
    there = FinishedCorpus.open(str(folder / "corpus"))
    rows = list(csv.DictReader(io.StringIO((folder / "corpus/resources/series_parcel_windows.csv").read_text())))
    shapes = fields().to_crs(EAST.epsg).set_index("id").geometry
    strangers = 0
    for row in rows:
        sample = next(one for part in there.tiles.values() for one in part if str(one.id) == row["sample"])
        ids = decode_geotiff(there.store.get(there.info.layout.raster_label(sample.id, "ids", "1")))[0][0]
        own = int(row["parcel"])
        strangers += len(set(np.unique(ids).tolist()) - {0, own})
        if row["whole"] == "yes" and others == "background":
            cells = [sample.grid(10).window(r, c, 1, 1).outline() for r in range(24) for c in range(24)]
            touched = shapely.intersection(shapes[own], cells)
            area = shapely.area(touched).reshape(24, 24)
            assert (ids[area > 1e-3] == own).all()
            assert (ids[area == 0] == 0).all()
    assert (strangers > 0) == (others == "keep")
    export_samples(str(folder / "corpus"), tmp_path / "pickles")
    one = load(next((tmp_path / "pickles").glob("*.pickle")))
    assert one["poly_fixed"].shape == (16, 2)
    assert one["parcel"] in shapes.index


def large() -> geopandas.GeoDataFrame:
    frame = fields()
    return frame[frame.area > frame.area.quantile(0.8)]


def placed(folder: Path, archive: Path, **changes: Any) -> Placement:
    """Where the samples of a recipe of windows with a few large fields lie."""
    write_series(folder, archive, **changes)
    large().to_file(folder / "parcels.gpkg")
    project = REGISTRY.open(folder)
    with build_context(folder / "corpus") as context:
        inputs, _ = gather(project, REGISTRY, context)
    return inputs.placement


def test_windows_with_labels_are_those_that_fields_reach(tiny_archive: Path, tmp_path: Path) -> None:
    """A share of 0 asks for a labelled pixel at all; more asks for more; all of them are windows of the region."""
    every = placed(tmp_path / "all", tiny_archive)
    some = placed(tmp_path / "some", tiny_archive, samples={"labelled": 0.0})
    most = placed(tmp_path / "most", tiny_archive, samples={"labelled": 0.3})
    ids = [{str(one.id) for one in placement.samples} for placement in (every, some, most)]
    assert ids[2] < ids[1] < ids[0]
    shapes = large().to_crs(EAST.epsg).geometry.to_numpy()
    for sample in every.samples:
        covered = shapely.union_all(shapely.intersection(shapely.box(*sample.bounds), shapes)).area / 240**2
        edge = 0.05  # a pixel has a label also where a field covers little of it
        assert (str(sample.id) in ids[1]) == (covered > 0) or covered < edge
        assert (str(sample.id) in ids[2]) == (covered >= 0.3) or abs(covered - 0.3) < edge


def test_each_window_is_a_sample_of_each_label_year(tiny_archive: Path, tmp_path: Path) -> None:
    """The same places, in the order of their ids."""
    seasons = {
        2017: {"start": "2018-06-01", "end": "2018-06-20"},
        2018: {"start": "2018-06-20", "end": "2018-08-01"},
    }
    write_series(tmp_path, tiny_archive)
    document = yaml.safe_load((tmp_path / "landloom.yaml").read_text(encoding="utf-8"))
    del document["parcels"]
    document["samples"]["seasons"] = seasons
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    project = REGISTRY.open(tmp_path)
    with build_context(tmp_path / "corpus") as context:
        placement = gather(project, REGISTRY, context)[0].placement
    years = [getattr(one.id, "year", None) for one in placement.samples]
    assert years.count(2017) == years.count(2018) == len(years) / 2 > 5
    assert [str(one.id) for one in placement.samples] == sorted(str(one.id) for one in placement.samples)
    bounds = {year: [one.bounds for one in placement.samples if getattr(one.id, "year", 0) == year] for year in seasons}
    assert bounds[2017] == bounds[2018]
    assert placement.prepared is None


def test_parcels_that_cannot_be_read_end_the_placing(tiny_archive: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="krop"):
        placed(tmp_path, tiny_archive, parcels={"columns": {"ground_truth": "krop"}})


@pytest.mark.parametrize(
    ("changes", "without", "where"),
    [
        ({"samples": {"draw": "parcels"}}, "parcels", "samples.draw"),
        ({"samples": {"draw": "windows", "labelled": 0.5}}, "parcels", "samples.labelled"),
        (
            {"samples": {"draw": "windows", "seasons": {2018: {"start": "2017-06-01", "end": "2018-07-01"}}}},
            None,
            "samples.seasons.2018",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, Any], without: str | None, where: str) -> None:
    document = yaml.safe_load(SERIES) | changes
    if without is not None:
        del document[without]
    with pytest.raises(RecipeError) as refused:
        Recipe.parse(document)
    assert [problem.where for problem in refused.value.problems] == [where]


def test_seasons_name_the_years_of_parcels_and_nothing_else_does() -> None:
    document = yaml.safe_load(SERIES)
    document["samples"]["seasons"] = {2018: {"start": "2018-06-01", "end": "2018-07-01"}}
    document["parcels"]["year"] = 2018
    with pytest.raises(RecipeError) as refused:
        Recipe.parse(document)
    assert [problem.where for problem in refused.value.problems] == ["parcels.year"]


def test_rows_and_columns_state_how_many_there_are() -> None:
    grid, around = WindowGridSampler(), ParcelWindowsSampler()
    section = WindowGrid(draw="windows", rows=3, columns=5, size=24, resolution=20)
    stated = grid.stated(None, section)  # type: ignore[arg-type]
    assert (stated.count, stated.tiles, stated.zones, stated.side) == (15, 1, 1, 480.0)
    for open_ended in (
        grid.stated(None, WindowGrid(draw="windows", rows=3)),  # type: ignore[arg-type]
        around.stated(None, ParcelWindows(draw="parcels")),  # type: ignore[arg-type]
    ):
        assert (open_ended.count, open_ended.side) == (None, 240.0)
