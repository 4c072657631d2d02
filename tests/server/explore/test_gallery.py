"""Orders of the gallery, means over time and images of cubes, against the chips and the index themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.corpora import write_corpus

from landloom.errors import NotFoundError
from landloom.formats.geotiff import decode_geotiff, encode_geotiff
from landloom.query.corpus import Corpus
from landloom.server.explore.api import Explorer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Served


def with_chips(own: Served) -> tuple[int, str]:
    row = int(np.flatnonzero(own.exists["s2"].any(axis=1))[0])
    return row, own.corpus.query().ids[row]


def test_images_come_in_every_order(own: Served) -> None:
    row, name = with_chips(own)
    there = own.exists["s2"]
    everything = own.http.get("/explore/gallery", params={"product": "s2"}).json()
    assert (everything["images"], everything["samples"]) == (there.sum(), len(own.corpus))
    by_date = own.http.get("/explore/gallery", params={"product": "s2", "sort": "date"}).json()["items"]
    steps = [item["step"] for item in by_date]
    assert steps == sorted(steps)
    asked = {"product": "s2", "sort": "share", "column": "clc_2", "step": "2018-02", "filter": "clc_2 > 0"}
    items = own.http.get("/explore/gallery", params=asked).json()["items"]
    chosen = own.corpus.query(where="clc_2 > 0")
    shares = chosen.to_geodataframe(labels=True)
    own_columns = [column for column in shares if column.startswith("clc_2")]
    truth = dict(zip(chosen.ids, shares[own_columns].sum(axis=1).tolist(), strict=True))
    exists = {own.corpus.query().ids[place] for place in np.flatnonzero(there[:, 1])}
    assert {item["id"] for item in items} == set(truth) & exists
    assert [item["share"] for item in items] == pytest.approx(
        sorted((truth[item["id"]] for item in items), reverse=True)
    )
    valid = own.http.get("/explore/gallery", params={"product": "s2", "sort": "valid"}).json()["items"]
    # One sample has files, with 10 of 60 rows without data.
    first = valid[: there[row].sum()]
    assert {(item["id"], item["valid"]) for item in first} == {(name, round(50 / 60, 4))}
    assert {item["valid"] for item in valid[there[row].sum() :]} == {None}


def test_a_sample_opens_at_its_clearest_date(tmp_path: Path) -> None:
    made = write_corpus(tmp_path / "corpus", count=3, months=3, bands=("B02", "B03", "B04"))
    corpus = Corpus.open(made.folder, cache=tmp_path / "cache")
    explorer = Explorer(corpus, corpus.info)
    name = next(name for name in corpus.query().ids if len(explorer.sample(name)["images"]["s2"]) == 3)
    assert explorer.gallery.clearest(name, "s2") == "2018-02"  # all are alike: the middle one
    for step, lost in (("2018-01", 20), ("2018-02", 30)):
        path = next((made.folder / "imagery").rglob(f"{name}/*/{step}.tif"))
        chip, grid, _ = decode_geotiff(path.read_bytes())
        chip[:, :lost] = 0
        path.write_bytes(encode_geotiff(chip, grid, nodata=0))
    again = Explorer(corpus, corpus.info)
    assert again.gallery.clearest(name, "s2") == "2018-03"
    with pytest.raises(NotFoundError):
        explorer.gallery.clearest(name, "s9")


@pytest.mark.parametrize(
    ("query", "status"),
    [("sort=size", 400), ("sort=share", 400), ("sort=share&column=clc_9x", 404), ("step=2019-01", 404)],
)
def test_orders_that_are_none(own: Served, query: str, status: int) -> None:
    answer = own.http.get(f"/explore/gallery?product=s2&{query}")
    assert (answer.status_code, set(answer.json())) == (status, {"code", "description"})


def test_means_leave_out_what_is_no_data(own: Served) -> None:
    row, name = with_chips(own)
    found = own.http.get(f"/explore/samples/{name}/mean/s2").json()
    cube = own.corpus.select([name]).cube(0, "s2", observed_only=True).values[:, :, 10:] / 10_000
    bands = [band.name for band in own.corpus.info.product("s2").product.bands]
    assert found["bands"] == ["NDVI", *bands]
    assert found["valid"] == [pytest.approx(50 / 60, abs=1e-4)] * int(own.exists["s2"][row].sum())
    assert np.allclose([found["values"][band] for band in bands], cube.mean(axis=(2, 3)).T, atol=1e-6)
    red, nir = cube[:, bands.index("B04")], cube[:, bands.index("B08")]
    assert np.allclose(found["values"]["NDVI"], ((nir - red) / (nir + red)).mean(axis=(1, 2)), atol=1e-6)


def test_shares_and_places_are_those_of_the_index(own: Served) -> None:
    shares = np.frombuffer(own.http.get("/explore/shares/clc_2").content, np.uint8)
    frame = own.corpus.query().to_geodataframe(labels=True)
    truth = frame[[column for column in frame if column.startswith("clc_2")]].sum(axis=1)
    assert np.abs(shares / 200 - truth.to_numpy()).max() <= 1 / 200
    assert own.http.get("/explore/shares/clc_7").status_code == 404
    places = own.http.get("/explore/places", params={"rows": "3,0", "product": "s2"}).json()
    assert [place["id"] for place in places] == [own.corpus.query().ids[row] for row in (3, 0)]
    outline = frame.geometry.iloc[3].exterior.coords[:-1]
    assert {tuple(np.round(corner, 5)) for corner in places[0]["corners"]} == {
        tuple(np.round(one, 5)) for one in outline
    }
    for rows, status in (("80", 404), ("x", 400), (",".join(["1"] * 501), 400)):
        assert own.http.get("/explore/places", params={"rows": rows, "product": "s2"}).status_code == status


def test_images_of_cubes_are_those_of_chips(tmp_path: Path) -> None:
    made = {name: write_corpus(tmp_path / name, layouts=[name], count=2) for name in ("chips", "cubes")}
    chips, cubes = (
        Explorer(opened, opened.info)
        for opened in (Corpus.open(tmp_path / name, cache=tmp_path / "cache") for name in made)
    )
    name = made["cubes"].ids[1]
    seen = chips.sample(name)["images"]
    assert cubes.sample(name)["images"] == seen
    assert len(seen["s2"]) > 1
    for product, steps in seen.items():
        for step in steps:
            pictures = [one.chips.png(name, product, step or "-") for one in (chips, cubes)]
            assert pictures[0] == pictures[1]
    assert chips.mean(name, "s2") == (found := cubes.mean(name, "s2"))
    series = made["cubes"].series[name][0, 0].astype(float)
    usable = (made["cubes"].series[name][0] != 0).all(axis=0) & (made["cubes"].series[name][0] != 65_535).all(axis=0)
    assert found["valid"][0] == pytest.approx(usable.mean(), abs=1e-4)
    assert found["values"]["B04"][0] == pytest.approx(series[usable].mean() / 10_000, abs=1e-6)
