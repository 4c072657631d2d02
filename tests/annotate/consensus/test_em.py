from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from tests.annotate.made import answers, campaign, task

from landloom.annotate.answers.patterns import Patterns
from landloom.annotate.consensus.consensus import consensus
from landloom.annotate.consensus.em import dawid_skene, one_coin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.annotate.answers.values import TaskAnswers


def by_crowd_kit(kind: str, tasks: list[TaskAnswers], *, known: bool = False) -> NDArray[np.float64]:
    """(pixel, class) posteriors of crowd-kit, classes 1 to 7."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from crowdkit import aggregation

        rows, at = [], 0
        truth: dict[int, int] = {}
        for one in tasks:
            for person, labels in zip(one.annotators, one.labels, strict=True):
                rows.append(pd.DataFrame({"task": np.arange(at, at + one.pixels), "worker": person, "label": labels}))
            if one.reference is not None:
                truth |= dict(zip(range(at, at + one.pixels), one.reference.tolist(), strict=True))
            at += one.pixels
        data = pd.concat(rows).astype({"label": int})
        model = getattr(aggregation, kind)()
        found = model.fit_predict_proba(data, pd.Series(truth)) if known else model.fit_predict_proba(data)
    table = np.zeros((at, 7))
    for code in found.columns:
        table[:, int(code) - 1] = found.loc[np.arange(at), code]
    return table


def few(seed: int) -> list[TaskAnswers]:
    """Some tasks of a campaign, two of them by two people only."""
    made = answers(campaign(seed=seed, references=3, chips=1))
    refs = [one for one in made if one.reference is not None][:1]
    return refs + [one for one in made if one.reference is None][:5]


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_posteriors_equal_crowd_kits(seed: int) -> None:
    tasks = few(seed)
    made = Patterns.of(tasks, range(1, 8))
    assert np.abs(dawid_skene(made).posterior[made.index] - by_crowd_kit("DawidSkene", tasks)).max() < 1e-6


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_posteriors_with_references_equal_crowd_kits(seed: int) -> None:
    tasks = few(seed)
    found = consensus(tasks, range(1, 8), "dawid-skene")
    theirs = by_crowd_kit("DawidSkene", tasks, known=True)
    free = np.concatenate([np.full(one.pixels, one.reference is None) for one in tasks])
    assert np.abs(found.posterior[found.patterns.index] - theirs)[free].max() < 1e-6


def test_different_people_on_each_task() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(1, 8, (6, 200))
    tasks = []
    for number, own in enumerate(truth):
        labels = [np.where(rng.random(200) < 0.8, own, rng.integers(1, 8, 200)).tolist() for _ in range(5)]
        whole = task(str(number), *labels)
        chosen = [number % 5, (number + 1) % 5, (number + 3) % 5]
        tasks.append(
            type(whole)(task=str(number), annotators=tuple(chosen), labels=np.ascontiguousarray(whole.labels[chosen]))
        )
    made = Patterns.of(tasks, range(1, 8))
    assert np.abs(dawid_skene(made).posterior[made.index] - by_crowd_kit("DawidSkene", tasks)).max() < 1e-6


def test_one_coin_agrees_with_crowd_kits_labels() -> None:
    """Its prior differs, which decides few pixels."""
    tasks = few(1)
    made = Patterns.of(tasks, range(1, 8))
    theirs = by_crowd_kit("OneCoinDawidSkene", tasks)
    ours = one_coin(made, None).posterior[made.index]
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1)).mean() > 0.9


def test_one_coin_by_hand() -> None:
    """Accuracies 0.8 and 0.6: odds of two different labels are 0.8 · 0.4 against 0.2 · 0.6."""
    tasks = [task("r", [1, 1, 1, 1, 2], [1, 1, 1, 2, 2], reference=[1, 1, 1, 1, 1]), task("a", [1], [2])]
    found = consensus(tasks, [1, 2], "one-coin")
    assert found.posterior[found.patterns.of_task(1)][0].tolist() == pytest.approx([0.32 / 0.44, 0.12 / 0.44])
    assert found.parameters["accuracy"] == {"1": 0.8, "2": 0.6}


def test_accuracy_is_found_from_agreement_alone() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(1, 8, 4_000)
    rates = (0.95, 0.8, 0.6)
    labels = [np.where(rng.random(4_000) < rate, truth, truth % 7 + 1).tolist() for rate in rates]
    shuffled = [np.where(np.array(own) == truth, own, rng.integers(1, 8, 4_000)).tolist() for own in labels]
    found = consensus([task("a", *shuffled)], range(1, 8), "one-coin")
    expected = [(np.array(own) == truth).mean() for own in shuffled]
    assert list(found.parameters["accuracy"].values()) == pytest.approx(expected, abs=0.02)
    assert "from their agreement" in found.notes[0]
