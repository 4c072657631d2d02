"""Legends whose classes are told apart by everybody, as a law over everything that landloom declares."""

from __future__ import annotations

import pytest

from landloom.model.rendering import known
from landloom.model.rendering.colour import least_difference
from landloom.model.rendering.known import flag
from landloom.model.rendering.palettes import APART, class_colours, class_rendering, distinct, mapped_rendering
from landloom.model.rendering.values import Categorical, Rendering, parse_rendering
from landloom.model.taxonomy import taxonomies, taxonomy
from landloom.reports.figures import COLOURS

HARD = {("igbp17", 1): (17, 8.9), ("clc", 3): (44, 2.4)}
"""Levels with more classes than anybody tells apart: their number, and how near the nearest two may be."""
DECLARED: dict[str, Rendering] = {
    name: value for name, value in vars(known).items() if name.isupper() and hasattr(value, "document")
} | {"flag": flag("no", "yes")}


@pytest.mark.parametrize("name", taxonomies())
def test_classes_of_every_level_are_told_apart(name: str) -> None:
    own = taxonomy(name)
    for level in range(1, own.levels + 1):
        colours = [*class_colours(own, level).values()]
        count, least = HARD.get((name, level), (len(colours), APART))
        assert len(colours) == count
        assert least_difference(colours) >= least, (name, level)


@pytest.mark.parametrize("count", range(2, 11))
def test_any_legend_of_up_to_ten_is_told_apart_from_itself_and_the_page(count: int) -> None:
    assert least_difference([*distinct(count), "#ffffff"]) >= APART
    assert distinct(44)[:count] == distinct(count)


def test_colours_of_figures_are_told_apart() -> None:
    assert least_difference([*COLOURS, "#ffffff"]) >= APART


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_declared_legends_are_told_apart_and_read_back(name: str) -> None:
    shown = DECLARED[name]
    assert parse_rendering(shown.document()) == shown
    if isinstance(shown, Categorical) and len(shown.classes) <= 12:
        assert least_difference([one.colour for one in shown.classes]) >= APART


def test_published_colours_are_an_option() -> None:
    clc = taxonomy("clc")
    published = class_colours(clc, published=True)
    assert (published["111"], published["312"], published["523"]) == ("#e6004d", "#00a600", "#e6f2ff")
    assert least_difference([*published.values()]) < 0.5 < least_difference([*class_colours(clc).values()])
    assert class_colours(clc, 2, published=True) == class_colours(clc, 2)  # CORINE publishes none for its groups
    assert {one.code for one in class_rendering(clc).classes} == {int(code) for code in published}


def test_special_codes_of_a_mapping_are_grey_and_told_apart() -> None:
    rows: list[dict[str, str | int]] = [{"value": f"crop {n}", "code": n, "role": "class"} for n in range(1, 8)]
    rows += [{"value": "", "code": 0, "role": "background"}, {"value": "", "code": 255, "role": "ignore"}]
    shown = mapped_rendering([*rows, {"value": "", "code": 254, "role": "unknown"}])
    assert [(one.code, one.name) for one in shown.classes[-3:]] == [
        (0, "Background"),
        (254, "Unknown"),
        (255, "Ignored"),
    ]
    assert all(len({one.colour[at : at + 2] for at in (1, 3, 5)}) == 1 for one in shown.classes[-3:])
    assert least_difference([one.colour for one in shown.classes]) >= APART
