"""`landloom evaluate fused RECIPE` on a recipe's own archive: what it reports, and what it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.cases.archives import write_catalog, write_recipe, write_scene

from landloom.errors import InvalidInputError
from landloom.pipelines.registry import REGISTRY
from landloom.pipelines.withheld import evaluate_withheld, some_samples
from landloom.products.fused.withheld import OTHERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

TERMS = {"licence": "CC0-1.0", "attribution": "nobody"}


def test_errors_of_every_method_on_the_recipes_archive(fused: Path, run: Callable[..., Ran]) -> None:
    done = run("evaluate", "fused", str(fused), "--samples", "2", "--share", "0.3", "--json")
    assert done.code == 0
    document = json.loads(done.out)["fused"]
    assert document["samples"] == 2
    assert document["bands"] == ["blue", "green", "red", "nir"]
    assert set(document["all"]["rmse"]) == {"fused", *OTHERS}
    assert document["observations"] > 1_000
    assert all(np.isfinite(document["all"][name]).all() for name in ("within_1_sigma", "within_2_sigma", "crps"))
    again = evaluate_withheld(REGISTRY.open(fused), samples=2, share=0.3)
    assert again.document() == document, "the same seed withholds the same"
    assert "30% of the overpasses" in again.scenario


def test_a_clear_flat_archive_has_no_error(tmp_path: Path, run: Callable[..., Ran]) -> None:
    names = [f"S2A_{day}" for day in ("01", "06", "11", "16", "21", "26")]
    for name in names:
        bands = {"B02": 400, "B03": 600, "B04": 500, "B08": 3_000}
        write_scene(tmp_path, name, f"2018-06-{name[-2:]}", bands)
    products = {"pfsr": {"kind": "fused", "terms": TERMS}}
    recipe = write_recipe(tmp_path / "recipe", write_catalog(tmp_path, *names), products=products)
    done = run("evaluate", "fused", str(recipe))
    assert done.code == 0, done.err
    lines = [line.split() for line in done.out.splitlines()]
    (every,) = (line for line in lines if line and line[0] == "all")
    assert every[1] == "3,600"
    assert int(every[3]) <= 1
    assert any(line[:1] == ["Jun"] for line in lines)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fused", "{recipe}"), "expected one with a fused series"),
        (("composites", "{recipe}"), "expected one of fused before it"),
        (("{recipe}",), "expected one of fused before it"),
        (("fused", "nowhere.yaml"), "No such file"),
        (("fused", "nowhere"), "nowhere"),
        (("fractions", "--samples", "3"), "--samples: got no recipe"),
    ],
)
def test_refusals(tmp_path: Path, run: Callable[..., Ran], arguments: tuple[str, ...], words: str) -> None:
    recipe = write_recipe(tmp_path, tmp_path / "catalog.json")
    done = run("evaluate", *(one.format(recipe=recipe) for one in arguments))
    assert done.code == 1
    assert words in done.err


def test_too_few_scenes_are_named(tmp_path: Path) -> None:
    write_scene(tmp_path, "S2A_01", "2018-06-01", {"B02": 400, "B03": 600, "B04": 500, "B08": 3_000})
    products = {"pfsr": {"kind": "fused", "terms": TERMS}}
    recipe = write_recipe(tmp_path / "recipe", write_catalog(tmp_path, "S2A_01"), products=products)
    with pytest.raises(InvalidInputError, match="without a clear observation to withhold"):
        evaluate_withheld(REGISTRY.open(recipe))


def test_samples_are_chosen_in_their_order() -> None:
    every: Any = tuple(range(50))
    chosen: Any = some_samples(every, count=8, seed=3)
    assert list(chosen) == sorted(set(chosen))
    assert len(chosen) == 8
    assert some_samples(every, count=99, seed=3) == every
