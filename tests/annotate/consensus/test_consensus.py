from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.annotate.made import answers, campaign, task

from landloom.annotate.consensus.consensus import consensus
from landloom.annotate.consensus.methods import METHODS
from landloom.errors import InvalidInputError, NotFoundError


@pytest.mark.parametrize("method", METHODS)
def test_laws_of_every_method(method: str) -> None:
    tasks = answers(campaign(copying=(0.3, 0.5, 0.7)))
    found = consensus(tasks, range(1, 8), method)
    assert found.calibrated.sum(axis=1) == pytest.approx(1.0)
    for at, own in enumerate(tasks):
        one = found.of_task(at)
        assert one.label.shape == (own.pixels,)
        assert (one.label > 0).all()
        assert one.confidence == pytest.approx(np.take_along_axis(one.posterior, one.label[None] - 1, axis=0)[0])
        assert (one.votes.sum(axis=0) == 3).all()
        assert one.entropy.min() >= -1e-12
        assert one.entropy.max() <= 1 + 1e-12
    plain = consensus(tasks, range(1, 8), "published")
    assert (found.published_label == plain.label).all()
    assert (found.published_score == plain.confidence).all()
    document = json.loads(json.dumps(found.document(), allow_nan=False))
    assert (document["method"], document["version"]) == (method, "1")
    assert document["quality"]["accuracy"]["tasks"] == 24


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_tasks_and_annotators_does_not_matter(method: str) -> None:
    tasks = answers(campaign(copying=(0.3, 0.5, 0.7)))
    found = consensus(tasks, range(1, 8), method)
    turned = [
        type(one)(
            task=one.task,
            annotators=one.annotators[::-1],
            labels=one.labels[::-1].copy(),
            guess=one.guess,
            original=one.original,
            reference=one.reference,
            blind=one.blind,
        )
        for one in tasks
    ]
    other = consensus(turned, range(1, 8), method)
    for at in range(len(tasks)):
        assert (found.labels(at) == other.labels(at)).mean() > 0.999
        assert found.of_task(at).posterior == pytest.approx(other.of_task(at).posterior, abs=1e-6)


@given(st.lists(st.integers(1, 3), min_size=3, max_size=3), st.sampled_from(METHODS))
@settings(max_examples=25, deadline=None)
def test_one_pixel_alone_gets_a_label_of_its_votes(labels: list[int], method: str) -> None:
    found = consensus([task("a", *[[label] for label in labels])], [1, 2, 3], method)
    assert found.labels(0)[0] in labels


def test_few_references_are_not_calibrated_on() -> None:
    found = consensus(answers(campaign(references=3)), range(1, 8), "one-coin")
    assert found.temperature == 1.0
    assert "confidence is not calibrated: 3 reference tasks, 5 needed" in found.notes


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(NotFoundError, match="majority"):
        consensus([], [1], "majorty")
    with pytest.raises(InvalidInputError, match="a: got labels"):
        consensus([task("a", [9])], [1])


def test_no_answers_at_all() -> None:
    for method in METHODS:
        assert consensus([], [1, 2], method).document()["pixels"] == 0
