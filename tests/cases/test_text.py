"""Names that others gave are drawn and printed as text, in every figure and on the terminal."""

from __future__ import annotations

import html
import io
import pickle
import pickletools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from landloom.archive.choice import Candidate, SceneChoice
from landloom.archive.figure import calendar_figure
from landloom.model.rendering.palettes import named_rendering
from landloom.model.time import Period, parse_instant
from landloom.products.guess import figures as guess
from landloom.publication.sample_files import encode_sample
from landloom.reports import drawn, rasters
from landloom.reports.page import figure as page_figure
from landloom.reports.page import head, page, table
from landloom.reports.text import INSTEAD, plain, plain_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from landloom.model.rendering.values import Categorical

NAMES = ["$\\frac{a$", "Côte d$'Ivoire$", "$x$ $y$", "_hidden", "a\x1b[2Jb", "<b>&amp;", "\\$5", "\u202etxt", "\ud800"]
CHIP = np.zeros((4, 4), np.uint8)


def _classes(name: str) -> Categorical:
    return named_rendering([(0, name, "#2f8f81")])


FIGURES: dict[str, Callable[[str], bytes]] = {
    "histogram": lambda name: rasters.histogram(np.arange(9.0), [(1.0, name)], name, name),
    "class picture": lambda name: rasters.class_picture(CHIP, _classes(name), name),
    "layer rows": lambda name: rasters.layer_rows({name: {name: CHIP}}, {name: _classes(name)}),
    "small multiples": lambda name: rasters.small_multiples([(name, np.zeros((4, 4, 3), np.uint8), 0.5)], 1),
    "chip maps": lambda name: guess.chip_maps({name: {name: CHIP}}, {0: name}),
    "confusion": lambda name: guess.confusion(np.ones((1, 1), np.int64), [name]),
    "importances": lambda name: guess.importances({name: 1.0}, {name: 1.0}),
}

DRAWN: dict[str, Callable[[str], str]] = {
    "paired bars": lambda name: drawn.paired_bars([name], [1.0], [1.0], name),
    "sample map": lambda name: drawn.sample_map(np.arange(12.0).reshape(2, 3, 2), [name, "other"]),
    "observation grid": lambda name: drawn.observation_grid([name], [name], np.ones((1, 1))),
    "chip rows": lambda name: drawn.chip_rows({name: [(name, np.zeros((4, 4, 3), np.uint8))]}),
    "caption": lambda name: drawn.captioned("", name),
}


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_on_a_page_shows_names_as_text(kind: str, name: str) -> None:
    assert html.escape(plain(name)) in DRAWN[kind](name).encode().decode()


@pytest.mark.parametrize("kind", FIGURES)
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_draws_names_as_text(kind: str, name: str) -> None:
    assert FIGURES[kind](name).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", NAMES)
def test_a_calendar_shows_names_as_text(name: str) -> None:
    row = Candidate(id="a", time=parse_instant("2018-05-01"), use=True, granule=name, cloud_cover=3.5)
    figure = calendar_figure(SceneChoice(candidates=(row,)), Period.year(2018))
    figure.canvas.draw()
    shown = [text.get_text() for text in figure.findobj(Text)]
    assert f"{plain(name)} (1 of 1)" in shown


def test_dollars_are_drawn_and_no_formula() -> None:
    """A name that is a formula to matplotlib is wider on the page than what the formula would be."""
    names = ("$xxxxxxxx_{yyyyyy}$", "€xxxxxxxx_{yyyyyy}€")
    wide, same = (guess.importances({name: 1.0}, {name: 1.0}) for name in names)
    sizes = [Image.open(io.BytesIO(data)).size for data in (wide, same)]
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\rb", "a\x00b", "\x9b31m", "\u202eabc", "\ud800x", "\u2028"])
def test_nothing_that_steers_a_terminal_is_printed(name: str) -> None:
    assert INSTEAD in plain(name)
    assert plain(plain(name)) == plain(name)
    assert "\n" not in plain_line(f"{name}\n")
    plain(name).encode()


def test_pages_escape_markup() -> None:
    name = '<script>alert("x")</script>'
    whole = page(name, [head(name, name, [(name, name)]), table([name], [[name]]), page_figure(b"", name)])
    assert "<script" not in whole


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6, dtype=np.uint16).reshape(2, 3),
        np.array(["a", "bc"]),
        np.array([True, False]),
        np.float32(1.5),
        np.int64(-3),
        np.bool_(True),  # noqa: FBT003 - the value under test
        np.datetime64("2018-06-05"),
        np.asfortranarray(np.ones((2, 3))),
        np.empty((0, 4), np.float32),
    ],
    ids=lambda value: f"{type(value).__name__}-{getattr(value, 'dtype', '')}",
)
def test_pickles_hold_only_names_that_every_numpy_has(value: Any) -> None:
    data = encode_sample({"value": value, "sample": "a"}, "pickle")
    words = [str(arg) for _, arg, _ in pickletools.genops(data) if isinstance(arg, str)]
    assert not [word for word in words if "core" in word]
    read = pickle.loads(data)["value"]
    np.testing.assert_array_equal(read, value)
    assert np.asarray(read).dtype == np.asarray(value).dtype or isinstance(value, np.datetime64)
    assert not isinstance(value, np.ndarray) or read.flags.writeable
