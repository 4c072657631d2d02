"""Reading values of a STAC item: what nothing needs is passed over with a note, what is needed is a problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from landloom.errors import InvalidValueError, Problem
from landloom.model.spellings import is_absent
from landloom.model.time import parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

T = TypeVar("T")


@dataclass(slots=True)
class ItemValues:
    """The properties of one item, with what was wrong about them.

    Example:
        >>> from landloom.model.spellings import percentage
        >>> values = ItemValues({"properties": {"eo:cloud_cover": "-1"}})
        >>> values.optional(percentage, "eo:cloud_cover"), values.notes
        (None, ["properties.eo:cloud_cover: got '-1', expected a percentage from 0 to 100; ignored"])
    """

    document: Mapping[str, Any]
    problems: list[Problem] = field(default_factory=list)
    """Why the item cannot be used."""
    notes: list[str] = field(default_factory=list)
    """What was ignored, or read otherwise than it is written."""
    properties: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.properties = self.mapping("properties")

    def wrong(self, where: str, got: object, wanted: str) -> None:
        """Add a problem: the item is left out."""
        self.problems.append(Problem(where=where, what=f"got {_brief(got)}, expected {wanted}"))

    def note(self, text: str) -> None:
        """Add a note, once."""
        if text not in self.notes:
            self.notes.append(text)

    def mapping(self, key: str) -> Mapping[str, Any]:
        """An object of the document; a problem where it is none."""
        value = self.document.get(key)
        if isinstance(value, Mapping):
            return value
        if not any(problem.where == key for problem in self.problems):
            self.wrong(key, value, "an object")
        return {}

    def text(self, *keys: str) -> str:
        """The first text that stands under any of some keys, also as a number or as the only one of a list."""
        for key in keys:
            value = self.properties.get(key)
            if isinstance(value, list) and len(value) == 1:
                (value,) = value
            if isinstance(value, str) and value.strip():
                return value.strip()
            if isinstance(value, int | float) and not isinstance(value, bool) and not is_absent(value):
                return str(value)
        return ""

    def texts(self, key: str) -> list[str]:
        """All texts of a list, or the only one."""
        value = self.properties.get(key)
        given = value if isinstance(value, list) else [value]
        return [one.strip() for one in given if isinstance(one, str) and one.strip()]

    def optional(self, read: Callable[[Any], T], *keys: str) -> T | None:
        """The first value of some keys that can be read; others are noted and ignored."""
        for key in keys:
            value = self.properties.get(key)
            if is_absent(value):
                continue
            try:
                return read(value)
            except (InvalidValueError, TypeError) as error:
                self.note(f"properties.{key}: {_told(error, value)}; ignored")
        return None


def last_update(values: ItemValues) -> datetime | None:
    """When an item or one of its assets was changed last; None if it does not say.

    Example:
        >>> asset = {"href": "B04.tif", "updated": "2023-02-01T00:00:00Z"}
        >>> item = {"properties": {"updated": "2023-01-01T00:00:00Z"}, "assets": {"red": asset}}
        >>> str(last_update(ItemValues(item)))
        '2023-02-01 00:00:00+00:00'
    """
    assets = [one for one in values.mapping("assets").values() if isinstance(one, Mapping)]
    holders = (values, *(ItemValues({"properties": one}, notes=values.notes) for one in assets))
    found = [one.optional(parse_instant, "updated") for one in holders]
    return max((time for time in found if time is not None), default=None)


def _told(error: Exception, value: object) -> str:
    text = str(error)
    return (
        text
        if isinstance(error, InvalidValueError) and len(text) < 200
        else f"got {_brief(value)}, which is unreadable"
    )


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:120]}…"
