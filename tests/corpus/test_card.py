from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import orjson
import pytest

from landloom.corpus.audit.index import read_index
from landloom.corpus.card import Numbers, card

if TYPE_CHECKING:
    from tests.corpus.conftest import World


def test_numbers_are_those_of_the_corpus(world: World) -> None:
    numbers = Numbers.of(world.info, read_index(world.store))
    assert (numbers.samples, numbers.zones, numbers.tiles) == (10, 2, 2)
    assert numbers.files == {"pfsr": 120, "pfqa": 120, "s2": 18, "labels": 10}
    assert numbers.splits == {"train": 10}
    assert sum(numbers.classes["labels"].values()) == pytest.approx(1)


def test_card_states_terms_per_product_and_how_to_cite(world: World) -> None:
    text = card(world.info, Numbers.of(world.info, read_index(world.store))).decode()
    assert text == world.store.get("README.md").decode()
    assert "there is no licence for the corpus as a whole" in text
    assert "No commercial use." in text
    assert "Contains modified Copernicus Sentinel data 2018" in text
    assert "@dataset{demo," in text
    assert "Grant 1" in text
    assert "hello@example.org" in text


def test_croissant_validates_and_reads_the_index(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.store.root)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the library's own dependencies
        mlcroissant = pytest.importorskip("mlcroissant")
        dataset = mlcroissant.Dataset(jsonld=world.store.href("croissant.json"))
        assert not dataset.metadata.ctx.issues.errors
        records = list(dataset.records("samples"))
    index = {row["id"]: row for row in read_index(world.store).to_pylist()}
    assert {record["samples/id"].decode() for record in records} == set(index)
    for record in records:
        assert record["samples/clc_112"] == index[record["samples/id"].decode()]["clc_112"]


def test_geocroissant_says_bands_and_extent(world: World) -> None:
    document = orjson.loads(world.store.get("croissant.json"))
    assert document["geocr:bandConfiguration"]["geocr:totalBands"] == 4
    assert document["spatialCoverage"]["geo"]["box"].startswith("52.")
    assert len(document["license"]) == 3
