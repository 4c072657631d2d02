"""What the explorer page asks, against the query engine and the chips themselves."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest
import shapely

from landloom.formats.geotiff import decode_geotiff
from landloom.query.pixel_series import SampleSeries

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Served


def with_chips(own: Served) -> str:
    return own.corpus.query().ids[int(np.flatnonzero(own.exists["s2"].any(axis=1))[0])]


@pytest.mark.parametrize("kind", ["own", "granules", "published"])
def test_arrays_are_those_of_the_corpus(kind: str, request: pytest.FixtureRequest) -> None:
    served: Served = request.getfixturevalue(kind)
    about = served.http.get("/explore/corpus").json()
    data = served.http.get("/explore/samples").content
    count = len(served.corpus)
    assert about["samples"] == count
    assert len(data) == 11 * count
    places = np.frombuffer(data, "<f4", 2 * count).reshape(2, count).T
    frame = served.corpus.query().to_geodataframe(labels=True)
    assert np.allclose(places, shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy())), atol=1e-4)
    largest, stratum, split = np.frombuffer(data, np.uint8, offset=8 * count).reshape(3, count)
    shares = frame[[item["column"] for item in about["classes"]]].to_numpy()
    assert np.allclose(shares[np.arange(count), largest], shares.max(axis=1))
    for codes, names, column in ((stratum, about["strata"], "stratum"), (split, about["splits"], "split")):
        assert [names[code] if code < 255 else None for code in codes.tolist()] == [
            name if isinstance(name, str) else None for name in frame[column]
        ]


def test_selection_is_that_of_the_query(own: Served) -> None:
    west, south, east, north = own.corpus.query().to_geodataframe().total_bounds.tolist()
    box = (west, south, (west + east) / 2, north)
    found = own.http.get("/explore/selection", params={"filter": "clc_2 > 0.2", "box": ",".join(map(str, box))}).json()
    wanted = own.corpus.query(region=box, where="clc_2 > 0.2")
    bits = np.unpackbits(np.frombuffer(base64.b64decode(found["bits"]), np.uint8), bitorder="little")
    assert np.flatnonzero(bits).tolist() == wanted.rows.tolist()
    assert (found["count"], found["files"]) == (len(wanted), len(wanted.assets))
    assert found["histogram"] == wanted.histogram()
    assert found["strata"] == {name or "none": count for name, count in wanted.counts("stratum").items()}
    listed = own.http.get("/explore/files.txt", params={"filter": "clc_2 > 0.2"})
    assert listed.text.split() == own.corpus.query(where="clc_2 > 0.2").assets.paths()


def test_a_split_set_takes_the_place_of_the_splits(own: Served, halves: Path) -> None:
    about = own.http.get("/explore/corpus", params={"split_set": "halves"}).json()
    assert (about["split_sets"], about["splits"]) == (["halves"], ["fold-1", "fold-2"])
    asked = {"filter": "split = 'fold-2'", "split_set": "halves"}
    found = own.http.get("/explore/selection", params=asked).json()
    wanted = own.corpus.query(split_set="halves", split="fold-2")
    assert found["count"] == len(wanted) > 0
    data = own.http.get("/explore/samples", params={"split_set": "halves"}).content
    split = np.frombuffer(data, np.uint8, offset=10 * len(own.corpus))
    assert np.flatnonzero(split == 1).tolist() == wanted.rows.tolist()
    row = int(wanted.rows[0])
    assert own.http.get(f"/explore/rows/{row}", params={"split_set": "halves"}).json()["split"] == "fold-2"
    assert own.http.get("/explore/files.txt", params=asked).text.split() == wanted.assets.paths()
    assert own.http.get("/files/splits/halves.parquet").content == halves.read_bytes()
    assert own.http.get("/explore/corpus").json()["splits"] != about["splits"]
    assert own.http.get("/explore/selection", params={"split_set": "absent"}).status_code == 404
    assert own.http.get("/explore/selection", params={"split_set": "../x"}).status_code == 400


def test_another_label_product_takes_the_place_of_the_first(twice: Served) -> None:
    about = twice.http.get("/explore/corpus").json()
    assert [item["key"] for item in about["label_sets"]] == ["labels", "labels-2024"]
    count = len(twice.corpus)
    for key, names in (
        (None, {"clc_512"}),
        ("labels", {"clc_512"}),
        ("labels-2024", {"labels-2024_clc_311", "labels-2024_clc_512"}),
    ):
        asked = {} if key is None else {"labels": key}
        data = twice.http.get("/explore/samples", params=asked).content
        largest = np.frombuffer(data, np.uint8, count, offset=8 * count)
        assert {about["classes"][code]["column"] for code in largest.tolist()} == names
        assert {about["classes"][code]["labels"] for code in largest.tolist()} == {key or "labels"}
        found = twice.http.get("/explore/selection", params=asked).json()
        assert found["histogram"] == twice.corpus.query().histogram(labels=key)
        assert set(found["histogram"]) == names
    for path in ("samples", "selection"):
        assert twice.http.get(f"/explore/{path}", params={"labels": "labels-2000"}).status_code == 404


@pytest.mark.parametrize(
    "query", ["filter=nope>1", "filter=((", "box=1,2,3", "box=a,b,c,d", "box=10,95,20,99", "filter=" + "%5B" * 2_000]
)
def test_bad_selections_get_a_reason(own: Served, query: str) -> None:
    answer = own.http.get(f"/explore/selection?{query}")
    assert (answer.status_code, set(answer.json())) == (400, {"code", "description"})


def test_sample(own: Served) -> None:
    name = with_chips(own)
    found = own.http.get(f"/explore/samples/{name}").json()
    place = next(iter(own.corpus.select([name]).linked()))
    assert found == own.http.get(f"/explore/rows/{found['row']}").json()
    assert found["fractions"] == dict(place.fractions)
    assert {key: [asset["path"] for asset in rows] for key, rows in found["assets"].items()} == {
        key: assets.paths() for key, assets in place.assets.items()
    }
    lineage = own.http.get(f"/explore/samples/{name}/lineage/s2").json()
    assert lineage["timesteps"][0]["scenes"][0]["id"] == "S2A_2018-01"


def test_pictures_show_the_chips(own: Served) -> None:
    """Natural colours rise with the numbers; the 10 rows of nodata are transparent."""
    name = with_chips(own)
    asset = own.corpus.select([name]).assets[0]
    array, _, _ = decode_geotiff((own.folder / asset.path).read_bytes())
    answer = own.http.get(f"/explore/samples/{name}/s2/{asset.timestep}.png")
    assert answer.headers["content-type"] == "image/png"
    picture = imagecodecs.png_decode(answer.content)
    assert picture.shape == (60, 60, 4)
    assert not picture[:10, :, 3].any()
    assert (picture[10:, :, 3] == 255).all()
    for channel, band in enumerate((2, 1, 0)):
        order = np.argsort(array[band, 10:].ravel())
        assert (np.diff(picture[10:, :, channel].ravel()[order].astype(int)) >= 0).all()
    single = own.http.get(f"/explore/samples/{name}/s2/{asset.timestep}.png", params={"bands": "B08"})
    assert imagecodecs.png_decode(single.content).shape == (60, 60, 4)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/explore/samples/nobody", 404),
        ("/explore/rows/80", 404),
        ("/explore/rows/-1", 404),
        ("/explore/samples/NAME/s2/2018-13.png", 404),
        ("/explore/samples/NAME/s3/2018-01.png", 404),
        ("/explore/samples/NAME/labels/-.png", 404),
        ("/explore/samples/NAME/s2/2018-01.png?bands=B77", 404),
        ("/explore/samples/NAME/s2/2018-01.png?bands=B02,B03", 400),
        ("/explore/samples/NAME/lineage/s3", 404),
    ],
)
def test_what_is_not_there(own: Served, path: str, status: int) -> None:
    answer = own.http.get(path.replace("NAME", with_chips(own)))
    assert answer.status_code == status
    assert answer.json()["description"]


def test_series_are_those_of_the_pixel(own: Served) -> None:
    sample = with_chips(own)
    found = own.http.get(f"/explore/samples/{sample}/series/s2", params={"row": 3, "column": 5}).json()
    wanted = SampleSeries.read(own.corpus, sample, "s2").pixel(3, 5).document()
    assert found == wanted
    about = {item["key"]: item["series"] for item in own.http.get("/explore/corpus").json()["products"]}
    assert about["s2"]
    assert not about["labels"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("s2?row=60&column=0", 400), ("labels?row=0&column=0", 400), ("nope?row=0&column=0", 404), ("s2?row=0", 400)],
)
def test_series_that_are_none_get_a_reason(own: Served, path: str, status: int) -> None:
    answer = own.http.get(f"/explore/samples/{with_chips(own)}/series/{path}")
    assert answer.status_code == status
    assert answer.json()
