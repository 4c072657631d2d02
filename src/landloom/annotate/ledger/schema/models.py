"""Tables of the ledger. Times are seconds since 1970 in UTC by the database's clock; rasters are uint8 bytes.

Rows of `submission` and `audit_event` are only ever added: triggers of the database refuse changes.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, MetaData, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
SHUFFLES = 2**53
"""The random numbers of tasks lie below."""
BIG = BigInteger().with_variant(Integer, "sqlite")
"""64-bit integers; SQLite counts primary keys up in columns of this very name."""


class Base(DeclarativeBase):
    """Whatever is a table here."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {str: Text, bytes: LargeBinary, int: BIG}  # noqa: RUF012 - read once by SQLAlchemy


class User(Base):
    """A person."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    """The name for comparison: normalised, without case."""
    pseudonym: Mapped[str] = mapped_column(unique=True)
    password: Mapped[str | None]
    """argon2; None for those who never log in (imported labels)."""
    disabled: Mapped[bool]
    created: Mapped[float]


class RoleGrant(Base):
    """A role of a user in a campaign, or in all of them."""

    __tablename__ = "role_grant"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    """None: every campaign."""
    role: Mapped[str]
    created: Mapped[float]

    __table_args__ = (Index("uq_role_grant", "user_id", "role", text("coalesce(campaign_id, 0)"), unique=True),)


class Session(Base):
    """A login; only the token's digest is kept."""

    __tablename__ = "session"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    token_digest: Mapped[str] = mapped_column(unique=True)
    created: Mapped[float]
    seen: Mapped[float]
    expires: Mapped[float]


class LoginFailure(Base):
    """Attempts to log in that did not succeed (yet)."""

    __tablename__ = "login_failure"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    at: Mapped[float]

    __table_args__ = (Index(None, "key", "at"),)


class Invitation(Base):
    """A one-time invitation."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_digest: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    invited_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created: Mapped[float]
    expires: Mapped[float]
    accepted: Mapped[float | None]


class AuditEvent(Base):
    """Who did what to accounts, roles, references and trust. Append-only."""

    __tablename__ = "audit_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[float]
    actor: Mapped[str]
    """Pseudonym; empty for the command line."""
    action: Mapped[str]
    subject: Mapped[str]
    """Pseudonym of the user concerned, or id of the task."""
    campaign: Mapped[str]
    detail: Mapped[str]
    """JSON."""


class TaxonomyVersion(Base):
    """A list of classes."""

    __tablename__ = "taxonomy_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[str]
    classes: Mapped[str]
    """JSON list of code, key, name, colour."""

    __table_args__ = (UniqueConstraint("name", "version", "classes"),)


class Campaign(Base):
    """A campaign."""

    __tablename__ = "campaign"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    corpus: Mapped[str]
    taxonomy_version_id: Mapped[int] = mapped_column(ForeignKey("taxonomy_version.id"))
    settings: Mapped[str]
    """JSON."""
    created: Mapped[float]
    sequence: Mapped[int]
    """Number of submissions: the head of the chain."""
    digest: Mapped[str]
    """Digest of the last submission."""
    gain_model: Mapped[str]
    """JSON: what references say about guess and annotators; empty before the first."""
    ordered: Mapped[int]
    """Sequence at which the order of the tasks was last renewed."""


class Annotator(Base):
    """A user's standing in a campaign. Its row is locked by everything that the user does there."""

    __tablename__ = "annotator"

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    trust: Mapped[str]
    qualified: Mapped[bool | None]
    """None until the qualification round is complete."""
    since: Mapped[int]
    """Sequence after which reference tasks decide about trust: raised when a manager gives another chance."""
    chip_id: Mapped[int | None] = mapped_column(ForeignKey("chip.id"))
    """The chip of the latest assignment."""


class Chip(Base):
    """A chip of the corpus."""

    __tablename__ = "chip"

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    name: Mapped[str]
    scenes: Mapped[int]
    factor: Mapped[float]
    """How much more often the guess is wrong on it than elsewhere at the same doubt."""

    __table_args__ = (UniqueConstraint("campaign_id", "name"),)


class Task(Base):
    """A task. `available` tells whether annotators can get it: a place is free, and a reference is answered."""

    __tablename__ = "task"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    chip_id: Mapped[int] = mapped_column(ForeignKey("chip.id"))
    kind: Mapped[str]
    row_offset: Mapped[int]
    column_offset: Mapped[int]
    height: Mapped[int]
    width: Mapped[int]
    location: Mapped[str]
    """The place inside the campaign: tasks of one place are never given to one person."""
    copies: Mapped[int]
    taken: Mapped[int]
    """Places that are leased or answered."""
    counted: Mapped[int]
    """Answers that count."""
    available: Mapped[bool]
    priority: Mapped[float]
    error: Mapped[float | None]
    """Probability that a pixel of the guess is wrong at least, whatever its doubt; None in random order."""
    doubt: Mapped[bytes | None]
    """How much the guess doubts itself at each pixel; 255 is 1."""
    wrong: Mapped[float]
    """Pixels of the guess that are expected to be wrong, by its answers so far."""
    shuffle: Mapped[int]
    """Random number that decides between equal priorities."""
    guess: Mapped[bytes | None]
    original: Mapped[bytes | None]
    guess_version: Mapped[int]
    disputed: Mapped[float]
    """Share of the pixels on which counted answers differ."""

    __table_args__ = (
        Index("ix_task_queue", "campaign_id", "available", "priority", "shuffle"),
        Index("ix_task_chip", "chip_id", "available", "priority", "shuffle"),
        Index("ix_task_kind", "campaign_id", "kind"),
    )


class Reference(Base):
    """The expert's answer to a task; where a second expert differs, 0. Never read for annotators."""

    __tablename__ = "reference"

    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), primary_key=True)
    labels: Mapped[bytes]
    sha256: Mapped[str]
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"))


class Assignment(Base):
    """A task on loan to a user."""

    __tablename__ = "assignment"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    location: Mapped[str]
    purpose: Mapped[str]
    """annotate, expert, second (an expert who answers a reference again) or qualify."""
    state: Mapped[str]
    """leased, submitted, surplus or skipped."""
    place: Mapped[int | None]
    """Place of the task that it holds: from 0, −1 for the expert's, −2 for the second expert's. None without one: the
    lease was taken away, or the work does not count."""
    issued: Mapped[float]
    expires: Mapped[float]
    reason: Mapped[str]
    """Of a skip."""

    __table_args__ = (
        UniqueConstraint("user_id", "campaign_id", "location"),
        UniqueConstraint("task_id", "place"),
        Index("ix_assignment_expiry", "campaign_id", "state", "expires"),
    )


class Draft(Base):
    """The latest draft of an assignment."""

    __tablename__ = "draft"

    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"), primary_key=True)
    labels: Mapped[bytes]
    version: Mapped[int]
    saved: Mapped[float]


class Submission(Base):
    """A label raster, as submitted. Append-only, chained by digests."""

    __tablename__ = "submission"

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    sequence: Mapped[int]
    uuid: Mapped[str] = mapped_column(unique=True)
    """Made by the client."""
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    assignment_id: Mapped[int | None] = mapped_column(ForeignKey("assignment.id"), index=True)
    role: Mapped[str]
    """annotate, expert, second, qualify, review or import."""
    state: Mapped[str]
    """accepted or surplus."""
    labels: Mapped[bytes]
    sha256: Mapped[str]
    guess_version: Mapped[int]
    changed: Mapped[int]
    seconds: Mapped[float]
    dates_viewed: Mapped[str]
    """JSON list."""
    flagged: Mapped[bool]
    comment: Mapped[str]
    client: Mapped[str]
    counts: Mapped[str]
    """JSON: class code → [pixels, changed pixels]."""
    recorded: Mapped[float]
    previous: Mapped[str]
    digest: Mapped[str]

    __table_args__ = (UniqueConstraint("campaign_id", "sequence"),)


class ScoreSnapshot(Base):
    """A submission compared with what is known: the expert's answer, or a planted error."""

    __tablename__ = "score_snapshot"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    kind: Mapped[str]
    """Kind of the task."""
    pixels: Mapped[str]
    """JSON: class of the reference → pixels."""
    right: Mapped[str]
    """JSON: class of the reference → pixels labelled the same."""
    planted: Mapped[int]
    """Altered pixels of the guess."""
    copied: Mapped[int]
    """Altered pixels that were left as they were."""

    __table_args__ = (Index(None, "campaign_id", "user_id"),)


class Review(Base):
    """A reviewer's decision on a task; the latest counts."""

    __tablename__ = "review"

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), index=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), unique=True)


class ConsensusRun(Base):
    """A consensus that was computed and published."""

    __tablename__ = "consensus_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    at: Mapped[float]
    method: Mapped[str]
    version: Mapped[str]
    sequence: Mapped[int]
    """Submissions that it used: all up to this one."""
    report: Mapped[str]
    """JSON."""
