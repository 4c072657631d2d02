"""Several label years: each sample has the labels of its year and the dates of its season."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pytest
from tests.pipelines.test_series import load, parcels, write

from landloom.corpus.audit.check import audit, digest
from landloom.corpus.finished import Existing
from landloom.errors import BuildError, InvalidInputError, RecipeError
from landloom.formats.geotiff import decode_geotiff
from landloom.labels.parcels import LabelYear, parcels_of
from landloom.pipelines.build import build
from landloom.publication.sample_files import export_samples
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.model.sample import Sample

SEASONS = {
    2017: {"start": "2018-06-01", "end": "2018-06-20"},
    2018: {"start": "2018-06-20", "end": "2018-08-01"},
}  # fmt: skip
"""The world has one summer: its halves stand for two years."""


def two_years(folder: Path) -> geopandas.GeoDataFrame:
    """The same fields in two years, with the same ids and other crops; some of a third year."""
    first = parcels().assign(year=2017)
    crops = {"maize": "wheat", "wheat": "meadow", "meadow": "rye"}
    second = first.assign(crop=first["crop"].map(crops), year=2018)
    third = first.head(3).assign(year=2016, crop="lost")
    frame = geopandas.pd.concat([first, second, third])
    frame.to_file(folder / "parcels.gpkg")
    return frame


@pytest.fixture(scope="module")
def corpus(tiny_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write(tmp_path_factory.mktemp("seasons"), tiny_archive, samples={"seasons": SEASONS, "labelled": 0.05})
    two_years(folder)
    build(folder)
    return folder / "corpus"


def of_year(there: Existing, year: int) -> list[Sample]:
    return [one for part in there.tiles.values() for one in part if getattr(one.id, "year", None) == year]


def classes(there: Existing, sample: Sample) -> Any:
    return decode_geotiff(there.store.get(there.info.layout.raster_label(sample.id, "classes", "1")))[0][0]


def test_each_sample_has_the_labels_of_its_year(corpus: Path, shared_schemas: Path) -> None:
    there = Existing.open(str(corpus))
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
    there = Existing.open(str(corpus))
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
    folder = write(tmp_path, tiny_archive)
    changes: dict[str, Any] = {"draw": "parcels", "size": 24, "others": "background", "seasons": SEASONS}
    folder = write(tmp_path, tiny_archive, samples=changes, layouts=["cubes"])
    two_years(folder)
    build(folder)
    there = Existing.open(str(folder / "corpus"))
    table = (folder / "corpus" / "resources" / "series_parcel_windows.csv").read_text().splitlines()
    assert len(table) - 1 == len(of_year(there, 2017)) + len(of_year(there, 2018)) > 20
    for sample in (of_year(there, 2017)[0], of_year(there, 2018)[0]):
        assert len(np.unique(classes(there, sample))) <= 2


def test_two_years_in_one_season_are_a_mistake(tiny_archive: Path, tmp_path: Path) -> None:
    """A season across New Year meets parcels of two years: one of them has to be named."""
    season = {"start": "2017-10-01", "end": "2018-10-01"}
    folder = write(tmp_path, tiny_archive, period=season)
    two_years(folder)
    with pytest.raises(BuildError, match="would lie over each other"):
        build(folder)
    folder = write(tmp_path, tiny_archive, period=season, parcels={"year": 2018}, layouts=["cubes"])
    two_years(folder)
    build(folder)
    mapping = Existing.open(str(folder / "corpus")).info.class_mappings["classes"]
    assert {row["value"] for row in mapping if row["value"]} == {"meadow", "rye", "wheat"}


def test_seasons_lie_in_the_period(tiny_archive: Path, tmp_path: Path) -> None:
    folder = write(tmp_path, tiny_archive, samples={"seasons": {2018: {"start": "2017-10-01", "end": "2018-10-01"}}})
    with pytest.raises(RecipeError, match=r"samples\.seasons\.2018"):
        build(folder)


def test_validity_in_days_goes_by_the_season() -> None:
    """Winter wheat is of the year that it is harvested in, and a year's number goes before any season."""
    frame = parcels().head(3).assign(
        valid_from=["2017-10-05", "2018-10-05", "2018-03-01"], valid_to=["2018-07-20", "2019-07-20", "2018-09-10"]
    )  # fmt: skip
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
    before = digest(open_store(str(corpus)))
    assert build(corpus.parent).units_run == 0
    assert digest(open_store(str(corpus))) == before
