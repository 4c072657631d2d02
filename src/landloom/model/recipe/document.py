"""YAML files of recipes → documents: one mapping, each key once, dates left as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from landloom.errors import Problem, RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Loader(yaml.SafeLoader):
    """Safe YAML values without dates: an invalid date is then reported with its path instead of aborting the parser."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_document(path: str | Path) -> tuple[dict[str, Any], list[Problem]]:
    """Read a YAML file.

    Returns:
        The document, and a problem for every duplicate key in a section (YAML would use the last one).

    Raises:
        RecipeError: no such file, or its content is not text, not YAML or not a mapping.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        node = yaml.compose(text, _Loader)
        document = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _refused(path, "is not UTF-8 text") from error
    except yaml.YAMLError as error:
        raise _refused(path, f"is not YAML: {_placed(error)}") from error
    if not isinstance(document, dict) or not isinstance(node, yaml.MappingNode):
        raise _refused(path, "expected a mapping of keys to values")
    return document, list(_twice(node, ""))


def _refused(path: str | Path, what: str) -> RecipeError:
    return RecipeError(str(path), [Problem(where="", what=what)])


def _placed(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return str(what) if mark is None else f"{what}, line {mark.line + 1}, column {mark.column + 1}"


def _twice(node: yaml.Node, path: str) -> Iterator[Problem]:
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            yield from _twice(item, f"{path}.{place}")
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
