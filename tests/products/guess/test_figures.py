"""Figures of guesses are pictures of what they are given, the same bytes each time."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib import image

from landloom.products.guess import figures

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = {code: f"class {code}" for code in range(8)}


def layers(seed: int) -> dict[str, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    shown = {"summer": rng.integers(0, 255, (30, 30, 3)).astype(np.uint8), "guess": rng.integers(0, 8, (30, 30))}
    return {"33UUR_00": {**shown, "confidence": rng.integers(0, 101, (30, 30))}}


FIGURES: dict[str, Callable[[int], bytes]] = {
    "maps": lambda seed: figures.chip_maps(layers(seed), NAMES),
    "confusion": lambda seed: figures.confusion(
        np.random.default_rng(seed).integers(0, 99, (3, 3)), ["1 water", "2 bare", "3 snow"]
    ),
    "importances": lambda seed: figures.importances({"B04": 0.4, "B08": 0.6}, {"01": seed / 10, "02": 0.1}),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_a_picture_of_its_numbers(name: str) -> None:
    draw = FIGURES[name]
    assert draw(1) == draw(1) != draw(2)
    shown = image.imread(io.BytesIO(draw(1)))
    assert min(shown.shape[:2]) > 100
    assert len(np.unique(shown.reshape(-1, shown.shape[2]), axis=0)) > 4


def test_a_class_that_never_occurs_is_an_empty_row() -> None:
    assert figures.confusion(np.array([[5, 0], [0, 0]]), ["1 water", "2 bare"])[:4] == b"\x89PNG"
