"""Figures of rasters: colours by code, and pictures that PNG readers open, with more classes than colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.model.rendering.known import CLAIMED, IDENTIFIERS
from landloom.model.rendering.palettes import distinct, named_rendering
from landloom.model.rendering.values import Continuous, Rendering
from landloom.reports.rasters import class_picture, class_shares, coloured, histogram, layer_rows, small_multiples

if TYPE_CHECKING:
    from numpy.typing import NDArray


@given(st.sets(st.integers(0, 40), max_size=30), st.integers(0, 2**31))
def test_codes_have_the_colour_of_their_class_and_others_are_grey(codes: set[int], seed: int) -> None:
    classes = np.random.default_rng(seed).integers(0, 42, (4, 5))
    shown = named_rendering((code, "name", colour) for code, colour in zip(sorted(codes), distinct(30), strict=False))
    own = {one.code: one.colour for one in shown.classes}
    picture = coloured(classes, shown)
    for place in np.ndindex(4, 5):
        assert "#{:02x}{:02x}{:02x}".format(*picture[place]) == own.get(int(classes[place]), "#eeeeee")
    shares = class_shares(classes, shown)
    assert sum(share for _, share in shares) == pytest.approx(np.isin(classes, list(codes)).mean())


def test_figures_are_pictures() -> None:
    rng = np.random.default_rng(1)
    names = named_rendering((code, f"class {code}", colour) for code, colour in enumerate(distinct(59), 1))
    shown: dict[str, Rendering] = {
        "classes": names,
        "ids": IDENTIFIERS,
        "ratios": Continuous(unit="share"),
        "masks": CLAIMED,
    }
    layers: dict[str, NDArray[Any]] = {
        "classes": rng.integers(0, 60, (8, 8)).astype(np.uint8),
        "ids": rng.integers(0, 2**40, (8, 8)),
        "ratios": rng.random((8, 8)).astype(np.float32),
        "masks": rng.integers(0, 3, (8, 8)).astype(np.uint8),
    }
    for png in (
        histogram(rng.random(50) * 100, [(50.0, "24 pixels")], "metres", "parcels"),
        class_picture(layers["classes"], names, "title"),
        layer_rows({"a": layers, "b": layers}, shown),
        small_multiples([(str(day), np.zeros((4, 4, 3), np.uint8), day / 12) for day in range(12)]),
    ):
        picture = imagecodecs.png_decode(png)
        assert min(picture.shape[:2]) > 50
        assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 1
