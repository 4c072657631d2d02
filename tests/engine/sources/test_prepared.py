"""Parcels prepared once for a corpus: kept whole, read back near a window, and label years each with its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import orjson
import pytest
import shapely
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.labels.whole import rasterise_parcels
from tests.products.parcels.squares import COLUMNS, GRID, squares
from tests.projects import SERIES, digest_of, fields, load, two_years, write_series

from landloom.corpus.audit.validate import audit
from landloom.corpus.finished import FinishedCorpus
from landloom.engine.context import build_context, run_stage
from landloom.engine.project import Project
from landloom.engine.sources.parcels import read_parcels
from landloom.engine.sources.prepared import (
    label_times,
    labelled_shares,
    labels_period,
    load_parcels,
    mapping_document,
    prepare_unit,
    read_mapping,
)
from landloom.errors import BuildError, InvalidInputError, RecipeError
from landloom.formats.geotiff import decode_geotiff
from landloom.labels.classes import class_mapping
from landloom.labels.parcel_table import LabelYear
from landloom.labels.parcels import parcels_of
from landloom.model.recipe import ParcelSource
from landloom.pipelines.build import build
from landloom.pipelines.registry import Recipe
from landloom.publication.sample_files import export_samples
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.model.grid import Grid
    from landloom.model.sample import Sample

SEASONS = {
    2017: {"start": "2018-06-01", "end": "2018-06-20"},
    2018: {"start": "2018-06-20", "end": "2018-08-01"},
}
"""The world has one summer: its halves stand for two years."""


def project(folder: Path, **changes: Any) -> Project:
    return Project(recipe=Recipe.parse(yaml.safe_load(SERIES.replace("ARCHIVE", "a")) | changes), folder=folder)


# What is kept -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[LocalStore, str]:
    """The squares, prepared for windows of 240 m."""
    folder = tmp_path_factory.mktemp("prepared")
    squares().to_parquet(folder / "parcels.parquet")
    section = ParcelSource(file="parcels.parquet", columns=COLUMNS)
    windows = GRID.window(0, 0, 1_080, 1_200), 45, 50
    with build_context(folder / "corpus") as context:
        one = prepare_unit(project(folder), section, context, GRID, windows)
        assert run_stage("preparing", [one], context) == []
        entry = context.journal.get(one.id)
    assert entry is not None
    (note,) = entry.outcome.notes
    assert (note.what, note.count) == ("parcels rejected", 1 + outside(folder / "parcels.parquet"))
    return LocalStore(folder / "corpus"), str(folder / "parcels.parquet")


def outside(path: Path) -> int:
    """Squares that lie wholly beside the grid, of those that are read at all."""
    parcels = read_parcels(str(path), GRID, columns=COLUMNS)
    return int((~shapely.intersects(parcels.geometries, shapely.box(*GRID.bounds))).sum())


def test_parcels_come_back_as_they_were_read(prepared: tuple[LocalStore, str]) -> None:
    store, path = prepared
    read = read_parcels(path, GRID, columns=COLUMNS)
    near = shapely.intersects(read.geometries, shapely.box(*GRID.bounds))
    found = load_parcels(store, GRID)
    assert found.parcels.ids.tolist() == read.ids[near].tolist()
    assert found.parcels.values.tolist() == read.values[near].tolist()
    assert shapely.equals(found.parcels.geometries, read.geometries[near]).all()
    assert found.parcels.mapping == read.mapping == read_mapping(store)
    assert found.clipped.tolist() == [not shapely.box(*GRID.bounds).covers(shape) for shape in found.parcels.geometries]


@given(st.integers(-20, 1200), st.integers(-20, 1100), st.integers(1, 200))
def test_those_near_a_window_are_all_that_it_can_show(
    prepared: tuple[LocalStore, str], row: int, column: int, side: int
) -> None:
    box = GRID.window(row, column, side, side).bounds
    every, near = load_parcels(prepared[0], GRID).parcels, load_parcels(prepared[0], GRID, box).parcels
    touching = shapely.relate_pattern(every.geometries, shapely.box(*box), "T********")
    assert set(every.ids[touching].tolist()) <= set(near.ids.tolist()) <= set(every.ids.tolist())
    assert near.ids.tolist() == sorted(near.ids.tolist())


def test_shares_of_windows_are_counted_in_the_raster(prepared: tuple[LocalStore, str]) -> None:
    store, path = prepared
    shares = np.load(store.root / ".landloom/parcels/labelled.npy")
    whole, _ = rasterise_parcels(geopandas.read_parquet(path), GRID, columns=COLUMNS)
    marked = (whole.classes != 0)[:1_080, :1_200]
    wanted = marked.reshape(45, 24, 50, 24).mean(axis=(1, 3))
    np.testing.assert_allclose(shares, wanted, atol=1e-6)


def test_background_and_what_is_to_be_ignored_is_no_label() -> None:
    frame = squares()
    grid = GRID.window(0, 0, 480, 480)
    options: dict[str, Any] = {"classes": {"maize": 1, "meadow": 3}, "unmapped": "ignore", "codes": {"ignore": 9}}
    parcels = parcels_of(frame, columns=COLUMNS, **options)
    shares = labelled_shares(parcels, grid, 20, 20)
    whole, _ = rasterise_parcels(frame, grid, columns=COLUMNS, **options)
    assert (whole.classes == 9).any()
    assert parcels.mapping is not None
    marked = (whole.ids > 0) & (whole.classes != parcels.mapping.background) & (whole.classes != 9)
    np.testing.assert_allclose(shares, marked.reshape(20, 24, 20, 24).mean(axis=(1, 3)), atol=1e-6)


@given(st.dictionaries(st.text(min_size=1, max_size=4), st.integers(1, 9), max_size=4))
def test_a_mapping_comes_back(codes: dict[str, int]) -> None:
    named = {name.strip(): code for name, code in codes.items() if name.strip()}
    mapping = class_mapping(named, named)
    document = orjson.loads(orjson.dumps(mapping_document(mapping)))
    assert document["codes"] == dict(mapping.codes)
    assert document["dtype"] == mapping.dtype.name
    assert mapping_document(None) is None


def test_the_unit_is_made_anew_for_whatever_decides_its_files(tmp_path: Path) -> None:
    squares().to_parquet(tmp_path / "a.parquet")
    squares().head(9).to_parquet(tmp_path / "b.parquet")
    (tmp_path / "classes.csv").write_text("value,code\nmaize,1\nwheat,2\nmeadow,3\n", encoding="utf-8")
    plain = ParcelSource(file="a.parquet", columns=COLUMNS)
    windows = GRID.window(0, 0, 24, 24), 1, 1
    other_time = {"start": "2018-06-01", "end": "2018-07-01"}
    with build_context(tmp_path / "corpus") as context:

        def key(section: ParcelSource, grid: Grid = GRID, windows: Any = None, **changes: Any) -> str:
            return prepare_unit(project(tmp_path, **changes), section, context, grid, windows).key

        keys = [
            key(plain),
            key(plain.model_copy(update={"file": "b.parquet"})),
            key(plain.model_copy(update={"invalid": "repair"})),
            key(plain.model_copy(update={"classes": "classes.csv"})),
            key(plain.model_copy(update={"year": 2018})),
            key(plain, grid=GRID.window(0, 0, 60, 60)),
            key(plain, windows=windows),
            key(plain, period=other_time),
        ]
        assert len(set(keys)) == len(keys)
        (tmp_path / "c.parquet").write_bytes((tmp_path / "a.parquet").read_bytes())
        assert key(plain.model_copy(update={"file": "c.parquet"})) == keys[0], "a name is no content"


# Label years ------------------------------------------------------------------------------------------------------


def test_labels_are_of_the_period_of_a_year_or_of_each_season(tmp_path: Path) -> None:
    plain, numbered = ParcelSource(file="a"), ParcelSource(file="a", year=2018)
    assert label_times(plain, project(tmp_path)) == {None: ("2018-06-01", "2018-08-01")}
    assert label_times(numbered, project(tmp_path)) == {None: LabelYear(year=2018)}
    seasonal = project(tmp_path, samples={"draw": "windows", "seasons": SEASONS})
    assert label_times(plain, seasonal) == {
        2017: LabelYear(year=2017, season=("2018-06-01", "2018-06-20")),
        2018: LabelYear(year=2018, season=("2018-06-20", "2018-08-01")),
    }
    assert labels_period(plain, seasonal) == labels_period(plain, project(tmp_path)) == ("2018-06-01", "2018-08-01")
    assert labels_period(numbered, project(tmp_path)) == ("2018-01-01", "2019-01-01")


@pytest.fixture(scope="module")
def corpus(tiny_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_series(
        tmp_path_factory.mktemp("seasons"), tiny_archive, samples={"seasons": SEASONS, "labelled": 0.05}
    )
    two_years(folder)
    build(folder)
    return folder / "corpus"


def of_year(there: FinishedCorpus, year: int) -> list[Sample]:
    return [one for part in there.tiles.values() for one in part if getattr(one.id, "year", None) == year]


def classes(there: FinishedCorpus, sample: Sample) -> Any:
    return decode_geotiff(there.store.get(there.info.layout.raster_label(sample.id, "classes", "1")))[0][0]


def test_each_sample_has_the_labels_of_its_year(corpus: Path, shared_schemas: Path) -> None:
    there = FinishedCorpus.open(str(corpus))
    assert audit(there.store, schemas=shared_schemas, digests=True).problems == ()
    codes = {row["value"]: row["code"] for row in there.info.class_mappings["classes"] if row["value"]}
    assert set(codes) == {"maize", "meadow", "rye", "wheat"}
    after = {codes["maize"]: codes["wheat"], codes["wheat"]: codes["meadow"], codes["meadow"]: codes["rye"], 0: 0}
    first, second = of_year(there, 2017), of_year(there, 2018)
    assert len(first) == len(second) > 10
    for old, new in zip(first, second, strict=True):
        assert old.bounds == new.bounds
        mapped = np.vectorize(after.get)(classes(there, old))
        np.testing.assert_array_equal(classes(there, new), mapped)
    rejected = (corpus / "resources" / "series_rejected_parcels.csv").read_text()
    assert rejected.count("of 2016, in no season") == 3
    assert "of 2017" not in rejected


def test_each_sample_has_the_dates_of_its_season(corpus: Path, tmp_path: Path) -> None:
    there = FinishedCorpus.open(str(corpus))
    item = there.info.product("s2_10m")
    for tile, samples in there.tiles.items():
        for sample, row in zip(samples, there.exists()[tile]["s2_10m"], strict=True):
            shown = [step.stamp for step, ok in zip(item.timesteps, row, strict=True) if ok]
            season = SEASONS[getattr(sample.id, "year", 0)]
            assert shown
            assert all(season["start"] <= f"{stamp:%Y-%m-%d}" < season["end"] for stamp in shown)
    report = export_samples(str(corpus), tmp_path)
    years = [load(path)["year"] for path in sorted(tmp_path.glob("*.pickle"))]
    assert report.files == len(years) == sum(map(len, there.tiles.values()))
    assert sorted(set(years)) == [2017, 2018]


def test_a_window_around_each_parcel_of_each_year(tiny_archive: Path, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"draw": "parcels", "size": 24, "others": "background", "seasons": SEASONS}
    folder = write_series(tmp_path, tiny_archive, samples=changes, layouts=["cubes"])
    two_years(folder)
    build(folder)
    there = FinishedCorpus.open(str(folder / "corpus"))
    table = (folder / "corpus" / "resources" / "series_parcel_windows.csv").read_text().splitlines()
    assert len(table) - 1 == len(of_year(there, 2017)) + len(of_year(there, 2018)) > 20
    for sample in (of_year(there, 2017)[0], of_year(there, 2018)[0]):
        assert len(np.unique(classes(there, sample))) <= 2


def test_two_years_in_one_season_are_a_mistake(tiny_archive: Path, tmp_path: Path) -> None:
    """A season across New Year meets parcels of two years: one of them has to be named."""
    season = {"start": "2017-10-01", "end": "2018-10-01"}
    folder = write_series(tmp_path, tiny_archive, period=season)
    two_years(folder)
    with pytest.raises(BuildError, match="would overlap each other"):
        build(folder)
    folder = write_series(tmp_path, tiny_archive, period=season, parcels={"year": 2018}, layouts=["cubes"])
    two_years(folder)
    build(folder)
    mapping = FinishedCorpus.open(str(folder / "corpus")).info.class_mappings["classes"]
    assert {row["value"] for row in mapping if row["value"]} == {"meadow", "rye", "wheat"}


def test_seasons_lie_in_the_period(tiny_archive: Path, tmp_path: Path) -> None:
    seasons = {2018: {"start": "2017-10-01", "end": "2018-10-01"}}
    folder = write_series(tmp_path, tiny_archive, samples={"seasons": seasons})
    with pytest.raises(RecipeError, match=r"samples\.seasons\.2018"):
        build(folder)


def test_validity_in_days_goes_by_the_season() -> None:
    """Winter wheat is of the year that it is harvested in, and a year's number goes before any season."""
    frame = (
        fields()
        .head(3)
        .assign(
            valid_from=["2017-10-05", "2018-10-05", "2018-03-01"], valid_to=["2018-07-20", "2019-07-20", "2018-09-10"]
        )
    )
    season = LabelYear(year=2018, season=("2017-10-01", "2018-10-01"))
    roles = {"ground_truth": "crop"}
    taken = parcels_of(frame, columns=roles, period=season)
    assert taken.ids.tolist() == [frame["id"].iloc[0], frame["id"].iloc[2]]
    assert taken.rejected[0].when == "valid 2018-10-05 to 2019-07-20"
    numbered = frame.drop(columns=["valid_from", "valid_to"]).assign(year=[2017, 2018, 2019])
    assert parcels_of(numbered, columns=roles, period=season).ids.tolist() == [frame["id"].iloc[1]]
    with pytest.raises(InvalidInputError, match="no column of one"):
        parcels_of(numbered.drop(columns="year"), columns=roles, period=LabelYear(year=2018))


def test_a_rebuild_runs_nothing(corpus: Path) -> None:
    before = digest_of(corpus)
    assert build(corpus.parent).units_run == 0
    assert digest_of(corpus) == before
