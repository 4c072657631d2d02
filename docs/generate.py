"""Write the reference pages that follow from the code: `python -m docs.generate`, from the root of the checkout.

`--check` writes nothing and exits with 1 if a page is stale; a test runs it.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
import tomllib
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

import typer
from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticUndefined
from typer.core import TyperCommand, TyperGroup

from landloom import errors
from landloom.cli.app import app
from landloom.pipelines.registry import Recipe
from landloom.reports.options import ALL_OPTIONS, COMMON

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic.fields import FieldInfo

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Written by `python -m docs.generate`; change the code, not this page. -->"
CLI = """\
Every command prints its help and an example with `-h`. Errors end with one clear message and exit code 1, wrong usage
with 2. Progress goes to standard error, results to standard output. `landloom --install-completion` completes commands
and options in your shell.

Every command has these options as well, `--format` those that also have `--json`:"""
RECIPE = """\
Everything that defines a corpus, in one YAML file. Relative paths are relative to the folder of the file, unknown keys
are errors, and all mistakes are reported at once, each with its path in the file. `landloom init` writes a recipe to
start from, `landloom plan` checks one. Keys in **bold** are required."""
BARS = """\
What `make bench` measures, and the required values. Ratios are measured side by side in one process, in alternating
rounds, with warm compiled code; the median counts. A bar that no benchmark measures counts as missed."""


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], TyperCommand | TyperGroup]]:
    """Every command (not the groups), with the words that call it."""
    if isinstance(command, TyperGroup):
        if path and command.invoke_without_command:
            yield path, command
        for name in sorted(command.commands):
            yield from commands(command.commands[name], (*path, name))
    else:
        yield path, command


def root_command() -> TyperGroup:
    """The command line, parsed."""
    root = typer.main.get_command(app)
    if not isinstance(root, TyperGroup):
        raise TypeError(f"got {root}, expected a group of commands")
    return root


def cli_page() -> str:
    """All commands with their arguments, options and examples."""
    blocks = [
        "# Command line",
        CLI,
        _table(row for one in ALL_OPTIONS if (row := _row(one, typer.Context(root_command()))) is not None),
    ]
    for path, command in commands(root_command()):
        name = " ".join(("landloom", *path))
        context = typer.Context(command, info_name=name)
        blocks += [f"## {name}", textwrap.dedent(command.help or "").strip()]
        blocks.append(f"```text\n{' '.join([name, *command.collect_usage_pieces(context)])}\n```")
        rows = [row for parameter in command.get_params(context) if (row := _parameter(parameter, context)) is not None]
        if rows:
            blocks.append(_table(rows))
        if command.epilog:
            blocks.append(f"```console\n$ {command.epilog.removeprefix('Example: ')}\n```")
    return _page(blocks)


def _table(rows: Iterable[str]) -> str:
    return "\n".join(["| argument or option | meaning |", "|---|---|", *rows])


def _parameter(parameter: Any, context: typer.Context) -> str | None:
    return None if "--help" in parameter.opts or parameter.name in COMMON else _row(parameter, context)


def _row(parameter: Any, context: typer.Context) -> str | None:
    record = parameter.get_help_record(context)
    if record is None:
        return None
    names, text = record
    shown = names.replace("|", "\\|")
    return f"| `{shown}` | {_cell(text)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def sections() -> list[type[BaseModel]]:
    """Sections of a recipe, in the order of their keys."""
    found: list[type[BaseModel]] = []

    def visit(section: type[BaseModel]) -> None:
        if section not in found:
            found.append(section)
            for name in _order(section):
                for part in _models(section.model_fields[name].annotation):
                    visit(part)

    visit(Recipe)
    return found


def _order(section: type[BaseModel]) -> Iterable[str]:
    return Recipe.order if section is Recipe else section.model_fields


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def field_texts(section: type[BaseModel]) -> dict[str, str]:
    """Key → the docstring below its definition; keys without one are left out."""
    texts: dict[str, str] = {}
    for kind in reversed(section.__mro__):
        if kind not in (BaseModel, Recipe) and issubclass(kind, BaseModel):  # Recipe is made by a registry: no source
            body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
            lines = body.body if isinstance(body, ast.ClassDef) else []
            for line, below in pairwise(lines):
                if (
                    isinstance(line, ast.AnnAssign)
                    and isinstance(line.target, ast.Name)
                    and isinstance(below, ast.Expr)
                ):
                    text = ast.literal_eval(below.value) if isinstance(below.value, ast.Constant) else None
                    if isinstance(text, str):
                        texts[line.target.id] = " ".join(text.split())
    return texts


def _is_text(line: ast.stmt) -> TypeGuard[ast.Expr]:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)


def choice(field: FieldInfo) -> str | None:
    """The value of the key that distinguishes the sections of a union: `composite`; None for other keys."""
    values = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    return str(values[0]) if len(values) == 1 else None


def recipe_page() -> str:
    """Every key of a recipe."""
    blocks = [
        "# Recipe",
        RECIPE,
    ]
    for section in sections():
        chosen = [f"`{name}: {value}`" for name, field in section.model_fields.items() if (value := choice(field))]
        title = "The whole file" if section is Recipe else _words(section)
        about = inspect.getdoc(section) or ""
        blocks += [f"(recipe-{section.__name__})=\n## {title}", about.split("\n\nExample:")[0]]
        if chosen:
            blocks.append(f"Chosen by {' and '.join(chosen)}.")
        keys = list(_keys(section))
        blocks.append("\n".join(["| key | value | meaning |", "|---|---|---|", *keys]) if keys else "")
    return _page(blocks)


def _words(section: type[BaseModel]) -> str:
    name = section.__name__.removesuffix("Section")
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip().capitalize()


def _keys(section: type[BaseModel]) -> Iterable[str]:
    texts = field_texts(section)
    for name in _order(section):
        field = section.model_fields[name]
        if choice(field) is None:
            value = _kind(field.annotation, field.metadata)
            if not field.is_required():
                default = field.get_default(call_default_factory=True)
                value += "" if _empty(default) else f"; `{_yaml(default)}` if absent"
            said = field.alias or name
            key = f"**`{said}`**" if field.is_required() else f"`{said}`"
            yield f"| {key} | {value} | {_cell(texts.get(name) or field.description or '')} |"


def _empty(default: object) -> bool:
    return default is PydanticUndefined or default is None or default in ((), {}, []) or isinstance(default, BaseModel)


def _yaml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return str(TypeAdapter(timedelta).dump_python(value, mode="json"))
    return (
        f"[{', '.join(map(_yaml, value))}]" if isinstance(value, list | tuple) else "" if value is None else str(value)
    )


_SIMPLE = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    timedelta: "duration",
    type(None): "",
}


def _kind(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """Description of the accepted values."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{_words(annotation)}](#recipe-{annotation.__name__})"
    if origin is Annotated:
        text = _kind(parts[0], parts[1:])
    elif origin is Literal:
        text = " or ".join(f"`{value}`" for value in parts)
    elif origin in (Union, UnionType):
        text = " or ".join(dict.fromkeys(filter(None, map(_kind, parts))))
    elif origin is tuple:
        text = f"list of {_kind(parts[0])}" if parts[-1:] == (...,) else f"[{', '.join(map(_kind, parts))}]"
    elif origin is dict:
        text = f"mapping of {_kind(parts[0])} to {_kind(parts[1])}"
    else:
        text = _SIMPLE.get(annotation, getattr(annotation, "__name__", str(annotation)))
    return text + _bounds(metadata)


def _bounds(metadata: Iterable[Any]) -> str:
    flat = [one for item in metadata for one in (item, *getattr(item, "metadata", ()))]
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    limits = [f"{sign} {getattr(one, name)}" for one in flat for name, sign in signs.items() if hasattr(one, name)]
    patterns = [f"`{one.pattern}`" for one in flat if getattr(one, "pattern", None)]
    limits = [text for text in limits if not text.endswith("0:00:00")]
    return "".join(f" {text}" for text in [" and ".join(dict.fromkeys(limits)), *dict.fromkeys(patterns)] if text)


def bars_page() -> str:
    """The bars of `make bench`."""
    bars = tomllib.loads((ROOT / "benchmarks" / "bars.toml").read_text(encoding="utf-8"))
    signs = {"at least": "≥", "at most": "≤"}
    rows = [
        f"| `{name}` | {signs[bar['sense']]}\u00a0{bar['limit']:g} | {_cell(bar['what'])} |"
        for name, bar in bars.items()
    ]
    return _page(
        [
            "# Bars",
            BARS,
            "\n".join(["| name | bar | what |", "|---|---|---|", *rows]),
        ]
    )


def errors_page() -> str:
    """The tree of errors, from the docstring of the module."""
    example = """from landloom import LandloomError, SampleId

try:
    SampleId.parse("33N_16E-243N_99_01")
except LandloomError as error:
    print(type(error).__name__, error)"""
    tree = (inspect.getdoc(errors) or "").replace("```\nLandloomError", "```text\nLandloomError")
    return _page(["# Errors", tree, f"```python\n{example}\n```"])


def _page(blocks: Iterable[str]) -> str:
    first, *rest = [block for block in blocks if block]
    return "\n\n".join([first, NOTE, *rest]) + "\n"


PAGES = {"cli.md": cli_page, "recipe.md": recipe_page, "bars.md": bars_page, "errors.md": errors_page}
"""File in the reference → function that writes it."""


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    stale = []
    for name, page in PAGES.items():
        path, text = REFERENCE / name, page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(str(path.relative_to(ROOT)))
            if "--check" not in arguments:
                path.write_text(text, encoding="utf-8")
    sys.stdout.write("".join(f"{'stale' if '--check' in arguments else 'wrote'} {name}\n" for name in stale))
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
