"""YAML files of recipes → documents: one mapping, each key once, dates left as text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from landloom.errors import Problem, RecipeError
from landloom.model.recipe.bounds import check_aliases

if TYPE_CHECKING:
    from collections.abc import Iterator


_DIGITS: Final = 1000
"""Characters of a whole number at most; Python writes none of more than 4300 digits."""
_TEXT: Final = "tag:yaml.org,2002:str"
_INT: Final = "tag:yaml.org,2002:int"
_MERGE: Final = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """Safe YAML values without dates: an invalid date is then reported with its path instead of aborting the parser."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _whole(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    if len(node.value) > _DIGITS:
        raise yaml.MarkedYAMLError(problem="got a whole number of too many digits", problem_mark=node.start_mark)
    value: int = yaml.SafeLoader.construct_yaml_int(loader, node)
    return value


_Loader.add_constructor("tag:yaml.org,2002:int", _whole)


def read_document(path: str | Path) -> tuple[dict[str, Any], list[Problem]]:
    """Read a YAML file.

    Returns:
        The document, and the problems of `parse_document`.

    Raises:
        RecipeError: no such file, or its content is not text, not YAML or not a mapping.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _refused(path, "is not UTF-8 text") from error
    return parse_document(text, path)


def parse_document(text: str, subject: str | Path) -> tuple[dict[str, Any], list[Problem]]:
    """Parse YAML (or JSON, which is YAML).

    Args:
        text: the document.
        subject: what messages call it.

    Returns:
        The document, and a problem for every duplicate key in a section (YAML would use the last one), for every key
        that YAML reads as something else than what is written, and for every number that it reads as another.

    Raises:
        RecipeError: not YAML, not a mapping, nested too deep, or with aliases that unfold to too many values.

    Example:
        >>> document, problems = parse_document("classes: {0110: 1, NO: 2}", "recipe")
        >>> for problem in problems:
        ...     print(problem)
        classes.0110: got a key that YAML reads as 72, expected it in quotes: '0110'
        classes.NO: got a key that YAML reads as false, expected it in quotes: 'NO'
    """
    try:
        node = yaml.compose(text, _Loader)
        if node is not None:
            check_aliases(node)
        document = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except RecursionError as error:
        raise _refused(subject, "is nested too deep") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise _refused(subject, f"is not YAML: {_placed(error)}") from error
    if not isinstance(document, dict) or not isinstance(node, yaml.MappingNode):
        raise _refused(subject, "expected a mapping of keys to values")
    return document, [*_twice(node, ""), *_misread(node, "", set())]


def _refused(path: str | Path, what: str) -> RecipeError:
    return RecipeError(str(path), [Problem(where="", what=what)])


def _placed(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return str(what) if mark is None else f"{what}, line {mark.line + 1}, column {mark.column + 1}"


def _twice(node: yaml.Node, path: str) -> Iterator[Problem]:
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _twice(item, f"{path}.{position}")
    if not isinstance(node, yaml.MappingNode):
        return
    first: dict[str, int] = {}
    for key, value in node.value:
        own = f"{path}.{key.value}" if path else str(key.value)
        line = key.start_mark.line + 1
        if (before := first.get(str(key.value))) is not None:
            lines = f"twice in line {line}" if before == line else f"in line {before} and in line {line}"
            yield Problem(where=own, what=f"duplicate key, {lines}")
        first.setdefault(str(key.value), line)
        yield from _twice(value, own)


def _misread(node: yaml.Node, path: str, seen: set[int]) -> Iterator[Problem]:
    """Keys and numbers that are not read as they are written; what an alias repeats is looked at once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _misread(item, f"{path}.{position}", seen)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            own = f"{path}.{key.value}" if path else str(key.value)
            if not isinstance(key, yaml.ScalarNode):
                yield Problem(where=path, what="got a list or a mapping as a key, expected text")
                continue
            if (read := _read_as(key)) is not None:
                yield Problem(
                    where=own, what=f"got a key that YAML reads as {read}, expected it in quotes: '{key.value}'"
                )
            yield from _misread(value, own, seen)
    elif isinstance(node, yaml.ScalarNode) and node.tag == _INT:
        read = _read_as(node)
        if read is not None and read != node.value.replace("_", "").removeprefix("+"):
            yield Problem(
                where=path,
                what=f"got {node.value}, which YAML reads as {read}; expected {read}, or '{node.value}' in quotes",
            )


def _read_as(node: yaml.ScalarNode) -> str | None:
    """How YAML reads a scalar, where that is not the text as it is written."""
    if node.tag in {_TEXT, _MERGE} or node.style is not None:
        return None
    value = _Loader("").construct_object(node)
    read = json.dumps(value)
    return None if node.tag == _INT and read == node.value else read
