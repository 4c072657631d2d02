"""The evaluation of fused series: its parts by hand, and its bars on a seed of development."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from landloom.products.fused.judge import (
    ALONE,
    FUSED,
    LIMITS,
    Judged,
    break_summary,
    fused_table,
    gap_lengths,
    judge_seed,
    medians,
    nearest_in_time,
)
from landloom.products.fused.peers import PEERS, absent

SEED = 303


@pytest.fixture(scope="module")
def judged() -> Judged:
    return judge_seed(SEED)


@pytest.mark.slow
def test_bars_on_a_seed_of_development(judged: Judged) -> None:
    values = judged.values()
    for name in ("fused_rmse", "fused_worst_band", "fused_long_gap", "fused_second"):
        assert values[name] <= LIMITS[name][0], name
    assert values["fused_agreement"] >= 0.95
    assert values["fused_flagged"] <= 0.02
    assert abs(values["fused_cover_1"]) < 0.12


@pytest.mark.slow
def test_document_and_table(judged: Judged) -> None:
    document = judged.document()
    peers = set(PEERS) - set(absent())
    assert set(document["rmse"]) == {"nearest", "linear", "whittaker", "harmonic", "clr", FUSED, ALONE} | peers
    assert document["absent"] == list(absent())
    assert document["crps"] < document["sigma"]
    assert sum(one["share"] for one in document["by_gap"].values()) == pytest.approx(1.0)
    assert [row[0] for row in fused_table([judged])] == list(judged.square)
    assert medians([judged])["fused_rmse"] == judged.values()["fused_rmse"]
    assert f"{judged.fields.size} fields of 1 seeds" in break_summary([judged])
    assert break_summary([replace(judged, fields=np.zeros(0))]) == "No field changes abruptly near a withheld scene."


def test_gaps_reach_from_the_observation_before_to_that_after() -> None:
    days, held = np.array([0.0, 5.0, 10.0, 15.0]), np.array([False, True, False, True])
    used = np.zeros((4, 1, 2), bool)
    used[0, 0, 0] = used[2, 0] = True
    assert gap_lengths(used, days, held)[:, 0].tolist() == [[10.0, np.inf], [np.inf, np.inf]]


def test_nearest_takes_the_earlier_of_two() -> None:
    stack = np.array([100, 200, 300], np.uint16).reshape(3, 1, 1, 1)
    valid = np.ones((3, 1, 1), bool)
    made = nearest_in_time(stack, valid, np.array([0.0, 10.0, 30.0]), np.array([5.0, 21.0, -4.0]))
    assert made.ravel().tolist() == [100, 300, 100]
    assert nearest_in_time(stack, ~valid, np.arange(3.0), np.array([1.0])).max() == 0
