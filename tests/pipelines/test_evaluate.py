"""The bars on the frozen judge: what `landloom evaluate` prints, held by a test."""

from __future__ import annotations

from typing import get_type_hints

import pytest

from landloom.cli.evaluating import evaluate
from landloom.pipelines.evaluate import EVALUATIONS, ON_RECIPES, evaluate_composites, evaluate_fractions
from landloom.products.composite.judge import judged_composite
from landloom.simulate.judge.composites import composite_error, judge_composite


@pytest.mark.slow
def test_composites_hold_on_the_judge() -> None:
    figures = evaluate_composites()
    assert {figure.name: figure.holds for figure in figures} == {"composite_error": True, "composite_bias": True}


def test_fractions_hold_on_the_judge() -> None:
    figures = evaluate_fractions()
    assert {figure.name: figure.holds for figure in figures} == {"fractions_error": True, "fractions_rounded": True}


def test_clouds_at_edges_matter() -> None:
    """Without growing what the classification calls cloud, the error is larger: the judge can tell."""
    case = judge_composite(3, bands=("B02", "B04"))
    plain, plain_valid = judged_composite(case, 0)
    grown, grown_valid = judged_composite(case, 1)
    before = composite_error(case, plain, case.perfect(plain_valid)).absolute
    after = composite_error(case, grown, case.perfect(grown_valid)).absolute
    assert after < before


def test_the_help_names_every_evaluation() -> None:
    (argument,) = get_type_hints(evaluate, include_extras=True)["names"].__metadata__
    listed = argument.help.removeprefix("What to measure: ").partition(";")[0]
    assert set(listed.split(", ")) == set(EVALUATIONS)
    assert set(ON_RECIPES) <= set(EVALUATIONS)
    assert all(f"`{name}`" in argument.help for name in ON_RECIPES)
