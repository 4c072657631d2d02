from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest
from tests.chips import World, write_world
from tests.qgis import published
from tests.server.explore.test_api import with_chips

from landloom.errors import NotFoundError
from landloom.query.corpus import Corpus
from landloom.server.explore.legends import band_legend, class_legend, product_legend
from landloom.server.explore.pictures import Chips

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Served


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Chips with a label raster."""
    return write_world(tmp_path_factory.mktemp("legends") / "corpus", labels="votes", probabilities=False)


def test_classes_are_painted_in_the_colours_of_their_legend(world: World, tmp_path: Path) -> None:
    corpus = Corpus.open(str(world.folder), cache=tmp_path)
    rows = class_legend(corpus.info, corpus.info.product("votes"))
    assert [row["code"] for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert rows[0] == {"code": 1, "name": "Water", "colour": "#1f5fbf"}
    chip = min(world.truth)
    picture = imagecodecs.png_decode(Chips(corpus, corpus.info).png(chip, "votes", "-"))
    guess = world.guess[chip]
    for row in rows:
        colour = [int(row["colour"][start : start + 2], 16) for start in (1, 3, 5)]
        assert (picture[guess == row["code"], :3] == colour).all()
    assert (picture[guess == 0, 3] == 0).all()


def test_other_products_have_no_legend(world: World, tmp_path: Path) -> None:
    corpus = Corpus.open(str(world.folder), cache=tmp_path)
    assert class_legend(corpus.info, corpus.info.product("s2_scenes")) == []


def test_a_chip_has_the_shares_of_its_classes(world: World, tmp_path: Path) -> None:
    corpus = Corpus.open(str(world.folder), cache=tmp_path)
    chip = min(world.truth)
    guess, found = world.guess[chip], Chips(corpus, corpus.info).legend(chip, "votes", "-", "class")
    assert found["kind"] == "categorical"
    assert found["nodata"]["value"] == 0
    assert {row["code"]: row["share"] for row in found["classes"]} == {
        n: float((guess == n).mean()) for n in range(1, 8)
    }
    assert found["nodata_share"] == pytest.approx((guess == 0).mean())
    assert found["other_share"] == 0


def test_quantities_are_drawn_between_the_limits_that_the_legend_tells(own: Served) -> None:
    info, chip = own.corpus.info, with_chips(own)
    item = info.product("s2")
    cube = own.corpus.select(chip).cube(chip, "s2")
    place = int(np.flatnonzero(cube["observed"].to_numpy())[0])
    step = item.timesteps[place].name
    natural = {"bands": ["B04", "B03", "B02"], "limits": [0.0, 0.25], "gamma": 1.6, "unit": "reflectance"}
    assert product_legend(info, item)["natural"] == natural
    address = f"/explore/samples/{chip}/s2/{step}"
    found = own.http.get(f"{address}.json", params={"band": "B04"}).json()
    assert band_legend(info, item, "B04")["limits"] == found["limits"] == [0.0, 0.5]
    assert (found["unit"], found["scale"], found["nodata"]["value"]) == ("reflectance", 0.0001, 0)
    stored = cube.sel(band="B04").to_numpy()[place]
    picture = imagecodecs.png_decode(own.http.get(f"{address}.png", params={"bands": "B04"}).content)
    stops = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for _, colour in found["stops"]], float)
    places = np.clip(stored * found["scale"] / 0.5, 0, 1)
    wanted = np.stack([np.interp(places, np.linspace(0, 1, len(stops)), stops[:, n]) for n in range(3)], axis=-1)
    seen = stored != 0
    assert np.abs(picture[seen][:, :3] - wanted[seen]).max() <= 1
    assert (picture[..., 3] == np.where(seen, 255, 0)).all()
    assert found["nodata_share"] == pytest.approx(1 - seen.mean())
    bright = imagecodecs.png_decode(own.http.get(f"{address}.png").content)
    red = 255 * np.clip(stored * 0.0001 / 0.25, 0, 1) ** (1 / 1.6)
    shown = bright[..., 3] == 255
    assert shown.any()
    assert np.abs(bright[shown][:, 0] - red[shown]).max() <= 1


def test_a_corpus_of_cubes_alone_has_the_pictures_of_one_of_chips(tmp_path: Path) -> None:
    chips, cubes = (
        Corpus.open(str(published(tmp_path / layout, layouts=(layout,), months=2).folder), cache=tmp_path / "cache")
        for layout in ("chips", "cubes")
    )
    sample = chips.query().ids[1]
    for bands in (None, ("B08",)):
        first, second = (Chips(one, one.info).png(sample, "s2", "2018-01", bands) for one in (chips, cubes))
        assert first == second
    first, second = (Chips(one, one.info).png(sample, "landcover", "-") for one in (chips, cubes))
    assert first == second
    with pytest.raises(NotFoundError, match="timestep"):
        Chips(cubes, cubes.info).png(sample, "s2", "2018-13")
