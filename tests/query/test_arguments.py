"""What cannot be meant is said in one line, by landloom's own errors; what can be meant is taken."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from landloom.errors import LandloomError
from landloom.query.example import example_corpus
from landloom.query.published import get_asset_hrefs

if TYPE_CHECKING:
    from collections.abc import Callable

    from landloom.query.corpus import Corpus

BOW = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
SWAPPED = "POLYGON ((52.3 13.0, 52.7 13.0, 52.7 13.8, 52.3 13.8, 52.3 13.0))"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return example_corpus()


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"period": "June"}, "period: got 'June', expected two dates such as"),
        ({"period": "2018-13"}, "got '2018-13-01', expected an ISO date"),
        ({"period": ("2018-06-01",)}, "expected two dates"),
        ({"period": 2018}, "expected two dates"),
        ({"period": (5, 6)}, "got '5', expected an ISO date"),
        ({"period": ("June", "2018-07")}, "got 'June', expected an ISO date"),
        ({"period": ("2018-07-01", "2018-06-01")}, "before it begins"),
        ({"period": ("2018-07-01", "2018-07-01")}, "before it begins"),
        ({"where": 5}, "filter: got 5, expected CQL2 text"),
        ({"where": "clc_31l > 0"}, "no column 'clc_31l'; nearest: clc_31"),
        ({"where": "clc_9999 > 0"}, "no column 'clc_9999'; nearest: "),
        ({"region": "POLYGON EMPTY"}, "region: got an empty geometry"),
        ({"region": shapely.MultiPolygon()}, "region: got an empty geometry"),
        ({"region": {"type": "FeatureCollection", "features": []}}, "region: got an empty geometry"),
        ({"region": gpd.GeoDataFrame(geometry=[], crs=4326)}, "region: got an empty geometry"),
        ({"region": "POLYGON ((1 2"}, "not WKT"),
        ({"region": SWAPPED}, "with swapped axes it has"),
        ({"region": (52.3, 13.0, 52.7, 13.8)}, "with swapped axes it has"),
        ({"region": (13, 100, 14, 120)}, "the axes are swapped"),
        ({"region": (13, 53, 14, 52)}, "empty box"),
        ({"region": BOW}, "Self-intersection"),
        ({"region": BOW.wkt}, "Self-intersection"),
        ({"region": shapely.geometry.mapping(BOW)}, "Self-intersection"),
        ({"region": gpd.GeoDataFrame(geometry=[BOW, BOW.buffer(0)], crs=4326)}, "features 0 cross themselves"),
        ({"region": gpd.GeoDataFrame(geometry=[BOW])}, "without a CRS"),
        ({"region": ("a", "b", "c", "d")}, "expected four numbers"),
        ({"region": (1, 2, None, 4)}, "expected four numbers"),
        ({"region": (1, 2, float("nan"), 4)}, "finite"),
        ({"region": (1, 2, 3)}, "expected a box, a geometry, a file or a name"),
        ({"region": {"type": "Polygon", "coordinates": [[1, 2]]}}, "a mapping (Polygon) that is not a GeoJSON"),
        ({"region": {}}, "not a GeoJSON"),
        ({"region": "Germany"}, "without a layer of countries"),
        ({"region": "absent.gpkg"}, "no file absent.gpkg"),
        ({"relation": "touches"}, "nearest: intersects, within"),
        ({"products": 5}, "products: got 5, expected a name or a list of names"),
        ({"products": "pfs"}, "nearest: pfsr"),
        ({"bands": 5}, "bands: got 5"),
        ({"bands": "B99"}, "nearest: B09"),
        ({"strata": 5}, "strata: got 5"),
        ({"strata": "DR"}, "nearest: DE"),
        ({"split": "trian"}, "nearest: train"),
        ({"limit": "3"}, "limit: got '3', expected a whole number from 0"),
        ({"limit": 2.5}, "limit: got 2.5"),
        ({"limit": -1}, "limit: got -1"),
        ({"limit": 1, "seed": -1}, "seed: got -1"),
        ({"limit": 1, "seed": "a"}, "seed: got 'a'"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_said_in_one_line(corpus: Corpus, question: dict[str, Any], message: str) -> None:
    with pytest.raises(LandloomError) as caught:
        corpus.query(**question)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.select(5), "ids: got 5"),
        (lambda c: c.select(["33N_16E-243N_29_09"]), "no sample '33N_16E-243N_29_09' in example"),
        (lambda c: c.linked(5), "no sample of example in '5'"),
        (lambda c: c.define(forest=5), "got 5, expected a sum of columns"),
        (lambda c: c.define(forest="stratum + clc_311"), "got column 'stratum' in a sum"),
        (lambda c: c.define(forest="clc_3111"), "nearest: clc_"),
        (lambda c: c.query().cube(1000, "s2"), "no sample number 1000 in this selection of 4"),
        (lambda c: c.query().cube(1.5, "s2"), "no sample 1.5 in this selection"),
        (lambda c: c.query().counts("stratums"), "nearest: stratum"),
        (lambda c: c.query().histogram(level=9), "nearest: 1, 2, 3"),
    ],
)
def test_so_is_what_else_is_called_wrongly(corpus: Corpus, call: Callable[[Corpus], Any], message: str) -> None:
    with pytest.raises(LandloomError) as caught:
        call(corpus)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temporal_filter": "2018"}, "expected two dates"),
        ({"temporal_filter": ("2019-01-01", "2018-01-01")}, "before it begins"),
        ({"ids": 5}, "ids: got 5"),
        ({"products": 5}, "products: got 5"),
    ],
)
def test_and_the_published_helper(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(LandloomError, match=message):
        get_asset_hrefs(**({"ids": ["33N_16E-243N_29_01"]} | arguments))


def test_files_that_cannot_be_read_or_written_are_named(corpus: Corpus, tmp_path: Path) -> None:
    junk = tmp_path / "junk.geojson"
    junk.write_text("{nope")
    with pytest.raises(LandloomError, match=r"region: junk\.geojson cannot be read"):
        corpus.query(region=junk)
    with pytest.raises(LandloomError, match=r"cannot write the list .*Is a directory"):
        corpus.query().assets.write_list(tmp_path)
    with pytest.raises(LandloomError, match=r"cannot write the list .*File exists"):
        corpus.query().assets.write_list(str(junk / "list.txt"))
    assert corpus.query(products="s2").assets.write_list(str(tmp_path / "new" / "folder" / "list.txt")) == 48
    assert len(Path(tmp_path / "new" / "folder" / "list.txt").read_text().splitlines()) == 48


@pytest.mark.parametrize(
    "period",
    [
        ("2018-06-01", "2018-07-01"),
        [date(2018, 6, 1), datetime(2018, 7, 1, tzinfo=UTC)],
        (np.datetime64("2018-06-01"), np.datetime64("2018-07-01T00:00:00")),
        (pd.Timestamp("2018-06-01"), pd.Timestamp("2018-07-01", tz="UTC")),
        pd.date_range("2018-06-01", "2018-07-01", periods=2),
    ],
    ids=str,
)
def test_dates_may_be_of_any_kind(corpus: Corpus, period: Any) -> None:
    found = corpus.query(period=period, products="s2", limit=1)
    assert [asset.timestep for asset in found.assets] == ["2018-06"]


def test_one_id_may_stand_alone(corpus: Corpus) -> None:
    assert corpus.select("33N_16E-243N_29_01").ids == ("33N_16E-243N_29_01",)
    assert corpus.select(pd.Index(["33N_16E-243N_29_01"])).ids == ("33N_16E-243N_29_01",)
    assert get_asset_hrefs("33N_16E-243N_29_01", "s2") == get_asset_hrefs(["33N_16E-243N_29_01"], "s2")
    assert len(corpus.query(region=np.array([13.05, 52.35, 13.72, 52.69]))) == 3


def test_selections_join_only_with_selections(corpus: Corpus) -> None:
    everything = corpus.query()
    for other in (5, {"33N_16E-243N_29_01"}):
        with pytest.raises(TypeError, match="unsupported operand"):
            everything | other  # type: ignore[operator]
        with pytest.raises(TypeError, match="unsupported operand"):
            everything - other  # type: ignore[operator]


@pytest.mark.parametrize(
    ("period", "months"),
    [
        ("2018-06", range(6, 7)),
        ("2018", range(1, 13)),
        ("2018-06-15", range(6, 7)),
        (date(2018, 6, 15), range(6, 7)),
        ("2018-06-01/2018-08-01", range(6, 8)),
        (("2018-06", "2018-08"), range(6, 8)),
        (("2018-06-01", None), range(6, 13)),
        ((None, "2018-07"), range(1, 7)),
        ("../2018-07", range(1, 7)),
        (np.array(["2018-06", "2018-08"], "M8[M]"), range(6, 8)),
        (pd.to_datetime(["2018-06-01", "2018-08-01"]), range(6, 8)),
    ],
    ids=str,
)
def test_a_period_has_a_name_or_two_ends_that_may_be_open(corpus: Corpus, period: Any, months: range) -> None:
    steps = {asset.timestep for asset in corpus.query(period=period, products="s2").assets}
    assert steps == {f"2018-{month:02d}" for month in months}
