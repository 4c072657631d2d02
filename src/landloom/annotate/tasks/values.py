"""Values of a campaign: settings, classes, and the tasks that chips are cut into.

Label rasters are uint8 codes of the campaign's classes in row-major order, row 0 north; 0 means not labelled.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Literal, Self, get_args

from landloom.errors import InvalidDocumentError, InvalidValueError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Order = Literal["gain", "random"]
"""Order of the queue: expected gain per second, or random as the control."""

LARGEST_CODE: Final = 254
"""Largest code of a class in a label raster."""
LARGEST_TASK: Final = 512
"""Largest side of a task in pixels."""

_RANGES: Final = {
    "annotators": (1, 100),
    "task_size": (4, LARGEST_TASK),
    "reference_share": (0, 1),
    "reference_count": (0, 10_000_000),
    "relabel_share": (0, 1),
    "blind_share": (0, 1),
    "planted_share": (0, 1),
    "lease_seconds": (2, 86_400),
    "heartbeat_seconds": (1, 3_600),
    "qualification": (0, 1_000),
    "pass_mark": (0, 1),
    "trust_after": (1, 1_000),
    "trust_mark": (0, 1),
    "trust_window": (1, 10_000),
    "least_gain": (0, 1_000_000),
    "context": (4, 2 * LARGEST_TASK),
    "seed": (0, 2**63 - 1),
}
"""Setting → smallest and largest value."""


class TaskKind(StrEnum):
    """What a task is for; annotators never learn it."""

    REGULAR = "regular"
    """Labelled by annotators, nothing else is known about it."""
    REFERENCE = "reference"
    """Labelled by an expert before any annotator gets it."""
    BLIND = "blind"
    """Shown without a guess."""
    PLANTED = "planted"
    """Shown with a guess in which whole objects were changed to another class."""
    QUALIFICATION = "qualification"
    """Labelled by an expert, then given to every new annotator, with feedback."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TaskWindow:
    """The place of a task: pixels of a chip's raster.

    Example:
        >>> TaskWindow(chip="37TDK_02", row=32, column=0, height=32, width=32).pixels
        1024
    """

    chip: str
    """Id of the chip's sample."""
    row: int
    """First row inside the chip, from 0."""
    column: int
    """First column inside the chip, from 0."""
    height: int
    """Rows."""
    width: int
    """Columns."""

    def __post_init__(self) -> None:
        if not self.chip or self.row < 0 or self.column < 0:
            raise InvalidValueError(
                f"got a task at {self.chip!r}, {self.row}, {self.column}, expected a place in a chip"
            )
        if not (1 <= self.height <= LARGEST_TASK and 1 <= self.width <= LARGEST_TASK):
            raise InvalidValueError(
                f"{self.chip}: got a task of {self.height} × {self.width} pixels, expected sides of 1 to {LARGEST_TASK}"
            )

    @property
    def pixels(self) -> int:
        """Number of pixels, which is the length of its label raster in bytes."""
        return self.height * self.width


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task of a new campaign, before it is in the ledger."""

    window: TaskWindow
    kind: TaskKind
    guess: bytes | None
    """The guess that annotators see: uint8, row-major; None if there is none, as for every blind task."""
    original: bytes | None = None
    """The guess as it was, for a blind task and for one with a planted error; None for other kinds."""
    copies: int
    """Number of annotators."""
    priority: float = 0.0
    """Tasks of a larger value are issued first."""
    doubt: bytes | None = None
    """How much the guess doubts itself, stored as `calibration.stored_doubt` does: uint8, row-major; None if it says
    nothing."""
    error: float | None = None
    """Probability that a pixel of the guess is wrong at least, whatever its doubt, as for a task with suspected labels.
    None: the priority stays."""

    def __post_init__(self) -> None:
        for name, raster in (("guess", self.guess), ("original", self.original), ("doubt", self.doubt)):
            if raster is not None and len(raster) != self.window.pixels:
                raise InvalidValueError(
                    f"{self.window.chip}: got a {name} of {len(raster)} bytes, expected {self.window.pixels}"
                )
        if self.kind is TaskKind.BLIND and self.guess is not None:
            raise InvalidValueError(f"{self.window.chip}: got a blind task with a guess, expected none")
        if self.copies < 1:
            raise InvalidValueError(f"{self.window.chip}: got {self.copies} annotators for a task, expected at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassChoice:
    """One class that annotators choose from.

    Example:
        >>> ClassChoice(code=1, key="1", name="Water", colour="#3b7dc4").name
        'Water'
    """

    code: int
    """Value in label rasters, 1 to 254."""
    key: str
    """Code in the taxonomy: `311`."""
    name: str
    """Display name."""
    colour: str
    """`#rrggbb`."""

    def __post_init__(self) -> None:
        if not 1 <= self.code <= LARGEST_CODE:
            raise InvalidValueError(f"got class code {self.code}, expected 1 to {LARGEST_CODE}")
        if len(self.colour) != 7 or self.colour[0] != "#" or not set(self.colour[1:]) <= set("0123456789abcdef"):
            raise InvalidValueError(f"got colour {self.colour!r} of {self.name}, expected #rrggbb")

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {"code": self.code, "key": self.key, "name": self.name, "colour": self.colour}


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSettings:
    """How a campaign is run.

    Example:
        >>> settings = CampaignSettings(acceptance={1: 0.95})
        >>> CampaignSettings.parse(settings.document()) == settings
        True
    """

    annotators: int = 3
    """Annotators per task."""
    task_size: int = 32
    """Largest side of a task in pixels."""
    reference_share: float = 0.05
    """Share of the tasks that are reference tasks."""
    reference_count: int | None = None
    """Number of reference tasks, instead of a share."""
    relabel_share: float = 0.1
    """Share of the reference tasks that a second expert answers, too; where the two differ, nobody is scored."""
    blind_share: float = 0.03
    """Share of the tasks without a guess."""
    planted_share: float = 0.01
    """Share of the tasks with a planted wrong guess."""
    require_all_scenes: bool = True
    """Whether Submit waits until every scene was shown."""
    lease_seconds: int = 900
    """Seconds without a heartbeat after which a task goes to somebody else."""
    heartbeat_seconds: int = 60
    """Seconds between heartbeats."""
    order: Order = "gain"
    """Order of the queue."""
    least_gain: float = 0.0
    """Pixels that the next answers have to be expected to correct in a minute, or else a task with two answers gets no
    more; 0: every task gets all its answers."""
    qualification: int = 0
    """Tasks of the qualification round; 0 for none."""
    pass_mark: float = 0.8
    """Accuracy that passes the qualification round."""
    acceptance: Mapping[int, float] = field(default_factory=dict)
    """Class code → least accuracy on reference pixels of the class that a trusted annotator has."""
    trust_after: int = 5
    """Reference tasks after which an annotator is trusted or untrusted; pending before."""
    trust_mark: float = 0.7
    """Least accuracy on reference tasks of a trusted annotator."""
    trust_window: int = 20
    """Number of latest reference tasks that decide about trust."""
    context: int = 96
    """Side of the window shown around a task in pixels."""
    seed: int = 0
    """Of the draws."""
    instructions: str = ""
    """Text for annotators."""
    series: str = ""
    """Product of the corpus that annotators see; empty for its first series."""

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise InvalidDocumentError("campaign settings", problems)

    def _problems(self) -> Iterator[Problem]:
        for name, (low, high) in _RANGES.items():
            got = getattr(self, name)
            if got is not None and not low <= got <= high:
                yield Problem(where=name, what=f"got {got}, expected {low} to {high:,}")
        if self.order not in get_args(Order):
            yield Problem(where="order", what=f"got {self.order!r}, expected gain or random")
        for small, large in (("task_size", "context"), ("heartbeat_seconds", "lease_seconds")):
            if getattr(self, small) > getattr(self, large):
                what = f"got {getattr(self, small)}, expected at most {large}, which is {getattr(self, large)}"
                yield Problem(where=small, what=what)
        if self.trust_window < self.trust_after:
            yield Problem(where="trust_window", what=f"got {self.trust_window}, expected at least trust_after")
        for code, least in self.acceptance.items():
            if not (1 <= code <= LARGEST_CODE and 0 <= least <= 1):
                yield Problem(where="acceptance", what=f"got {code}: {least}, expected a class code and 0 to 1")

    def document(self) -> dict[str, Any]:
        """As JSON values; `parse` reads them back."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return values | {"acceptance": {str(code): least for code, least in self.acceptance.items()}}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Read settings back.

        Raises:
            InvalidDocumentError: unknown settings or invalid values; all of them are listed.
        """
        unknown = sorted(set(document) - {one.name for one in fields(cls)})
        if unknown:
            problems = [Problem(where=name, what="unknown setting") for name in unknown]
            raise InvalidDocumentError("campaign settings", problems)
        acceptance = {int(code): float(least) for code, least in document.get("acceptance", {}).items()}
        return cls(**{**document, "acceptance": acceptance})


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign: one corpus, one list of classes, one set of tasks."""

    name: str
    """Unique in its ledger."""
    corpus: str
    """Folder or address of the corpus."""
    taxonomy: str
    """Name of the taxonomy."""
    taxonomy_version: str
    """Version of the class list: first characters of a digest over its codes and names."""
    classes: tuple[ClassChoice, ...]
    """In the order of the palette."""
    settings: CampaignSettings

    def __post_init__(self) -> None:
        codes = [one.code for one in self.classes]
        if not codes or len(set(codes)) != len(codes):
            raise InvalidValueError(f"{self.name}: got class codes {codes}, expected one or more different ones")
        unknown = sorted(set(self.settings.acceptance) - set(codes))
        if unknown:
            raise InvalidValueError(f"{self.name}: got acceptance rules for {unknown}, expected codes of {codes}")

    @property
    def codes(self) -> tuple[int, ...]:
        """Codes of the classes, in the order of the palette."""
        return tuple(one.code for one in self.classes)
