"""Reading the XML of SAFE products: elements by name in any namespace; problems are collected with their location."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, TypeVar
from xml.etree import ElementTree as ET

from landloom.errors import InvalidDocumentError, InvalidValueError, Problem
from landloom.model.time import parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from xml.etree.ElementTree import Element

T = TypeVar("T")
_DECLARES: Final = re.compile(rb"<!(DOCTYPE|ENTITY)")


class SafeXml:
    """One document, and the list that its problems are added to.

    Elements are looked up by alternative names, of which the first that occurs is used: old and new products have
    different names for the same element.

    Example:
        >>> problems: list[Problem] = []
        >>> document = SafeXml("a.xml", b"<n:A xmlns:n='u'><CLOUDS>12.5</CLOUDS></n:A>", problems)
        >>> document.number("CLOUDS"), document.text("NAME", "NAME_2A"), [str(problem) for problem in problems]
        (12.5, None, ['a.xml: no NAME'])
    """

    def __init__(self, where: str, data: bytes, problems: list[Problem]) -> None:
        """Parse a document.

        Args:
            where: its name, for problems.
            data: the bytes.
            problems: the list that collects problems.

        Raises:
            InvalidDocumentError: not XML, or XML that declares entities.
        """
        self._where, self._problems = where, problems
        try:
            if _DECLARES.search(data):
                raise InvalidDocumentError(where, [Problem(where=where, what="expected XML without declared entities")])
            self.root: Element = ET.fromstring(data)  # noqa: S314 - as above
        except (ET.ParseError, ValueError, LookupError) as error:  # also of encodings that are none
            raise InvalidDocumentError(where, [Problem(where=where, what=f"expected XML: {error}")]) from error

    def wrong(self, what: str) -> None:
        """Add a problem of this document."""
        self._problems.append(Problem(where=self._where, what=what))

    def all(self, *names: str) -> list[Element]:
        """Every element of the first name that occurs, in document order."""
        for name in names:
            found = self.root.findall(f".//{{*}}{name}")
            if found:
                return found
        return []

    def text(self, *names: str, optional: bool = False) -> str | None:
        """Text of the first element; if there is none, None, and a problem unless optional."""
        found = self.all(*names)
        text = (found[0].text or "").strip() if found else ""
        if not text and not optional:
            self.wrong(f"no {names[0]}")
        return text or None

    def number(
        self, *names: str, optional: bool = False, low: float = -math.inf, high: float = math.inf
    ) -> float | None:
        """A finite number within bounds."""
        text = self.text(*names, optional=optional)
        return None if text is None else self.finite(names[0], text, low, high)

    def whole(self, *names: str, optional: bool = False, low: float = -math.inf, high: float = math.inf) -> int | None:
        """An integer within bounds."""
        value = self.number(*names, optional=optional, low=low, high=high)
        if value is not None and value != int(value):
            self.wrong(f"{names[0]}: got {value}, expected a whole number")
            return None
        return None if value is None else int(value)

    def instant(self, *names: str, optional: bool = False) -> datetime | None:
        """An instant, UTC."""
        text = self.text(*names, optional=optional)
        if text is None:
            return None
        try:
            return parse_instant(text)
        except ValueError as error:
            self.wrong(f"{names[0]}: {error}")
            return None

    def optional(self, read: Callable[[str], T], *names: str, notes: list[str]) -> T | None:
        """A value that nothing needs: None if there is none, or, with a note, if it cannot be read."""
        text = self.text(*names, optional=True)
        if text is None:
            return None
        try:
            return read(text)
        except InvalidValueError as error:
            notes.append(f"{self._where}: {names[0]}: {error}; ignored")
            return None

    def finite(self, what: str, text: str | None, low: float = -math.inf, high: float = math.inf) -> float | None:
        """Parse a number from a text of this document."""
        try:
            value = float(text or "")
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and low <= value <= high):
            bounds = "a number" if math.isinf(high) else f"a number from {low:g} to {high:g}"
            self.wrong(f"{what}: got {text!r}, expected {bounds}")
            return None
        return value


def child_text(element: Element, name: str) -> str | None:
    """Text of an element's child, None if there is none."""
    text = element.findtext(f"{{*}}{name}")
    return text.strip() if text and text.strip() else None


def texts(elements: Iterable[Element]) -> list[str]:
    """Stripped texts of elements, empty ones left out."""
    return [text for element in elements if (text := (element.text or "").strip())]
