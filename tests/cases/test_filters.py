"""LIKE as CQL2 writes it, in bounded time; numbers in every form of the standard."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.conftest import running

from landloom.errors import InvalidInputError
from landloom.query.corpus import Corpus
from landloom.query.cql2.evaluation import Words, evaluate
from landloom.query.cql2.filter import parse
from landloom.query.cql2.like import like
from landloom.query.index.synthetic import synthetic_samples, write_resources
from landloom.server.stac.search import Question, Searcher

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray


def held(word: str, pattern: str) -> bool:
    """LIKE by its definition: one character after the other, every choice tried."""
    places = {0}
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    for part in parts:
        if part == "%":
            places = {later for place in places for later in range(place, len(word) + 1)}
        else:
            plain = part[-1] if len(part) == 2 else part
            places = {place + 1 for place in places if place < len(word) and (part == "_" or word[place] == plain)}
    return len(word) in places


@settings(max_examples=500, deadline=None)
@given(word=st.text("ab%_\\\n", max_size=8), pattern=st.text("ab%_\\", max_size=8))
def test_like_is_what_its_definition_says(word: str, pattern: str) -> None:
    assert like(pattern)(word) == held(word, pattern)


class Texts:
    """One text column of many rows."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)

    def names(self) -> Iterable[str]:
        return ("id",)

    def number(self, name: str) -> tuple[NDArray[np.integer], int, int] | None:
        del name
        return None

    def words(self, name: str) -> Words:
        del name
        return Words(codes=np.arange(len(self.texts)), texts=self.texts)


@pytest.mark.parametrize("pattern", ["%a%a%a%a%b", "%_%_%_%_%b", "%aa%aa%aa%aa%b", "a%" * 40 + "b"])
def test_many_wildcards_on_long_texts_cost_no_more_than_few(pattern: str) -> None:
    text = " OR ".join(f"id LIKE '{pattern}{number}'" for number in range(8))
    assert not evaluate(parse(text), Texts(["a" * 1_500] * 20)).any()


def test_more_comparisons_of_text_than_are_bearable_are_refused() -> None:
    columns = Texts([f"{number:06d}" for number in range(500_000)])
    text = " OR ".join(f"id LIKE '%{number}%x'" for number in range(41))
    with pytest.raises(InvalidInputError, match="20,000,000 comparisons"):
        evaluate(parse(text), columns)
    many = " OR ".join(f"id = '{number:06d}'" for number in range(100))
    assert evaluate(parse(many), columns).sum() == 100


@pytest.mark.parametrize(
    ("text", "number"), [(".5", 0.5), ("-.25", -0.25), (".5e1", 5), ("5.", 5), ("+.5", 0.5), ("0.5", 0.5)]
)
@pytest.mark.parametrize("form", ["clc_1 = {}", "clc_1 IN (1, {})", "clc_1 BETWEEN {} AND {}"])
def test_numbers_in_every_form_of_the_standard(text: str, number: float, form: str) -> None:
    assert parse(form.replace("{}", text)) == parse(form.replace("{}", str(number)))


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    write_resources(synthetic_samples(200, 4, seed=3), tmp_path / "resources")
    return Corpus.open(tmp_path, cache=tmp_path / "cache")


def test_an_escape_makes_a_wildcard_plain_in_queries_and_in_the_api(corpus: Corpus) -> None:
    some = corpus.query(limit=1).ids[0]
    zone, _, rest = some.partition("_")
    assert corpus.query(where=rf"id LIKE '{zone}\_{rest}'").ids == (some,)
    assert len(corpus.query(where=rf"id LIKE '{zone}\%{rest}'")) == 0
    asked = {"filter": rf"sample_id LIKE '{zone}\_{rest}'", "collections": "rapidai4eo_v1_labels"}
    with running(corpus) as url:
        assert httpx.get(f"{url}/search", params=asked).json()["numberMatched"] == 1


def test_a_long_search_does_not_hold_the_others(corpus: Corpus) -> None:
    """Two questions are in work at once: a barrier that each of them waits at is passed."""
    meeting = threading.Barrier(2, timeout=20)

    class Meeting(Searcher):
        def _answer(self, question: Question) -> Any:
            meeting.wait()
            return super()._answer(question)

    searcher = Meeting(corpus, corpus.info)
    threads = [threading.Thread(target=searcher.ask, args=(Question(ids=(str(number),)),)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not meeting.broken
