"""A JSON document dumped once and cut at its slots: filling it is one join of byte strings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.model.ids import Zone

_SLOT: Final = re.compile(rb'"@@([A-Z]+)@@"|,"@@(F\d+)@@":0')
_ID: Final = b"@@ID@@"


@dataclass(frozen=True, slots=True)
class Slot:
    """Stands for any sample of a tile while a template is made."""

    zone: Zone
    """The tile's zone."""
    tile_name: str
    """The tile's name."""

    def __str__(self) -> str:
        return "@@ID@@"


@dataclass(frozen=True, slots=True)
class Template:
    """A dumped document, cut at its slots.

    Slots are `@@ID@@` inside any text, a text such as `@@BOX@@` that stands for a whole value, and a key such as
    `@@F0@@` (with value 0, never first in its object) that stands for further fields, or for none.

    Example:
        >>> template = Template.of({"id": "a_@@ID@@", "bbox": "@@BOX@@", "@@F0@@": 0}, {"F0": "x.tif"})
        >>> template.fill({"ID": b"7", "BOX": b"[1,2]"})
        b'{"id":"a_7","bbox":[1,2]}'
    """

    pieces: tuple[bytes, ...]
    """What stands between the places of the id; a piece that holds slots is filled anew each time."""
    slots: tuple[tuple[int, tuple[bytes, ...], tuple[str, ...]], ...]
    """Number of a piece with slots, its literal parts, and the names of the slots between them."""
    paths: Mapping[str, str]
    """Slot of a file's facts → its path, with a slot for the id."""

    @classmethod
    def of(cls, document: Mapping[str, Any], paths: Mapping[str, str]) -> Template:
        """Dump a document and cut it."""
        pieces = orjson.dumps(document).split(_ID)
        slots = []
        for number, piece in enumerate(pieces):
            cut = _SLOT.split(piece)
            names = tuple((value or fact).decode() for value, fact in zip(cut[1::3], cut[2::3], strict=True))
            if names:
                slots.append((number, tuple(cut[0::3]), names))
        return cls(tuple(pieces), tuple(slots), paths)

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        """The document with its slots filled; what is not given is left out."""
        out = list(self.pieces)
        for number, literals, names in self.slots:
            parts = [literals[0]]
            for name, literal in zip(names, literals[1:], strict=True):
                parts += (values.get(name, b""), literal)
            out[number] = b"".join(parts)
        return values["ID"].join(out)
