"""Masks by name against Python's own evaluation, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError, NotFoundError
from landloom.query.cql2.mask import MAX_LENGTH, evaluate_mask, mask_layers

LAYERS = ("days", "cloud", "synthetic")
SIMPLE = st.one_of(
    st.sampled_from(LAYERS),
    st.builds(
        "{} {} {}".format,
        st.sampled_from(LAYERS),
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.integers(-2, 9),
    ),
    st.builds("{} <= {} < {}".format, st.integers(-2, 5), st.sampled_from(LAYERS), st.integers(3, 9)),
)
MASKS = st.recursive(
    SIMPLE,
    lambda inner: (
        st.builds("({}) and ({})".format, inner, inner)
        | st.builds("({}) or ({})".format, inner, inner)
        | st.builds("not ({})".format, inner)
    ),
    max_leaves=6,
)


@given(MASKS, st.integers(0, 2**32))
def test_every_pixel_is_what_python_says_of_its_numbers(text: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    layers = {name: rng.integers(0, 10, (3, 4), np.uint8) for name in LAYERS}
    found = evaluate_mask(text, layers)
    for place in np.ndindex(3, 4):
        numbers = {name: int(layer[place]) for name, layer in layers.items()}
        assert found[place] == bool(eval(text, {}, numbers))  # noqa: S307 - a text of our own making
    assert set(mask_layers(text)) == {name for name in LAYERS if name in text}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "days +",
        "days + 1",
        "1 < 2",
        "days == 'x'",
        "days if cloud else days",
        "days()",
        "days.x",
        "days in [1]",
        "True",
    ],
)
def test_what_is_no_mask_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="mask"):
        evaluate_mask(text, {"days": np.zeros(1), "cloud": np.zeros(1)})


def test_unknown_layers_are_named_and_long_masks_are_not_read() -> None:
    with pytest.raises(NotFoundError, match="day"):
        evaluate_mask("day < 3", {"days": np.zeros(1)})
    with pytest.raises(InvalidInputError, match="characters"):
        mask_layers("days " + "and days " * MAX_LENGTH)
    with pytest.raises(InvalidInputError, match="mask"):
        mask_layers("(" * 900 + "days" + ")" * 90)
