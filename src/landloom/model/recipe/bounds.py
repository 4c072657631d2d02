"""Bounds of YAML documents: aliases and merges can make a few lines unfold to more values than any memory holds."""

from __future__ import annotations

from typing import Final

import yaml

MOST_REPEATED: Final = 100_000
"""Values that the aliases of a document may repeat."""


def check_aliases(document: yaml.Node) -> None:
    """Refuse documents whose aliases unfold to too many values, in time linear in what is written.

    Raises:
        yaml.MarkedYAMLError: more than `MOST_REPEATED` values are repeated, or an alias stands within what it names.

    Example:
        >>> check_aliases(yaml.compose("a: &a [*a]"))
        Traceback (most recent call last):
            ...
        yaml.error.MarkedYAMLError: got an alias of what it stands in
          in "<unicode string>", line 1, column 4:
            a: &a [*a]
               ^
    """
    known: dict[int, int | None] = {}
    repeated = _unfolded(document, known) - sum(1 for _ in known)
    if repeated > MOST_REPEATED:
        what = f"got aliases that repeat more than {MOST_REPEATED} values"
        raise yaml.MarkedYAMLError(problem=what, problem_mark=document.start_mark)


def _unfolded(node: yaml.Node, known: dict[int, int | None]) -> int:
    """Number of values under a node once aliases are written out; `known` has one for each written node."""
    found = known.get(id(node), 0)
    if found is None:
        raise yaml.MarkedYAMLError(problem="got an alias of what it stands in", problem_mark=node.start_mark)
    if not found:
        known[id(node)] = None
        parts = node.value if isinstance(node, yaml.CollectionNode) else ()
        if isinstance(node, yaml.MappingNode):
            parts = (part for pair in node.value for part in pair)
        found = known[id(node)] = 1 + sum(_unfolded(part, known) for part in parts)
    return found
