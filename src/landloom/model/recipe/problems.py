"""Readable messages for the problems of a recipe: path in the file, value got, value expected.

pydantic finds the problems. Its messages refer to models and tagged unions, and a value that may be of two types gets
two of them; here each problem becomes one line for the author of the YAML file.
"""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from landloom.errors import Problem, nearest
from landloom.model.recipe.sections import section_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_BOUNDS: Final = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}
_KINDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "keys with values",
    "model": "keys with values",
    "time": "a duration such as PT30M",
}
_PATTERNS: Final = {
    r"^[a-z][a-z0-9-]*$": "lower-case letters, digits and '-', starting with a letter",
    r"^\d+\.\d+(\.\d+)?$": "a version in quotes such as '1.0'",
}


class InconsistentError(ValueError):
    """Sections of a recipe are inconsistent; every inconsistency is in `problems`."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, problems)))


def recipe_problems(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Every problem once, in the order of the file's sections.

    Args:
        error: pydantic's error.
        model: the class that was validated.
    """
    found: dict[str, list[str]] = {}
    for entry in error.errors(include_url=False):
        cause = entry.get("ctx", {}).get("error")
        if isinstance(cause, InconsistentError):
            for problem in cause.problems:
                found.setdefault(problem.where, []).append(problem.what)
            continue
        path, section, here = _walk(entry["loc"], model)
        if entry["type"].startswith("union_tag"):
            path = [*path, entry["ctx"]["discriminator"].strip("'")]
        found.setdefault(".".join(path), []).append(_words(entry, section, here))
    return [Problem(where=where, what=what) for where, said in found.items() for what in _joined(said)]


def _joined(said: list[str]) -> Iterator[str]:
    """Messages of one path: alternatives that the value matches none of become one line."""
    starts: dict[str, list[str]] = {}
    for what in dict.fromkeys(said):
        got, sign, wanted = what.partition(", expected ")
        starts.setdefault(got, []).extend([wanted] if sign else [])
    for got, either in starts.items():
        yield f"{got}, expected {' or '.join(either)}" if either else got


def _words(entry: ErrorDetails, section: type[BaseModel], here: Any) -> str:
    kind, got, context = entry["type"], entry.get("input"), entry.get("ctx", {})
    if kind == "missing":
        return "missing, expected a value"
    if kind == "extra_forbidden":
        return f"unknown key; nearest: {', '.join(nearest(str(entry['loc'][-1]), section_keys(section)))}"
    if kind.startswith("union_tag"):
        tags = ", ".join(_tags(here, str(context["discriminator"]).strip("'")))
        return (
            f"got {context['tag']!r}, expected one of {tags}"
            if "tag" in context
            else f"missing, expected one of {tags}"
        )
    if kind == "value_error":
        text = str(context.get("error", entry["msg"]))
        return text if isinstance(got, dict | list) or text.startswith(("got ", "no ")) else f"got {got!r}, {text}"
    return f"got {_shown(got)}, expected {_wanted(kind, got, context)}"


def _wanted(kind: str, got: object, context: Mapping[str, Any]) -> str:
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{words} {context[key]:g}"
    if kind == "literal_error":
        return "one of " + str(context["expected"]).replace("'", "").replace(" or ", ", ")
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(str(context["pattern"]), f"text such as {context['pattern']}")
    if kind == "string_type":
        return "text" if isinstance(got, dict | list) or got is None else f"text: put it in quotes, '{got}'"
    if kind in {"too_long", "too_short"}:
        return f"{context.get('max_length', context.get('min_length'))} values, not {context['actual_length']}"
    return _KINDS.get(kind.split("_", maxsplit=1)[0], kind.replace("_", " "))


def _shown(got: object) -> str:
    if isinstance(got, dict):
        return "keys with values"
    return "nothing" if got is None else ("true" if got else "false") if isinstance(got, bool) else repr(got)


def _walk(location: Sequence[int | str], model: type[BaseModel]) -> tuple[list[str], type[BaseModel], Any]:
    """Follow the location of a problem: names of union branches are not keys of the file.

    Returns:
        The path in the file, the section that holds its last key, and the expected type.
    """
    path: list[str] = []
    here: Any = model
    section = model
    for part in location:
        here = _bare(here)
        branches = [_bare(one) for one in get_args(here)] if get_origin(here) in {Union, UnionType} else []
        if len(branches) > 1:
            here = next((one for one in branches if _is_branch(one, str(part))), branches[0])
            section = here if _is_section(here) else section
            continue
        if part == "[key]":
            continue
        path.append(str(part))
        here, section = _inside(here, part, section)
    return path, section, _bare(here)


def _inside(here: Any, part: int | str, section: type[BaseModel]) -> tuple[Any, type[BaseModel]]:
    """The type behind a key or list index, and the section that holds it."""
    if _is_section(here):
        field = section_keys(here).get(str(part))
        return (None if field is None else field.annotation), here
    arguments = get_args(here)
    if get_origin(here) is dict:
        return arguments[1], section
    if get_origin(here) is tuple and arguments:
        position = int(part) if isinstance(part, int) else 0
        return arguments[position if position < len(arguments) and arguments[-1] is not Ellipsis else 0], section
    return None, section


def _bare(annotation: Any) -> Any:
    """Strip `Annotated`, and None if one other type is left."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in {Union, UnionType}:
        rest = [one for one in get_args(annotation) if one is not type(None)]
        if len(rest) == 1:
            return _bare(rest[0])
    return annotation


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_branch(annotation: Any, tag: str) -> bool:
    """Whether a branch of a union has a tag, such as `composite`."""
    if not _is_section(annotation):
        return False
    texts = (field.annotation for field in annotation.model_fields.values())
    return any(get_origin(text) is Literal and tag in get_args(text) for text in texts)


def _tags(union: Any, name: str) -> list[str]:
    """Allowed values of the discriminator key of a union."""
    fields = (_bare(branch).model_fields[name] for branch in get_args(union))
    return [str(tag) for field in fields for tag in get_args(field.annotation)]
