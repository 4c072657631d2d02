"""Predictions: what they refuse, their Parquet form, and that grouped pixels say what the single ones say."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidDocumentError, InvalidValueError
from landloom.training.evaluation.predictions import CONFIDENCE_BINS, Predictions

GOOD: dict[str, Any] = {
    "id": ["a", "b", "c"],
    "truth": [0, 1, 1],
    "probabilities": [[0.5, 0.5], [0.25, 0.75], [1, 0]],
    "classes": ["field", "forest"],
    "block": [4, 4, 7],
    "split": "test",
}


def same(one: Predictions, other: Predictions) -> bool:
    pairs = [(getattr(one, field.name), getattr(other, field.name)) for field in fields(Predictions)]
    return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"country": ["SI", "", "AT"], "stratum": ["x", "y", "x"], "weight": [1, 2, 3.5]},
        {"shares": [[0.6, 0.4], [0, 1], [0.1, 0.9]], "corpus": "c0ffee", "split_set": "5e7"},
    ],
    ids=["plain", "places", "shares"],
)
def test_a_file_holds_all(more: dict[str, Any]) -> None:
    made = Predictions.of(**GOOD | more)
    data = made.encoded()
    assert same(Predictions.decoded(data, "x"), made)
    assert data == made.encoded()


def test_other_tools_read_names(tmp_path: Any) -> None:
    path = tmp_path / "predictions-test.parquet"
    path.write_bytes(Predictions.of(**GOOD).encoded())
    rows = pq.read_table(path).to_pylist()
    assert [(row["id"], row["truth"], row["predicted"], row["split"]) for row in rows] == [
        ("a", "field", "field", "test"),
        ("b", "forest", "forest", "test"),
        ("c", "forest", "field", "test"),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"truth": [0, 1]}, r"got truth of shape \(2,\), expected \(3,\)"),
        ({"truth": [0, -1, 1]}, r"row 1 \(b\): got truth -1, expected 0 to 1"),
        ({"truth": [0, 1, 2]}, r"row 2 \(c\): got truth 2"),
        ({"probabilities": [[0.5, 0.5], [0.2, 0.2], [1, 0]]}, r"row 1 \(b\): got probabilities .* a sum of 1"),
        ({"probabilities": [[0.5, 0.5], [np.nan, 0.2], [1, 0]]}, r"row 1 \(b\): got probabilities"),
        ({"probabilities": [[0.5, 0.5], [1.5, -0.5], [1, 0]]}, r"row 1 \(b\): got probabilities .* at least 0"),
        ({"weight": [1, 0, 1]}, r"row 1 \(b\): got weight 0.0, expected a number above 0"),
        ({"classes": ["x", "x"]}, "expected each once"),
        ({"country": ["SI"]}, r"got country of shape \(1,\)"),
        ({"split": ["test"]}, r"got split of shape \(1,\)"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_is_no_prediction_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Predictions.of(**GOOD | change)


def test_other_files_are_refused() -> None:
    with pytest.raises(InvalidDocumentError, match="cannot be read as predictions"):
        Predictions.decoded(b"nothing", "predictions-test.parquet")


def test_parts_of_other_kinds_are_not_joined() -> None:
    one = Predictions.of(**GOOD)
    assert same(Predictions.joined([one.rows(np.array([0])), one.rows(np.array([1, 2]))]), one)
    with pytest.raises(InvalidValueError, match="got classes"):
        Predictions.joined([one, replace(one, classes=("field", "water"))])
    with pytest.raises(InvalidValueError, match="got corpus 'other', expected ''"):
        Predictions.joined([one, replace(one, corpus="other")])
    with pytest.raises(InvalidValueError, match="got country in some of them"):
        Predictions.joined([one, replace(one, country=("SI", "SI", "SI"))])
    with pytest.raises(InvalidValueError, match="got no predictions"):
        Predictions.joined([])


@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_grouped_pixels_say_what_single_ones_say(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    chances = random.dirichlet(np.full(size, 0.4), (9, 7)).astype(np.float32)
    mask = random.integers(-1, size, (9, 7))
    names = [f"c{number}" for number in range(size)]
    made = Predictions.of_pixels(
        id="s", mask=mask, probabilities=np.moveaxis(chances, -1, 0), classes=names, block=3, split="test"
    )
    kept = mask >= 0
    truth, rows = mask[kept], chances[kept].astype(np.float64)
    assert made.weight.sum() == kept.sum()
    pairs, groups = np.zeros((size, size)), np.zeros((size, size))
    np.add.at(pairs, (truth, chances[kept].argmax(axis=1)), 1)
    np.add.at(groups, (made.truth, made.predicted), made.weight)
    assert np.array_equal(pairs, groups)
    brier = ((rows - np.eye(size)[truth]) ** 2).sum()
    ours = ((made.probabilities.astype(np.float64) - np.eye(size)[made.truth]) ** 2).sum(axis=1) + made.spread
    assert (made.weight * ours).sum() == pytest.approx(brier, abs=1e-4)
    for bins in (10, 15, 20):
        assert CONFIDENCE_BINS % bins == 0
        single = np.histogram(rows.max(axis=1), bins, (0, 1))[0]
        grouped = np.histogram(made.confidence, bins, (0, 1), weights=made.weight)[0]
        assert np.abs(single - grouped).sum() <= 2  # a mean of one value may be rounded over an edge
