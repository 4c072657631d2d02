r"""Patterns of file names: `{date}_{band}.tif`, `S2_{place}/{date}/*_{band}_*m.jp2`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Self

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable

_FIELDS: Final = {
    "date": r"(?P<date>\d{4}-\d\d-\d\d(?:[T_]\d\d[:-]?\d\d[:-]?\d\d)?|\d{8}(?:T\d{6})?|\d{7}(?:T\d{6})?)(?:\.\d+)?Z?",
    "band": r"(?P<band>[^/]+?)",
    "granule": r"T?(?P<granule>\d\d[A-Za-z]{3})",
    "place": r"(?P<place>[^/]+?)",
}
_PARTS: Final = re.compile(r"\{(\w*)\}|(\*\*/?|\*|\?)")
_WILD: Final = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*?", "?": r"[^/]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileName:
    """What the name of a file says."""

    time: datetime
    """UTC; midnight if only the date is given."""
    band: str | None
    """None if the file holds all bands."""
    granule: str | None
    place: str | None

    @property
    def scene(self) -> str:
        """Id of its scene: place, granule and time, as far as they are given.

        Example:
            >>> FilePattern.parse("{place}_{date}_{band}.tif").match("north_20180603_B04.tif").scene
            'north_2018-06-03'
        """
        midnight = (self.time.hour, self.time.minute, self.time.second) == (0, 0, 0)
        stamp = f"{self.time:%Y-%m-%d}" if midnight else f"{self.time:%Y-%m-%dT%H%M%S}"
        return "_".join(part for part in (self.place, self.granule, stamp) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePattern:
    """A pattern of paths below a folder, `/` between their parts; case is ignored.

    Fields are `{date}` (2018-06-03, 20180603, or year and day of the year 2018154, each with a time or without),
    `{band}`, `{granule}` and `{place}` (any further text that tells scenes of one date apart). `*` stands for any text
    within a name, `?` for a character, `**` for folders.

    Example:
        >>> pattern = FilePattern.parse("HLS.S30.{granule}.{date}.v2.0.{band}.tif")
        >>> found = pattern.match("HLS.S30.T33UUT.2018154T101021.v2.0.B8A.tif")
        >>> found.scene, found.band
        ('33UUT_2018-06-03T101021', 'B8A')
    """

    text: str
    """As written."""
    regex: re.Pattern[str]
    known: re.Pattern[str] | None = None
    """The same for bands of known names, which is tried first: a name may be divided in several ways."""

    @classmethod
    def parse(cls, text: str, bands: Iterable[str] = ()) -> Self:
        """Parse a pattern.

        Args:
            text: the pattern.
            bands: what `{band}` stands for, as far as it is known.

        Raises:
            InvalidValueError: no date, or a field that is unknown or given twice.
        """
        made, own, at, seen = "", "", 0, []
        names = "|".join(re.escape(name) for name in sorted(bands, key=len, reverse=True))
        for part in _PARTS.finditer(text):
            name, wild = part[1], part[2]
            made += re.escape(text[at : part.start()])
            own += re.escape(text[at : part.start()])
            at = part.end()
            if name is not None and (name not in _FIELDS or name in seen):
                wanted = ", ".join(f"{{{field}}}" for field in _FIELDS)
                raise InvalidValueError(f"got {text!r} with {{{name}}}, expected each of {wanted} at most once")
            found = _WILD[wild] if name is None else _FIELDS[name]
            made += found
            own += f"(?P<band>{names})" if name == "band" else found
            seen += [] if name is None else [name]
        if "date" not in seen:
            raise InvalidValueError(f"got {text!r} without {{date}}, expected a pattern such as {{date}}_{{band}}.tif")
        whole, exact = (re.compile(one + re.escape(text[at:]), re.IGNORECASE | re.ASCII) for one in (made, own))
        return cls(text=text, regex=whole, known=exact if names else None)

    def match(self, path: str) -> FileName | None:
        """What a path says; None if it does not match, or its date is none."""
        found = (self.known.fullmatch(path) if self.known is not None else None) or self.regex.fullmatch(path)
        if found is None:
            return None
        time = _time(found["date"])
        named = found.groupdict()
        granule = named.get("granule")
        return (
            None
            if time is None
            else FileName(
                time=time,
                band=named.get("band"),
                granule=None if granule is None else granule.upper(),
                place=named.get("place"),
            )
        )


def _time(text: str) -> datetime | None:
    digits = re.sub(r"\D", "", text)
    days = 7 if len(digits) in (7, 13) else 8
    date, clock = digits[:days], f"{digits[days:]:0<6}"
    try:
        start = datetime.strptime(date, "%Y%m%d" if days == 8 else "%Y%j").replace(tzinfo=UTC)
        hours = timedelta(hours=int(clock[:2]), minutes=int(clock[2:4]), seconds=int(clock[4:6]))
    except ValueError:
        return None
    return start + hours if hours < timedelta(days=1) and start.year == int(date[:4]) else None
