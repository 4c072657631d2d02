from __future__ import annotations

import numpy as np
import pytest
from tests.annotate.made import task

from landloom.annotate.answers.values import TaskAnswers
from landloom.errors import InvalidValueError

TWO = np.ones((2, 4), np.uint8)


def test_a_planted_error_is_where_the_guess_was_altered() -> None:
    one = task("a", [1, 1], guess=[2, 1], original=[1, 1])
    assert one.planted is not None
    assert one.planted.tolist() == [True, False]
    assert one.model_guess is not None
    assert one.model_guess.tolist() == [1, 1]
    assert task("a", [1], guess=[1]).planted is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"labels": TWO.astype(np.int64)}, "expected uint8"),
        ({"labels": TWO[:1]}, "2 annotators"),
        ({"annotators": (1, 1)}, "each once"),
        ({"guess": np.ones(3, np.uint8)}, "a: got a guess"),
        ({"reference": np.ones(4, np.int16)}, "a: got a reference"),
        ({"guess": np.ones(4, np.uint8), "blind": True}, "blind"),
    ],
)
def test_what_does_not_fit_is_refused(fields: dict[str, object], said: str) -> None:
    good: dict[str, object] = {"task": "a", "annotators": (1, 2), "labels": TWO}
    with pytest.raises(InvalidValueError, match=said):
        TaskAnswers(**{**good, **fields})  # type: ignore[arg-type]
