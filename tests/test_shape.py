"""The house's own measures: files and functions stay small, tests lie beside modules, no lock file names an address."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

if TYPE_CHECKING:
    from landloom.engine.kinds import Sampler

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            start = first.end_lineno if documented else node.lineno
            assert (node.end_lineno or 0) - (start or 0) <= 40, f"{node.name} is long"


def test_folders_stay_small() -> None:
    """No folder has more than 20 modules; `__init__` is none."""
    for folder in {path.parent for path in SOURCES}:
        assert len([path for path in folder.glob("*.py") if path.stem != "__init__"]) <= 20, folder


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_locks_name_no_address(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "torch" not in text


def _said(path: Path) -> set[str]:
    """Names, whole texts and modules that a file says."""
    said: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            said.add(node.value)
        elif isinstance(node, ast.Name):
            said.add(node.id)
        elif isinstance(node, ast.ImportFrom) and node.module:
            said.add(node.module)
            said |= {alias.name for alias in node.names}
    return said


def test_kinds_are_named_in_their_folders_and_the_registry_alone() -> None:
    """Words that the field uses for other things, too (labels, series, parcels, all), tell nothing."""
    from landloom.pipelines.registry import PRODUCTS, SAMPLERS

    made: tuple[Any, ...] = (*PRODUCTS, *SAMPLERS)
    classes = {name for one in made for name in (type(one).__name__, one.section.__name__)}
    names = {"composite", "granule-series", "external", "guess", "area-class"}
    assert names <= {one.name for one in PRODUCTS} | {str(get_args(_draw(one))[0]) for one in SAMPLERS}
    packages = ("engine", "publication", "query", "server", "cli", "corpus", "reports", "store", "formats", "training")
    for package in packages:
        for path in (ROOT / "src" / "landloom" / package).rglob("*.py"):
            said = _said(path)
            modules = {one for one in said if one.startswith(("landloom.products", "landloom.samplers"))}
            assert not said & (classes | names) | modules, path


def _draw(sampler: Sampler[Any]) -> Any:
    return sampler.section.model_fields["draw"].annotation
