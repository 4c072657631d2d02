"""One request, after its checks, as handlers get it; and its JSON body, field by field."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from landloom.annotate.ledger.accounts.users import LONGEST_NAME
from landloom.errors import InvalidInputError, NotFoundError
from landloom.reports.text import plain_line
from landloom.server.limits import check_depth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.annotate.ledger.values import User
    from landloom.server.annotate.state import Caller

LONGEST_TEXT: Final = 2_000
"""Characters of a comment or a reason."""
_LONGEST_NUMBER: Final = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request."""

    path: Mapping[str, str]
    """Parameters in its path."""
    query: Mapping[str, str]
    """Parameters in its query."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes
    """At most as long as its route allows."""
    client: str
    """Address of the client."""
    token: str | None = None
    """The token in the cookie, whether or not there is a session of it."""
    caller: Caller | None = None
    """Who is signed in."""

    @property
    def user(self) -> User:
        """Who is signed in; only for routes that demand it."""
        if self.caller is None:
            raise NotFoundError("nobody is signed in")
        return self.caller.user

    def fields(self) -> Fields:
        """The JSON object in its body.

        Raises:
            InvalidInputError: there is none.
        """
        check_depth(self.body)
        try:
            document = json.loads(self.body, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(f"got a body that is not JSON: {error}") from error
        if not isinstance(document, dict):
            raise InvalidInputError("got a body that is not a JSON object")
        return Fields(document)


def _no_number(name: str) -> None:
    raise InvalidInputError(f"got {name}, expected a number")


@dataclass(frozen=True, slots=True)
class Fields:
    """Typed access to the values of a JSON object.

    Example:
        >>> Fields({"count": 2}).whole("count", least=1, most=3)
        2
        >>> Fields({"count": True}).whole("count", least=1, most=3)
        Traceback (most recent call last):
            ...
        landloom.errors.InvalidInputError: count: got True, expected a whole number from 1 to 3
    """

    values: Mapping[str, Any]

    def only(self, *names: str) -> Fields:
        """These fields, and no others.

        Raises:
            InvalidInputError: there are others: a misspelt field is never ignored.
        """
        others = sorted(set(self.values) - set(names))
        if others:
            raise InvalidInputError(f"{others[0][:80]}: unknown field, expected {', '.join(names)}")
        return self

    def text(self, name: str, *, most: int = LONGEST_TEXT, least: int = 0, default: str | None = None) -> str:
        """A text that every database can store.

        Raises:
            InvalidInputError: missing, or none.
        """
        value = self.values.get(name, default)
        if not isinstance(value, str) or not least <= len(value) <= most:
            raise InvalidInputError(f"{name}: got {_shown(value)}, expected a text of {least} to {most} characters")
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise InvalidInputError(f"{name}: got characters that cannot be stored, expected a text")
        return value

    def name(self, name: str = "name") -> str:
        """The name of a person: one line, without characters that steer a terminal or a page.

        Raises:
            InvalidInputError: missing, or none.
        """
        value = self.text(name, least=1, most=LONGEST_NAME)
        if plain_line(value) != value or value != value.strip():
            raise InvalidInputError(f"{name}: got {_shown(value)}, expected a name on one line")
        return value

    def whole(self, name: str, *, least: int, most: int = _LONGEST_NUMBER, default: int | None = None) -> int:
        """A whole number.

        Raises:
            InvalidInputError: missing, or none.
        """
        value = self.values.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise InvalidInputError(f"{name}: got {_shown(value)}, expected a whole number from {least} to {most}")
        return value

    def number(self, name: str, *, least: float, most: float) -> float:
        """A number.

        Raises:
            InvalidInputError: missing, or none.
        """
        value = self.values.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            raise InvalidInputError(f"{name}: got {_shown(value)}, expected a number from {least:g} to {most:g}")
        return float(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false.

        Raises:
            InvalidInputError: neither.
        """
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise InvalidInputError(f"{name}: got {_shown(value)}, expected true or false")
        return value

    def whole_numbers(self, name: str, *, most: int, longest: int) -> tuple[int, ...]:
        """A list of whole numbers from 0.

        Raises:
            InvalidInputError: missing, or none.
        """
        values = self.values.get(name)
        if not isinstance(values, list) or len(values) > longest:
            raise InvalidInputError(f"{name}: got {_shown(values)}, expected a list of at most {longest} numbers")
        return tuple(Fields({name: value}).whole(name, least=0, most=most) for value in values)


def identity(call: Call, name: str) -> str:
    """An id in the path of a request, which the server itself has made.

    Raises:
        NotFoundError: it cannot be one; nothing is said about what one looks like.
    """
    value = call.path[name]
    if not (8 <= len(value) <= 64) or not value.isascii() or not value.replace("-", "").replace("_", "").isalnum():
        raise NotFoundError(f"no {name}")
    return value


def _shown(value: object) -> str:
    return "nothing" if value is None else repr(value)[:80]
