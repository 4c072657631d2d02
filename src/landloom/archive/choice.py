"""A choice of scenes: the result of a policy, as a value and as a file for manual editing."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from landloom.archive.protocol import in_order
from landloom.errors import InvalidDocumentError, InvalidValueError, NotFoundError, Problem
from landloom.model.time import format_instant, parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from landloom.model.scene import Scene

LARGEST: Final = 2**26
"""Characters of a choice at most: some 400,000 candidates."""
_COLUMNS: Final = ("use", "granule", "time", "cloud_cover", "nodata_share", "baseline", "level", "size", "reason", "id")
_YES: Final = ("yes", "y", "true", "1", "x")
_NO: Final = ("no", "n", "false", "0", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A scene that could be chosen."""

    id: str
    """The archive's id."""
    time: datetime
    """Start of sensing, UTC."""
    use: bool
    """Whether it is chosen."""
    reason: str = ""
    """Why it is chosen or not: `month 2018-03`, `extra`, `cloud 93 % above 80 %`."""
    granule: str | None = None
    """Its MGRS granule."""
    cloud_cover: float | None = None
    """Percent, None if the archive does not state it."""
    nodata_share: float | None = None
    """Percent of the granule without data, None if the archive does not state it."""
    baseline: str | None = None
    """Processing baseline."""
    level: str = "L2A"
    """Processing level."""
    size: int | None = None
    """Bytes."""

    @classmethod
    def of(cls, scene: Scene, *, use: bool, reason: str) -> Candidate:
        """A scene as a candidate."""
        return cls(
            id=scene.id,
            time=scene.time,
            use=use,
            reason=reason,
            granule=scene.granule,
            cloud_cover=scene.cloud_cover,
            nodata_share=scene.nodata_share,
            baseline=scene.baseline,
            level=scene.level,
            size=scene.size,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneChoice:
    r"""Every candidate of a search, and which of them are used.

    Example:
        >>> from landloom.model.time import parse_instant
        >>> row = Candidate(id="a", time=parse_instant("2018-05-01"), use=True, granule="33TWL", cloud_cover=3.5)
        >>> choice = SceneChoice(candidates=(row,))
        >>> print(choice.to_csv().replace("\r", ""), end="")
        use,granule,time,cloud_cover,nodata_share,baseline,level,size,reason,id
        yes,33TWL,2018-05-01T00:00:00Z,3.5,,,L2A,,,a
        >>> SceneChoice.from_csv(choice.to_csv()) == choice
        True
    """

    candidates: tuple[Candidate, ...]
    """In order of granule, time, id."""
    gaps: tuple[tuple[str | None, str], ...] = field(default=(), compare=False)
    """Granule and month (`2018-03`) for which a policy needs a scene and there is none."""
    short: tuple[tuple[str | None, int, int], ...] = field(default=(), compare=False)
    """Granule, scenes requested and scenes found, for granules with fewer scenes than the policy requests."""

    def __post_init__(self) -> None:
        names = [candidate.id for candidate in self.candidates]
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise InvalidValueError(f"got scenes twice: {', '.join(twice[:5])}")

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the chosen scenes, in order."""
        return tuple(candidate.id for candidate in self.candidates if candidate.use)

    def apply(self, scenes: Iterable[Scene]) -> tuple[Scene, ...]:
        """The chosen ones among the scenes of a search, in order of time, then id.

        Raises:
            NotFoundError: a chosen scene is not among them; the message names it.
        """
        known = {scene.id: scene for scene in scenes}
        for name in self.ids:
            if name not in known:
                raise NotFoundError.of("scene in the archive", name, known)
        return in_order(known[name] for name in self.ids)

    def to_csv(self) -> str:
        """Write as CSV: a header, then a line per candidate; `use` may be edited, the rest is information."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(_COLUMNS)
        for row in self.candidates:
            values = {name: getattr(row, name) for name in _COLUMNS}
            values |= {"use": "yes" if row.use else "no", "time": format_instant(row.time)}
            writer.writerow("" if values[name] is None else values[name] for name in _COLUMNS)
        return text.getvalue()

    @classmethod
    def from_csv(cls, text: str, subject: str = "choice of scenes") -> SceneChoice:
        """Read the output of `to_csv`, possibly edited by hand: lines removed or moved, `use` changed.

        Columns may come in any order; unknown ones are ignored, and only `use`, `time` and `id` are required.

        Args:
            text: the file's text.
            subject: name of the file in the error.

        Raises:
            InvalidDocumentError: lists every problem with its line; the header is line 1.
        """
        if len(text) > LARGEST:
            what = f"got {len(text):,} characters, expected at most {LARGEST:,}"
            raise InvalidDocumentError(subject, [Problem(where="", what=what)])
        reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
        try:
            return cls._read(reader, subject)
        except csv.Error as error:
            where = f"line {reader.line_num}"
            raise InvalidDocumentError(subject, [Problem(where=where, what=f"expected CSV: {error}")]) from error

    @classmethod
    def _read(cls, reader: csv.DictReader[str], subject: str) -> SceneChoice:
        missing = {"use", "time", "id"} - {name.strip() for name in reader.fieldnames or ()}
        if missing:
            what = f"without {', '.join(sorted(missing))}"
            raise InvalidDocumentError(subject, [Problem(where="line 1", what=what)])
        problems: list[Problem] = []
        rows: dict[str, Candidate] = {}
        for line in reader:
            row = _Row(f"line {reader.line_num}", {str(k).strip(): v for k, v in line.items()}, problems)
            candidate = row.candidate()
            if candidate is not None and candidate.id in rows:
                row.wrong("id", "expected each scene once")
            elif candidate is not None:
                rows[candidate.id] = candidate
        if problems:
            raise InvalidDocumentError(subject, problems)
        return cls(candidates=tuple(sorted(rows.values(), key=by_granule)))


def by_granule(candidate: Candidate) -> tuple[str, datetime, str]:
    """The order of candidates: granule, time, id.

    Example:
        >>> by_granule(Candidate(id="a", time=parse_instant("2018-05-01"), use=True))[0]
        ''
    """
    return (candidate.granule or "", candidate.time, candidate.id)


@dataclass(slots=True)
class _Row:
    """One line of the file during parsing."""

    where: str
    values: Mapping[str, object]
    problems: list[Problem]

    def candidate(self) -> Candidate | None:
        """The line's candidate; None if it is invalid, with the reasons among the problems."""
        before = len(self.problems)
        name, use, time = self._text("id"), self._use(), self._time()
        if not name:
            self.wrong("id", "expected the scene's id")
        cloud, nodata, size = self._percent("cloud_cover"), self._percent("nodata_share"), self._size()
        if "None" in self.values:
            self.wrong("line", "more fields than the header has")
        if len(self.problems) > before or time is None:
            return None
        return Candidate(
            id=name,
            time=time,
            use=use,
            reason=self._text("reason"),
            granule=self._text("granule") or None,
            cloud_cover=cloud,
            nodata_share=nodata,
            baseline=self._text("baseline") or None,
            level=self._text("level") or "L2A",
            size=size,
        )

    def wrong(self, column: str, what: str) -> None:
        """Record a problem."""
        self.problems.append(Problem(where=f"{self.where}, {column}", what=f"got {self._text(column)!r}, {what}"))

    def _text(self, column: str) -> str:
        value = self.values.get(column)
        return value.strip() if isinstance(value, str) else ""

    def _use(self) -> bool:
        text = self._text("use").lower()
        if text not in (*_YES, *_NO):
            self.wrong("use", "expected yes or no")
        return text in _YES

    def _time(self) -> datetime | None:
        try:
            return parse_instant(self._text("time"))
        except InvalidValueError:
            self.wrong("time", "expected an ISO instant")
            return None

    def _percent(self, column: str) -> float | None:
        text = self._text(column)
        try:
            value = float(text) if text else None
        except ValueError:
            value = -1.0
        if value is not None and not 0 <= value <= 100:
            self.wrong(column, "expected a percentage from 0 to 100, or nothing")
        return value

    def _size(self) -> int | None:
        text = self._text("size")
        if text and not text.isdecimal():
            self.wrong("size", "expected a number of bytes, or nothing")
            return None
        return int(text) if text else None
