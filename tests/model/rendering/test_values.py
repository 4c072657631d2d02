from __future__ import annotations

import numpy as np
import pytest

from landloom.errors import InvalidValueError, NotFoundError
from landloom.model.rendering.colour import lab
from landloom.model.rendering.values import RAMPS, Categorical, Continuous, Identifiers, ShownClass, parse_rendering


def test_quantities_are_drawn_between_their_limits() -> None:
    shown = Continuous(limits=(0.0, 1.0))
    picture = shown.painted(np.array([-1.0, 0.0, 0.125, 1.0, 9.0]), (0.0, 1.0))
    assert (picture[:, 3] == 255).all()
    assert picture[0].tolist() == picture[1].tolist() == [68, 1, 84, 255]
    assert picture[2].tolist() == [71, 45, 123, 255]  # the second of nine stops
    assert picture[3].tolist() == picture[4].tolist() == [253, 231, 37, 255]


def test_ramps_grow_lighter_in_every_vision() -> None:
    for vision in ("normal", "protanopia", "deuteranopia"):
        light = lab(RAMPS["viridis"], vision)[:, 0]
        assert (np.diff(light) > 0).all()
        middle = lab(RAMPS["change"], vision)[:, 0]
        assert (np.diff(middle) > 0).tolist() == [True, True, False, False]


def test_identifiers_of_any_size_and_sign_have_a_colour() -> None:
    shown = Identifiers(colours=("#000000", "#ffffff"))
    assert shown.painted(np.array([2**40, 7, -1]))[:, 0].tolist() == [0, 255, 255]
    assert parse_rendering(shown.document()) == shown


def test_what_is_no_rendering_is_refused() -> None:
    one = ShownClass(code=1, name="Water", colour="#1f5fbf")
    with pytest.raises(InvalidValueError, match="each once"):
        Categorical(classes=(one, one))
    with pytest.raises(InvalidValueError, match="#rrggbb"):
        ShownClass(code=1, name="Water", colour="blue")
    with pytest.raises(InvalidValueError, match="lower one first"):
        Continuous(limits=(1.0, 1.0))
    with pytest.raises(NotFoundError, match="no ramp 'jet'"):
        Continuous(ramp="jet")
    with pytest.raises(NotFoundError, match="kind of rendering"):
        parse_rendering({"kind": "pie"})
