"""`python -m landloom.pipelines.demos.compiled`: compile the kernels of simulations, composites and labels.

An installation runs it, so that the first command of a person does not have to. Everything else compiles what it needs
when it needs it, once on a machine (`landloom.kernels`).
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from landloom.engine.project import RECIPE_FILE
from landloom.pipelines.build import build
from landloom.pipelines.demos.cells import write_world
from landloom.pipelines.starters import write_starter

SMALLER = {
    "end: 2019-01-01": "end: 2018-07-01",
    "start: 2018-01-01": "start: 2018-06-01",
    "count: 60": "count: 4",
    "layouts:": "allow_blank: true\nlayouts:",
}
"""What a smaller world than the demo's can give."""


def compile_kernels(folder: Path) -> None:
    """Build the demo of a tiny world, which calls the same kernels with the same types.

    Args:
        folder: empty; it may be removed afterwards.
    """
    write_world("tiny", folder / "archive")
    recipe = folder / RECIPE_FILE
    write_starter("demo", recipe)
    recipe.write_text(smaller(recipe.read_text(encoding="utf-8")), encoding="utf-8")
    build(recipe)


def smaller(recipe: str) -> str:
    """The demo's recipe for one month of the tiny world."""
    for usual, less in SMALLER.items():
        recipe = recipe.replace(usual, less)
    return recipe


if __name__ == "__main__":
    with TemporaryDirectory() as made:
        compile_kernels(Path(made))
