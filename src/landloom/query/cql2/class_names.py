"""Names of classes in filters: `"Coniferous forest" >= 0.5` asks for the column of that class, at whatever level."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from landloom.errors import InvalidInputError, NotFoundError
from landloom.query.cql2.columns import TEXTS
from landloom.query.cql2.filter import Call, Filter, Name
from landloom.query.label_sets import label_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from landloom.query.cql2.filter import Node
    from landloom.query.index.sidecar import Sidecar

_WORD: Final = re.compile(r"[^\W_]+")


def class_names(sidecar: Sidecar) -> dict[str, str]:
    """Label column → name of its class, label product by label product, in each the finest level first.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> names = class_names(example_corpus().sidecar)
        >>> names["clc_312"], names["clc_31"]
        ('Coniferous forest', 'Forest')
    """
    there = {*sidecar.columns, *sidecar.groups}
    found: dict[str, str] = {}
    for item in sidecar.info.labels:
        if item.taxonomy is None:
            continue
        prefix = label_prefix(sidecar.info, item)
        for land_class in (*item.taxonomy.classes, *reversed(item.taxonomy.groups)):
            column = prefix + item.taxonomy.column(land_class.code)
            if column in there:
                found.setdefault(column, land_class.name)
    return found


def with_columns(root: Node, sidecar: Sidecar, aggregates: Iterable[str]) -> Node:
    """The same condition or sum, with columns instead of the names of classes.

    Args:
        root: as parsed.
        sidecar: the index.
        aggregates: names of sums.

    Raises:
        NotFoundError: neither a column nor a class; similar names of both are listed.
        InvalidInputError: the name of several classes that are not the same area.
    """
    known = {*sidecar.columns, *sidecar.groups, *TEXTS, *aggregates}
    unknown = [name for name in Filter(root=root).names() if name not in known]
    if not unknown:
        return root
    titles = class_names(sidecar)
    found = {name: _column(name, titles, sidecar, known) for name in unknown}
    return _renamed(root, lambda name: found.get(name, name))


def _renamed(node: Node, column: Callable[[str], str]) -> Node:
    if isinstance(node, Name):
        return Name(name=column(node.name))
    if isinstance(node, Call):
        return Call(op=node.op, args=tuple(_renamed(part, column) for part in node.args))
    return node


def _column(name: str, titles: Mapping[str, str], sidecar: Sidecar, known: Iterable[str]) -> str:
    """The column of a class by its name, of the first label product that has it."""
    for words in (_words, _singular):
        same = [column for column, title in titles.items() if words(title) == words(name)]
        if same:
            break
    else:
        raise NotFoundError.of("column", name, {*known, *titles.values()})
    sets = sidecar.info.label_columns.values()
    own = next((columns for columns in sets if _members(same[0], sidecar) <= {*columns}), sidecar.columns)
    same = [column for column in same if _members(column, sidecar) <= {*own}]
    if len({frozenset(_members(column, sidecar)) for column in same}) > 1:
        raise InvalidInputError(
            f"filter: got {name!r}, the name of {' and '.join(same)}; expected one of these columns"
        )
    return same[0]


def _members(column: str, sidecar: Sidecar) -> set[str]:
    return {*sidecar.groups.get(column, (column,))}


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _singular(text: str) -> list[str]:
    return [word.removesuffix("s") for word in _words(text)]
