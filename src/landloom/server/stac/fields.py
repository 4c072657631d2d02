"""Selection of the fields of items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_FIELDS: Final = 200
"""Maximum number of fields in one search."""
ALWAYS: Final = ("type", "stac_version", "id", "collection")
"""Fields that are always returned, unless they are excluded by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Fields to include and to exclude; dots separate levels.

    Example:
        >>> wanted = Fields.of_list(["properties.title", "-assets", "-links", "-geometry", "-bbox"])
        >>> wanted.of(b'{"id":"a","properties":{"title":"A","x":1},"assets":{}}')
        b'{"id":"a","properties":{"title":"A"}}'
        >>> Fields.of_list(["-properties", "properties.x"]).of(b'{"id":"a","properties":{"title":"A","x":1}}')
        b'{"id":"a","properties":{"x":1}}'
    """

    include: tuple[str, ...] = ()
    """Only these, and the fields that are always returned; empty for all."""
    exclude: tuple[str, ...] = ()
    """Excluded fields."""

    def __post_init__(self) -> None:
        if len(self.include) + len(self.exclude) > MAX_FIELDS:
            raise InvalidInputError(f"fields: expected at most {MAX_FIELDS}")

    @classmethod
    def of_list(cls, names: Iterable[str]) -> Fields:
        """Parse names with a sign: `+` or nothing to include, `-` to exclude."""
        names = [name.strip() for name in names]
        return cls.of_sets((n.removeprefix("+") for n in names if n[:1] != "-"), (n[1:] for n in names if n[:1] == "-"))

    @classmethod
    def of_sets(cls, include: Iterable[str], exclude: Iterable[str]) -> Fields:
        """Fields from two sets; fields in both are included."""
        kept = tuple(sorted(set(include)))
        return cls(include=kept, exclude=tuple(sorted(set(exclude) - set(kept))))

    def of(self, item: bytes) -> bytes:
        """The item with only these fields."""
        if not self.include and not self.exclude:
            return item
        document = orjson.loads(item)
        if self.include:
            kept: dict[str, Any] = {}
            for path in (*ALWAYS, *self.include):
                _copy(document, kept, path.split("."))
            for path in self.exclude:
                if not any(own.startswith(f"{path}.") for own in self.include):  # something inside it was requested
                    _drop(kept, path.split("."))
            return orjson.dumps({name: kept[name] for name in document if name in kept})
        for path in self.exclude:
            _drop(document, path.split("."))
        return orjson.dumps(document)


def _copy(source: Any, target: dict[str, Any], path: list[str]) -> None:
    for name in path[:-1]:
        if not isinstance(source, dict) or name not in source:
            return
        source = source[name]
        inner = target.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        target = inner
    if isinstance(source, dict) and path[-1] in source:
        target[path[-1]] = source[path[-1]]


def _drop(document: dict[str, Any], path: list[str]) -> None:
    for name in path[:-1]:
        inner = document.get(name)
        if not isinstance(inner, dict):
            return
        document = inner
    document.pop(path[-1], None)
