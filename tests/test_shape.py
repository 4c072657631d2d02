"""The house's own measures: files and functions stay small, tests lie beside modules, no lock file names an address."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import grimp
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.engine.kinds import Sampler

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
ELSEWHERE: dict[str, tuple[str, str]] = tomllib.loads((ROOT / "tests" / "elsewhere.toml").read_text(encoding="utf-8"))
"""Module → the test file that covers it, and why it has none of its name."""


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


def test_helpers_clean_up_after_a_failed_test() -> None:
    """What follows the `yield` of a context manager runs after an error only in a `finally`."""
    for path in TESTS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and "contextmanager" in map(ast.unparse, node.decorator_list):
                assert not list(_after_yield(node.body)), f"{path}: {node.name}: expected try, finally around its yield"


def _after_yield(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements after a `yield` that an error within it would pass over; that a check holds may stand there."""
    for place, one in enumerate(body):
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Yield):
            yield from (later for later in body[place + 1 :] if not isinstance(later, ast.Assert))
        elif isinstance(one, ast.With | ast.For | ast.If | ast.While):
            yield from _after_yield(one.body)


def test_folders_stay_small() -> None:
    """No folder has more than 20 modules; `__init__` is none."""
    for folder in {path.parent for path in SOURCES}:
        assert len([path for path in folder.glob("*.py") if path.stem != "__init__"]) <= 20, folder


def _test_of(module: str) -> Path:
    """The test file of a module's name: `src/landloom/a/b.py` has `tests/a/test_b.py`."""
    place = Path(module)
    return ROOT / "tests" / place.parent / f"test_{place.stem.lstrip('_')}.py"


def test_every_module_has_a_test_file_of_its_name_or_a_reason() -> None:
    home = ROOT / "src" / "landloom"
    modules = {path.relative_to(home).as_posix() for path in SOURCES if path.stem != "__init__"}
    assert {module for module in modules if not _test_of(module).is_file()} == set(ELSEWHERE)


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("landloom", exclude_type_checking_imports=True, cache_dir=None)


@pytest.mark.parametrize("module", ELSEWHERE)
def test_what_is_tested_elsewhere_is_reached_from_there(module: str, imports: grimp.ImportGraph) -> None:
    """What the file or its own fixtures import leads to the module, or the file runs the command line."""
    covering, reason = ELSEWHERE[module]
    path = ROOT / "tests" / covering
    below = path.parents[: len(Path(covering).parents) - 1]
    said = {
        name for one in (path, *(folder / "conftest.py" for folder in below)) if one.is_file() for name in _said(one)
    }
    said |= {"landloom.cli.__main__"} if "run" in said else set()
    name = f"landloom.{module.removesuffix('.py').replace('/', '.')}"
    assert name in said or any(imports.chain_exists(one, name) for one in said & imports.modules)
    assert reason


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
    """Words that the field uses for other things, too (labels, series, parcels, guess, all), tell nothing."""
    from landloom.pipelines.registry import PRODUCTS, SAMPLERS

    made: tuple[Any, ...] = (*PRODUCTS, *SAMPLERS)
    classes = {name for one in made for name in (type(one).__name__, one.section.__name__)}
    names = {"composite", "granule-series", "external", "area-class"}
    assert names <= {one.name for one in PRODUCTS} | {str(get_args(_draw(one))[0]) for one in SAMPLERS}
    packages = ("engine", "publication", "query", "server", "cli", "corpus", "reports", "store", "formats", "training")
    for package in packages:
        for path in (ROOT / "src" / "landloom" / package).rglob("*.py"):
            said = _said(path)
            modules = {one for one in said if one.startswith(("landloom.products", "landloom.samplers"))}
            assert not said & (classes | names) | modules, path


def _draw(sampler: Sampler[Any]) -> Any:
    return sampler.section.model_fields["draw"].annotation


def test_no_table_is_read_in_threads_of_arrow() -> None:
    """One that still runs as the interpreter ends aborts the process: in 7 of 238 that read a table and ended."""
    found = [
        f"{path.name}:{call.lineno}"
        for path in SOURCES
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pq.read_table"
        if not any(one.arg == "use_threads" for one in call.keywords)
    ]
    assert not found
