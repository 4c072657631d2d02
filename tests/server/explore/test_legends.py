from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest
from tests.chips import World, write_world

from landloom.query.corpus import Corpus
from landloom.server.explore.legends import legend
from landloom.server.explore.pictures import Chips

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Chips with a label raster."""
    return write_world(tmp_path_factory.mktemp("legends") / "corpus", labels="votes", probabilities=False)


def test_classes_are_painted_in_the_colours_of_their_legend(world: World, tmp_path: Path) -> None:
    corpus = Corpus.open(str(world.folder), cache=tmp_path)
    rows = legend(corpus.info, corpus.info.product("votes"))
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
    assert legend(corpus.info, corpus.info.product("s2_scenes")) == []
    chip = min(world.truth)
    picture = imagecodecs.png_decode(Chips(corpus, corpus.info).png(chip, "votes", "-", ("confidence",)))
    assert len(np.unique(picture[..., :3].reshape(-1, 3), axis=0)) > 0
