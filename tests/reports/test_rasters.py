"""Figures of rasters: colours by code, and pictures that PNG readers open, with more classes than colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from landloom.reports.rasters import CLASS_COLOURS, class_picture, coloured, histogram, layer_rows, small_multiples

if TYPE_CHECKING:
    from numpy.typing import NDArray


@given(st.dictionaries(st.integers(1, 40), st.just("name"), max_size=30), st.integers(0, 2**31))
def test_codes_have_the_colour_of_their_place_and_others_are_grey(names: dict[int, str], seed: int) -> None:
    classes = np.random.default_rng(seed).integers(0, 42, (4, 5))
    picture = coloured(classes, names)
    for place in np.ndindex(4, 5):
        code = int(classes[place])
        hexadecimal = "#eeeeee"
        if code in names:
            hexadecimal = CLASS_COLOURS[sorted(names).index(code) % len(CLASS_COLOURS)]
        assert "#{:02x}{:02x}{:02x}".format(*picture[place]) == hexadecimal


def test_figures_are_pictures() -> None:
    rng = np.random.default_rng(1)
    names = {code: f"class {code}" for code in range(1, 60)}
    layers: dict[str, NDArray[Any]] = {
        "classes": rng.integers(0, 60, (8, 8)).astype(np.uint8),
        "ids": rng.integers(0, 2**40, (8, 8)),
        "ratios": rng.random((8, 8)).astype(np.float32),
        "masks": rng.integers(0, 3, (8, 8)).astype(np.uint8),
    }
    for png in (
        histogram(rng.random(50) * 100, [(50.0, "24 pixels")], "metres", "parcels"),
        class_picture(layers["classes"], names, "title"),
        layer_rows({"a": layers, "b": layers}, names),
        small_multiples([(str(day), np.zeros((4, 4, 3), np.uint8), day / 12) for day in range(12)]),
    ):
        picture = imagecodecs.png_decode(png)
        assert min(picture.shape[:2]) > 50
        assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 1
