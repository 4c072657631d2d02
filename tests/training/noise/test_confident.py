"""Confident learning: cleanlab's results, known noise, and what never is suspected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.foreign import call, needed

from landloom.training.noise.confident import LabelNoise

if TYPE_CHECKING:
    from pathlib import Path

CLEANLAB: list[dict[str, Any]] = [
    {
        "thresholds": [0.647202, 0.625221, 0.640835, 0.505458],
        "counts": [[39, 5, 1, 0], [1, 35, 1, 2], [1, 2, 30, 0], [5, 4, 2, 21]],
        "suspected": [
            2,
            7,
            9,
            18,
            22,
            28,
            40,
            54,
            58,
            70,
            74,
            82,
            86,
            89,
            95,
            101,
            108,
            115,
            116,
            117,
            120,
            128,
            131,
            135,
            139,
            146,
            161,
            170,
            188,
            194,
        ],
    },
    {
        "thresholds": [0.659931, 0.654572, 0.569625, 0.726507],
        "counts": [[45, 4, 0, 0], [1, 38, 3, 1], [1, 1, 22, 1], [0, 1, 0, 11]],
        "suspected": [6, 15, 19, 50, 51, 52, 88, 128, 131, 142, 145, 151, 153, 155, 156, 167, 186, 197, 198],
    },
    {
        "thresholds": [0.612562, 0.633706, 0.593745, 0.524435],
        "counts": [[42, 3, 3, 2], [7, 38, 0, 1], [2, 2, 19, 0], [2, 2, 3, 16]],
        "suspected": [
            3,
            5,
            18,
            29,
            30,
            39,
            46,
            48,
            50,
            52,
            55,
            61,
            68,
            69,
            72,
            74,
            99,
            102,
            106,
            117,
            119,
            127,
            129,
            163,
            166,
            168,
            173,
            177,
            183,
            187,
            189,
            192,
            193,
            196,
        ],
    },
    {
        "thresholds": [0.729221, 0.632076, 0.637443, 0.368032],
        "counts": [[49, 2, 1, 2], [1, 42, 5, 2], [0, 2, 20, 3], [6, 2, 1, 9]],
        "suspected": [
            10,
            12,
            20,
            21,
            22,
            25,
            31,
            33,
            35,
            37,
            38,
            50,
            68,
            74,
            90,
            104,
            122,
            124,
            130,
            141,
            158,
            159,
            170,
            179,
            188,
            190,
            192,
            196,
        ],
    },
]
"""Of `case(0)` to `case(3)`, by cleanlab 2.9.0: `get_confident_thresholds`, `compute_confident_joint` (not calibrated)
and `find_label_issues(filter_by="prune_by_noise_rate")`."""


def case(seed: int, rows: int = 200, classes: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of which 12 % are wrong, probabilities, and the truth."""
    random = np.random.default_rng(seed)
    truth = random.choice(classes, rows, p=[0.4, 0.3, 0.2, 0.1])
    logits = random.normal(0, 1, (rows, classes))
    logits[np.arange(rows), truth] += 2.5
    given = np.where(random.random(rows) < 0.12, (truth + random.integers(1, classes, rows)) % classes, truth)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return given, chances.round(6), truth


@pytest.mark.parametrize("seed", range(4))
def test_results_are_those_of_cleanlab(seed: int) -> None:
    """It rounds the joint distribution to whole rows of each class, so that single rows differ."""
    given, chances, _ = case(seed)
    found, known = LabelNoise.of(given, chances), CLEANLAB[seed]
    assert found.thresholds == pytest.approx(known["thresholds"], abs=1e-5)
    assert found.counts.tolist() == known["counts"]
    ours, theirs = set(np.flatnonzero(found.suspected).tolist()), set(known["suspected"])
    assert len(ours ^ theirs) <= 1


def test_cleanlab_agrees(tmp_path: Path) -> None:
    needed("cleanlab")
    given, chances, _ = zip(*(case(seed, 500) for seed in range(10, 20)), strict=True)
    np.savez(tmp_path / "cases.npz", given=np.stack(given), chances=np.stack(chances))
    source = """
import sys, numpy as np
from cleanlab import count
cases = np.load(sys.argv[1])
pairs = list(zip(cases["given"], cases["chances"]))
counts = [count.compute_confident_joint(given, chances, calibrate=False) for given, chances in pairs]
np.savez(sys.argv[2], counts=counts, joint=[count.estimate_joint(given, chances) for given, chances in pairs])
"""
    call("cleanlab", source, tmp_path / "cases.npz", tmp_path / "found.npz")
    with np.load(tmp_path / "found.npz") as theirs:
        for number in range(len(given)):
            found = LabelNoise.of(given[number], chances[number])
            assert found.counts == pytest.approx(theirs["counts"][number])
            assert found.joint == pytest.approx(theirs["joint"][number], abs=2 / 500)


def test_known_noise_is_found() -> None:
    given, chances, truth = case(5, 20_000)
    found = LabelNoise.of(given, chances)
    known = np.zeros((4, 4))
    np.add.at(known, (given, truth), 1 / len(given))
    assert found.joint == pytest.approx(known, abs=0.02)
    assert found.share == pytest.approx((given != truth).mean(), abs=0.03)
    wrong = given != truth
    precision, recall = wrong[found.suspected].mean(), found.suspected[wrong].mean()
    assert precision > 0.7
    assert recall > 0.7
    assert precision > 5 * wrong.mean()


def test_rows_of_the_joint_are_the_labels_given() -> None:
    given, chances, _ = case(6)
    found = LabelNoise.of(given, chances)
    assert found.joint.sum(axis=1) == pytest.approx(np.bincount(given, minlength=4) / len(given))


def test_a_weight_counts_as_that_many_rows() -> None:
    given, chances, _ = case(7, 60)
    times = np.arange(60) % 3 + 1
    weighed = LabelNoise.of(given, chances, times.astype(np.float64))
    copied = LabelNoise.of(np.repeat(given, times), np.repeat(chances, times, axis=0))
    assert weighed.counts == pytest.approx(copied.counts)
    assert weighed.joint == pytest.approx(copied.joint)
    assert weighed.share == pytest.approx(copied.share)


def test_what_the_model_believes_is_not_suspected() -> None:
    given, chances, _ = case(8)
    found = LabelNoise.of(given, chances)
    agreed = chances.argmax(axis=1) == given
    assert not found.suspected[agreed].any()
    assert (found.suggested != given).all()
    clean = LabelNoise.of(chances.argmax(axis=1), chances)
    assert not clean.suspected.any()


def test_a_class_without_labels_is_no_class_of_others() -> None:
    given, chances, _ = case(9)
    kept = given != 3
    found = LabelNoise.of(given[kept], chances[kept])
    assert found.counts[:, 3].sum() == found.counts[3].sum() == 0
    assert found.joint[3].sum() == 0
    assert np.isfinite(found.share)
