"""Predictions of a known quality."""

from __future__ import annotations

from typing import Any

import numpy as np

from landloom.training.evaluation.predictions import Predictions

CLASSES = ("field", "forest", "water")


def drawn(
    rows: int = 600, *, seed: int = 0, skill: float = 1.5, model: int = 0, blocks: int = 30, **more: Any
) -> Predictions:
    """Predictions whose truth depends on the seed alone, and whose errors are alike within a block."""
    random = np.random.default_rng(seed)
    truth = random.choice(len(CLASSES), rows, p=[0.5, 0.35, 0.15])
    block = random.integers(0, blocks, rows)
    country = np.array(["AT", "SI", ""])[block % 3]
    own = np.random.default_rng([seed, model])
    logits = own.normal(0, 1, (rows, 3)) + own.normal(0, 0.7, (blocks, 3))[block]
    logits[np.arange(rows), truth] += skill
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    known: dict[str, Any] = {"country": country.tolist(), "split": "test"}
    return Predictions.of(
        id=[f"s{row}" for row in range(rows)],
        truth=truth,
        probabilities=chances,
        classes=CLASSES,
        block=block,
        **known | more,
    )
