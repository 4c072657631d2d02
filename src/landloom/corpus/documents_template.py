"""A JSON document dumped once and cut at its slots: filling it is one join of byte strings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.model.ids import Zone

_SLOT: Final = re.compile(rb'"@@(?!ID@@)([A-Z]+)@@"|,"@@(F\d+)@@":0')
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

    parts: tuple[tuple[bytes, ...], ...]
    """What stands between the slots, cut once more wherever the id goes."""
    slots: tuple[str, ...]
    """Names of the slots, one fewer than parts."""
    paths: Mapping[str, str]
    """Slot of a file's facts → its path, with a slot for the id."""

    @classmethod
    def of(cls, document: Mapping[str, Any], paths: Mapping[str, str]) -> Template:
        """Dump a document and cut it."""
        pieces = _SLOT.split(orjson.dumps(document))
        slots = tuple((value or fact).decode() for value, fact in zip(pieces[1::3], pieces[2::3], strict=True))
        return cls(tuple(tuple(piece.split(_ID)) for piece in pieces[0::3]), slots, paths)

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        """The document with its slots filled; what is not given is left out."""
        own = values["ID"]
        out: list[bytes] = [b""] * (2 * len(self.slots) + 1)
        out[0::2] = [own.join(part) for part in self.parts]
        out[1::2] = [values.get(name, b"") for name in self.slots]
        return b"".join(out)
