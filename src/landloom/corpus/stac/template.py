"""A JSON document dumped once and split at its slots: filling it is one join of byte strings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

_SLOT: Final = re.compile(rb'"@@=([A-Z]+)@@"|,"@@(P|F\d+)@@":0|@@([A-Z]+)@@')


@dataclass(frozen=True, slots=True)
class Template:
    """A dumped document, split at its slots.

    Slots are `@@ID@@` inside any text, a text such as `@@=BOX@@` in place of a whole value, and a key such as `@@F0@@`
    or `@@P@@` (with value 0, never first in its object) in place of further fields, or of none.

    Example:
        >>> template = Template.of({"id": "a_@@ID@@", "bbox": "@@=BOX@@", "@@F0@@": 0}, paths={"F0": "x.tif"})
        >>> template.fill({"ID": b"7", "BOX": b"[1,2]"})
        b'{"id":"a_7","bbox":[1,2]}'
    """

    literals: tuple[bytes, ...]
    """The text between the slots: one more than there are slots."""
    names: tuple[str, ...]
    """Names of the slots, in order."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """Slot of a file's facts → its path, with a slot for the id."""

    @classmethod
    def of(cls, document: Mapping[str, Any], *, paths: Mapping[str, str] | None = None) -> Template:
        """Dump a document and split it."""
        return cls.cut(orjson.dumps(document), paths=paths)

    @classmethod
    def cut(cls, text: bytes, *, paths: Mapping[str, str] | None = None) -> Template:
        """Split a dumped document."""
        parts = _SLOT.split(text)
        found = zip(parts[1::4], parts[2::4], parts[3::4], strict=True)
        names = tuple((whole or facts or inner).decode() for whole, facts, inner in found)
        return cls(tuple(parts[0::4]), names, paths or {})

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        """The document with its slots filled; slots without a value are left out."""
        out = [b""] * (len(self.literals) + len(self.names))
        out[0::2] = self.literals
        out[1::2] = [values.get(name, b"") for name in self.names]
        return b"".join(out)
