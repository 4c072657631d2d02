"""The layout of DynamicEarthNet: files find their area and date, whatever lies between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.errors import CorpusError, InvalidInputError, NotFoundError
from landloom.query.catalog.dynamicearthnet import read_areas
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = "planet/10N/23E-188N/1311_3077_13/PF-SR/2018-{}.tif"
LABEL = "labels/1311_3077_13_10N/Labels/Raster/10N-122W-40N-L3H-SR/10N-122W-40N-L3H-SR-2018_{}.tif"


def folder(path: Path, *keys: str, **texts: str) -> LocalStore:
    store = LocalStore(path)
    for key in keys:
        store.put(key, b"")
    for name, text in texts.items():
        store.put(f"dynnet_training_splits/{name}.txt", text.encode())
    return store


def test_areas_have_their_images_and_labels(tmp_path: Path) -> None:
    hyphen = "labels/5111_4560_13-38S/Labels/Raster/38S-X/38S-X-2018-02-01.tif"
    store = folder(
        tmp_path,
        *(IMAGE.format(day) for day in ("02-28", "01-01", "01-31")),
        *(LABEL.format(day) for day in ("02_01", "01_01")),
        *(f"{LABEL.format('01_01')}.aux.xml", "labels/1311_3077_13_10N/Labels/Vector/x-2018_01_01.geojson"),
        *("planet/38S/x/5111_4560_13/PF-SR/2018-02-01.tif", "planet/38S/x/5111_4560_13/PF-QA/2018-02-01.tif", hyphen),
        *("planet/9N/x/1_2_13/PF-SR/2018-01-01.tif", "labels/3_4_13_9N/Labels/Raster/y/y-2018_01_01.tif"),
        train="/planet/10N/23E-188N/1311_3077_13/PF-SR /labels/1311_3077_13_10N/Labels/x.tif 2018-01\n\n",
    )
    found = read_areas(store)
    first, second = found.areas
    assert (first.id, list(first.images)) == ("1311_3077_13", ["2018-01-01", "2018-01-31", "2018-02-28"])
    assert first.labels == {"2018-01": LABEL.format("01_01"), "2018-02": LABEL.format("02_01")}
    assert first.days("2018-01") == ("2018-01-01", "2018-01-31")
    assert (second.id, second.labels) == ("5111_4560_13", {"2018-02": hyphen})
    assert found.left_out == {"1_2_13": "has no label", "3_4_13": "has no image"}
    assert found.split("train") == (("1311_3077_13", "2018-01"),)
    with pytest.raises(NotFoundError, match="train"):
        found.split("trian")


def test_what_is_not_that_layout_is_said(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="got 1 areas with images and 0 with labels"):
        read_areas(folder(tmp_path / "a", IMAGE.format("01-01"), "labels/readme.txt"))
    twice = IMAGE.format("01-01").replace("23E", "24E")
    with pytest.raises(InvalidInputError, match="expected one file of 1311_3077_13 on 2018-01-01"):
        read_areas(folder(tmp_path / "b", IMAGE.format("01-01"), twice, LABEL.format("01_01")))
    whole = (IMAGE.format("01-01"), LABEL.format("01_01"))
    store = folder(tmp_path / "c", *whole, val="/1311_3077_13/ x 2018-01\nplanet nothing\n")
    with pytest.raises(InvalidInputError, match=r"val\.txt, line 2: got 'planet nothing'"):
        read_areas(store)
