"""What goes into a ledger and comes out of it.

Label rasters are bytes: uint8 class codes, row-major, row 0 north; 0 means not labelled. Times are aware, in UTC, and
come from the database's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal, Self
from uuid import UUID

from landloom.annotate.ledger.errors import InvalidSubmissionError
from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from datetime import datetime

    from landloom.annotate.tasks.values import TaskKind, TaskWindow

LONGEST_COMMENT: Final = 2_000
"""Characters of a comment or of the reason of a skip."""
LONGEST_CLIENT: Final = 100
"""Characters of a client's version."""
MOST_SCENES: Final = 10_000
"""Scenes of a chip."""
LONGEST_SECONDS: Final = 86_400.0
"""Active seconds of a submission."""


class Role(StrEnum):
    """What a user may do in a campaign."""

    ANNOTATOR = "annotator"
    """Labels tasks."""
    REVIEWER = "reviewer"
    """Decides tasks on which annotators disagree."""
    EXPERT = "expert"
    """Answers reference and qualification tasks."""
    MANAGER = "manager"
    """Sees progress and scores, invites people, grants roles below the own one."""
    ADMIN = "admin"
    """May do everything that concerns accounts."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The role of a name.

        Raises:
            InvalidInputError: there is no such role.

        Example:
            >>> Role.parse("expert")
            <Role.EXPERT: 'expert'>
        """
        if text not in set(cls):
            raise InvalidInputError(f"got role {text!r}, expected one of {', '.join(cls)}")
        return cls(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertAgreement:
    """How far two experts agree, who both answered the same references without seeing each other's answer."""

    tasks: int
    pixels: int
    same: int
    """Pixels that both gave the same class; the others are no reference."""

    @property
    def share(self) -> float | None:
        """Share of the pixels on which they agree; None without any."""
        return self.same / self.pixels if self.pixels else None

    def document(self) -> dict[str, int | float | None]:
        """As JSON values."""
        return {"tasks": self.tasks, "pixels": self.pixels, "agreement": self.share}


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with an account."""

    id: int
    """Number in this ledger; not to be shown."""
    name: str
    """Login name."""
    pseudonym: str
    """Random name used in exports and in the hash chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A login."""

    user: User
    csrf: str
    """Value that every changing request has to carry."""
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Unsubmitted work."""

    labels: bytes
    version: int
    """Counted from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A task on loan. It looks the same for every kind of task except qualification."""

    id: str
    """Random, 128 bits."""
    window: TaskWindow
    guess: bytes
    """Zeros if the annotator is shown none."""
    expires_at: datetime
    """When the task goes to somebody else unless a heartbeat comes."""
    draft: Draft | None
    qualification: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Work as the client sends it.

    Raises:
        InvalidSubmissionError: an id that is no UUID, or numbers or texts out of bounds.
    """

    id: str
    """A UUID that the client made; sending the same submission again under it changes nothing."""
    labels: bytes
    seconds: float
    """Active time."""
    dates_viewed: tuple[int, ...]
    """Indices of the scenes that were shown, from 0."""
    flagged: bool = False
    comment: str = ""
    client: str = ""
    """Version of the client."""

    def __post_init__(self) -> None:
        try:
            canonical = str(UUID(self.id))
        except (ValueError, AttributeError, TypeError):
            canonical = ""
        if canonical != self.id:
            raise InvalidSubmissionError(f"got submission id {self.id!r:.60}, expected a lower-case UUID")
        if not 0 <= self.seconds <= LONGEST_SECONDS:
            raise InvalidSubmissionError(f"got {self.seconds} active seconds, expected 0 to {LONGEST_SECONDS:,.0f}")
        if not all(0 <= one < MOST_SCENES for one in self.dates_viewed):
            raise InvalidSubmissionError(f"got indices of scenes outside 0 to {MOST_SCENES - 1:,}")
        if len(set(self.dates_viewed)) != len(self.dates_viewed):
            raise InvalidSubmissionError("got indices of scenes twice, expected each once")
        for name, text, most in (("comment", self.comment, LONGEST_COMMENT), ("client", self.client, LONGEST_CLIENT)):
            check_text(text, name, most)


def check_text(text: str, name: str, most: int) -> None:
    """Check a text of a user: length, no NUL, encodable.

    Raises:
        InvalidSubmissionError: it cannot be stored.
    """
    if len(text) > most:
        raise InvalidSubmissionError(f"got a {name} of {len(text):,} characters, expected at most {most:,}")
    if "\0" in text or any("\ud800" <= one <= "\udfff" for one in text):
        raise InvalidSubmissionError(f"got a {name} with characters that are no text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What an annotator learns about a qualification task."""

    right: int
    """Pixels that agree with the reference."""
    pixels: int
    labels: bytes
    """The reference."""
    left: int
    """Qualification tasks still to do."""
    passed: bool | None
    """Result of the round; None while tasks are left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The answer to a submission, given after commit."""

    sequence: int
    """Place in the ledger of the campaign, from 1."""
    state: Literal["accepted", "surplus"]
    """Surplus: kept, but the task had all its answers."""
    changed: int
    """Pixels that differ from the guess; all of them where none was shown."""
    feedback: Feedback | None
    """Only of qualification tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One person's answer to a task."""

    annotator: str
    """Pseudonym."""
    labels: bytes
    sequence: int
    seconds: float
    changed: int
    flagged: bool
    comment: str
    counted: bool
    """False for surplus work and that of untrusted annotators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredTask:
    """A task with all that is known about it: what consensus and scores are computed from. Never for annotators."""

    id: str
    """Public id of the task."""
    window: TaskWindow
    kind: TaskKind
    guess: bytes | None
    """The guess that annotators saw; None if none."""
    original: bytes | None
    """The guess before it was hidden (blind) or altered (planted); None for other kinds."""
    reference: bytes | None
    """The expert's answer."""
    adjudicated: bytes | None
    """The reviewer's decision."""
    answers: tuple[Answer, ...]
    """In the order of the ledger, one per annotator."""
