"""Problems of a recipe in words for the author of the file: path, value got, value expected."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from landloom.errors import Problem
from landloom.model.recipe.problems import InconsistentError, recipe_problems
from landloom.model.recipe.sections import Name, Section


class Round(Section):
    kind: Literal["round"] = "round"
    radius: Annotated[float, Field(gt=0)] = 1.0


class Square(Section):
    kind: Literal["square"] = "square"
    side: int = 1


class Drawing(Section):
    name: Name
    shapes: dict[str, Annotated[Round | Square, Field(discriminator="kind")]] = Field(default_factory=dict)
    sizes: tuple[int, ...] = ()
    pair: tuple[int, int] = (0, 0)
    mode: Literal["fast", "slow"] = "fast"
    either: int | str = 0
    dense: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Drawing:
        if self.name == "odd":
            raise InconsistentError([Problem(where="sizes", what="are odd"), Problem(where="mode", what="is odd")])
        return self


def problems(**changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        Drawing.model_validate({"name": "a"} | changes)
    return [(one.where, one.what) for one in recipe_problems(caught.value, Drawing)]


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"name": "A b"}, "name", "got 'A b', expected lower-case letters, digits and '-', starting with a letter"),
        ({"name": None}, "name", "got nothing, expected text"),
        ({"nam": 1}, "nam", "unknown key; nearest: name"),
        ({"sizes": ["x"]}, "sizes.0", "got 'x', expected a whole number"),
        ({"sizes": 3}, "sizes", "got 3, expected a list"),
        ({"mode": "quick"}, "mode", "got 'quick', expected one of fast, slow"),
        ({"dense": "maybe"}, "dense", "got 'maybe', expected true or false"),
        ({"shapes": {"a": {"kind": "round", "radius": 0}}}, "shapes.a.radius", "got 0, expected more than 0"),
        ({"shapes": {"a": {"kind": "oval"}}}, "shapes.a.kind", "got 'oval', expected one of round, square"),
        ({"shapes": {"a": {}}}, "shapes.a.kind", "missing, expected one of round, square"),
        ({"shapes": {"a": {"kind": "round", "side": 1}}}, "shapes.a.side", "unknown key; nearest: "),
        ({"either": [1]}, "either", "got [1], expected a whole number or text"),
    ],
)
def test_a_problem_is_one_line_with_its_path(changes: dict[str, Any], where: str, what: str) -> None:
    ((found, said),) = problems(**changes)
    assert found == where
    assert said.startswith(what)


def test_a_list_of_another_length_is_counted() -> None:
    assert problems(pair=[1, 2, 3]) == [("pair", "got [1, 2, 3], expected 2 values, not 3")]


def test_every_problem_is_listed_and_misfits_of_sections_one_by_one() -> None:
    assert [where for where, _ in problems(sizes=["x", 1, "y"], mode=3)] == ["sizes.0", "sizes.2", "mode"]
    assert problems(name="odd") == [("sizes", "are odd"), ("mode", "is odd")]
