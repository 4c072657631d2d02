from __future__ import annotations

import re

import orjson
import pytest
from tests.corpus.conftest import make_info

from landloom.corpus.documents import corpus_json, label_geojson, parse_corpus_json, parse_label_geojson
from landloom.corpus.layout import StacNames
from landloom.errors import InvalidDocumentError
from landloom.model.crosswalk import crosswalk


def test_corpus_json_round_trips() -> None:
    info = make_info(crosswalks=(crosswalk("clc_landcovernet"),), layouts=("chips", "cubes"), names=StacNames())
    content = corpus_json(info)
    read = parse_corpus_json(content)
    assert corpus_json(read) == content
    assert read == info


def test_it_says_what_it_must() -> None:
    document = orjson.loads(corpus_json(make_info()))
    assert document["recipe"] == {"name": "demo", "seed": 7}
    terms = {row["key"]: row["terms"] for row in document["products"]}
    assert terms["s2"]["attribution"] == "Contains modified Copernicus Sentinel data 2018"
    assert terms["pfsr"]["licence"] == "CC-BY-NC-SA-3.0"
    assert "licence" not in document
    assert document["citation"]["doi"] == "10.34911/RDNT.GCYDKJ"
    assert len(document["taxonomies"][0]["classes"]) == 45
    assert document["software"].startswith("landloom ")


def test_it_holds_no_clock_and_no_path() -> None:
    assert corpus_json(make_info()) == corpus_json(make_info())
    assert not re.search(r"/(home|tmp|work|root)/", corpus_json(make_info()).decode())


@pytest.mark.parametrize(
    ("content", "where"),
    [(b"{", ""), (b"{}", "format"), (b'{"format": 2}', "format"), (b'{"format": 1}', "taxonomies"), (b"[]", "")],
)
def test_what_is_no_corpus_json_is_said(content: bytes, where: str) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        parse_corpus_json(content)
    assert caught.value.problems[0].where == where


def test_labels_round_trip_to_the_millionth() -> None:
    columns = ["clc_111", "clc_112", "clc_999"]
    content = label_geojson("a", {"type": "Point"}, columns, [1, 333_333, 666_666])
    assert parse_label_geojson(content) == ("a", dict(zip(columns, [1, 333_333, 666_666], strict=True)))
    assert orjson.loads(content)["properties"]["clc_112"] == 0.333333
    with pytest.raises(InvalidDocumentError):
        parse_label_geojson(b'{"properties": {}}')
