from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.annotate.made import task

from landloom.annotate.answers.patterns import Patterns
from landloom.annotate.answers.values import TaskAnswers
from landloom.errors import InvalidInputError, InvalidValueError

CODES = (2, 5, 9)


@st.composite
def answer_sets(draw: st.DrawFn) -> list[TaskAnswers]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    made = []
    for number in range(draw(st.integers(1, 4))):
        people = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4, unique=True))
        pixels = draw(st.integers(1, 12))
        kind = draw(st.sampled_from(["plain", "guess", "planted", "blind"]))

        def raster(shape: tuple[int, ...]) -> np.ndarray:
            return rng.choice((0, *CODES), shape).astype(np.uint8)

        made.append(
            TaskAnswers(
                task=str(number),
                annotators=tuple(people),
                labels=raster((len(people), pixels)),
                guess=raster((pixels,)) if kind in ("guess", "planted") else None,
                original=raster((pixels,)) if kind in ("planted", "blind") else None,
                blind=kind == "blind",
                reference=raster((pixels,)) if draw(st.booleans()) else None,
            )
        )
    return made


@given(answer_sets())
def test_every_pixel_can_be_read_back_from_its_pattern(answers: list[TaskAnswers]) -> None:
    found = Patterns.of(answers, CODES)
    codes = np.array([*CODES, 0])
    assert found.count.sum() == sum(one.pixels for one in answers)
    for at, one in enumerate(answers):
        rows = found.of_task(at)
        for seat, who in enumerate(one.annotators):
            assert (found.who[rows, seat] == found.annotators.index(who)).all()
            assert (codes[found.labels[rows, seat]] == one.labels[seat]).all()
        assert (found.labels[rows, len(one.annotators) :] == -1).all()
        for column, raster in ((found.shown, one.guess), (found.guess, one.model_guess)):
            assert (codes[column[rows]] == (0 if raster is None else raster)).all()
    known = sum(np.count_nonzero(one.reference) for one in answers if one.reference is not None)
    assert found.known.sum() == known
    assert (found.known.sum(axis=1) <= found.count).all()


def test_references_are_counted_by_pattern() -> None:
    found = Patterns.of([task("a", [2, 2, 5], reference=[2, 5, 0])], CODES)
    assert found.known.tolist() == [[1, 1, 0], [0, 0, 0]]
    assert found.count.tolist() == [2, 1]


def test_many_classes_are_sorted_instead_of_counted() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(1, 255, (3, 50), dtype=np.uint8)
    found = Patterns.of([TaskAnswers(task="a", annotators=("a", "b", "c"), labels=labels)], range(1, 255))
    assert (labels == np.array(found.classes)[found.labels[found.of_task(0)]].T).all()


def test_annotators_are_in_natural_order() -> None:
    labels = np.full((3, 1), 2, np.uint8)
    assert Patterns.of([TaskAnswers(task="a", annotators=(10, 9, "b"), labels=labels)], CODES).annotators == (
        "b",
        9,
        10,
    )


@pytest.mark.parametrize("raster", ["guess", "reference"])
def test_a_code_that_is_no_class_is_named_with_its_task(raster: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"second: got {raster} \[3\]"):
        Patterns.of([task("first", [2], **{raster: [2]}), task("second", [2], **{raster: [3]})], CODES)
    with pytest.raises(InvalidInputError, match=r"a: got labels \[7\]"):
        Patterns.of([task("a", [7])], CODES)
    with pytest.raises(InvalidValueError, match="expected one or more codes"):
        Patterns.of([], [0])
