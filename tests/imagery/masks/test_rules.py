"""Values of mask layers: which are usable by default or by name, and which are unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from landloom.errors import NotFoundError
from landloom.imagery.masks.rules import MaskRule, layer_numbers
from landloom.imagery.valid import bits_valid, scl_valid
from landloom.model.sensor import HLS_L30, LANDSAT_C2_L2, SENTINEL_2_L2A, Classification

SENSORS = (SENTINEL_2_L2A, LANDSAT_C2_L2, HLS_L30)
SCL, QA, FMASK = (one.classification or Classification(name="", resolution=1) for one in SENSORS)
OWN = Classification(
    name="udm", resolution=3, clear=frozenset({0}), nodata=None, words={0: "clear", 1: "cloud"}, zero=True
)


def usable(layer: Classification, values: list[int], words: list[int | str] | None = None, dilate: int = 0) -> str:
    clear = None if words is None else layer.codes(words)
    numbers = layer_numbers(np.array([values], np.uint16), layer, ())
    rule = MaskRule(layer=layer, clear=clear, dilate=dilate)
    return "".join(str(int(one)) for one in rule.usable(numbers)[0])


@pytest.mark.parametrize("dilate", [0, 1])
def test_without_words_the_rules_are_those_of_the_sensors(dilate: int) -> None:
    scl = np.arange(0, 20, dtype=np.uint8).reshape(4, 5)
    rule = MaskRule(layer=SCL, dilate=dilate)
    np.testing.assert_array_equal(rule.usable(layer_numbers(scl, SCL, ())), scl_valid(scl, dilate=dilate))
    flags = np.array([[21_824, 22_280, 1, 0, 30_048]], np.uint16)
    rule = MaskRule(layer=QA, dilate=dilate)
    np.testing.assert_array_equal(
        rule.usable(layer_numbers(flags, QA, ())), bits_valid(flags, 0b11111, dilate=dilate, nodata=1)
    )


@pytest.mark.parametrize(
    ("layer", "values", "words", "found"),
    [
        (FMASK, [0, 2, 4, 8, 16, 32, 192, 255], None, "10001110"),
        (FMASK, [0, 2, 4, 8, 16, 32, 192, 255], ["adjacent", "water"], "10100110"),
        (QA, [21_824, 30_048, 22_280, 1, 21_952], ["water"], "10001"),
        (SCL, [4, 5, 6, 11, 0], ["vegetation", 6], "10100"),
        (OWN, [0, 1, 7], None, "100"),
        (replace(OWN, words={}), [0, 1, 7], None, "100"),
    ],
)
def test_clear_names_what_counts_as_usable(
    layer: Classification, values: list[int], words: list[int | str] | None, found: str
) -> None:
    assert usable(layer, values, words) == found


def test_unusable_areas_grow_and_pixels_without_data_do_not() -> None:
    assert usable(FMASK, [255, 0, 0, 0, 2, 0, 0], dilate=1) == "0110001"
    assert usable(OWN, [0, 0, 0, 1, 0, 0], dilate=1) == "110001"


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_zero_is_a_value_where_the_layer_says_so_whatever_the_type(dtype: type) -> None:
    numbers = layer_numbers(np.array([[0, 2, 99]], dtype), FMASK, (99.0,))
    assert MaskRule(layer=FMASK).usable(numbers).tolist() == [[True, False, False]]
    assert numbers[0, 2] == 0


@pytest.mark.parametrize(("layer", "unknown"), [(OWN, (5, 9)), (SCL, (12,)), (FMASK, ()), (replace(OWN, words={}), ())])
def test_values_without_a_meaning_are_unknown(layer: Classification, unknown: tuple[int, ...]) -> None:
    values = [0, 1, 5, 9] if layer.name == "udm" else [0, 4, 12]
    assert MaskRule(layer=layer).unknown(layer_numbers(np.array([values], np.uint8), layer, ())) == unknown


def test_a_word_that_the_layer_lacks_is_named() -> None:
    with pytest.raises(NotFoundError, match="snowman"):
        FMASK.codes(["snowman"])
