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

    pieces: tuple[bytes, ...]
    """The pieces between occurrences of the joint; a piece with slots is filled each time."""
    slots: tuple[tuple[int, tuple[bytes, ...], tuple[str, ...]], ...]
    """Index of a piece with slots, its literal parts, and the names of the slots between them."""
    joint: str
    """The most frequent slot inside texts: pieces are joined by its value."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """Slot of a file's facts → its path, with a slot for the id."""

    @classmethod
    def of(cls, document: Mapping[str, Any], *, joint: str = "ID", paths: Mapping[str, str] | None = None) -> Template:
        """Dump a document and split it."""
        return cls.cut(orjson.dumps(document), joint=joint, paths=paths)

    @classmethod
    def cut(cls, text: bytes, *, joint: str = "ID", paths: Mapping[str, str] | None = None) -> Template:
        """Split a dumped document."""
        pieces = text.split(b"@@%b@@" % joint.encode())
        slots = []
        for number, piece in enumerate(pieces):
            parts = _SLOT.split(piece)
            found = zip(parts[1::4], parts[2::4], parts[3::4], strict=True)
            names = tuple((whole or facts or inner).decode() for whole, facts, inner in found)
            if names:
                slots.append((number, tuple(parts[0::4]), names))
        return cls(tuple(pieces), tuple(slots), joint, paths or {})

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        """The document with its slots filled; slots without a value are left out."""
        out = list(self.pieces)
        for number, literals, names in self.slots:
            parts = [literals[0]]
            for name, literal in zip(names, literals[1:], strict=True):
                parts += (values.get(name, b""), literal)
            out[number] = b"".join(parts)
        return values[self.joint].join(out)
