"""Units that several workers make together, where there are more workers than units: in parts, and one that joins them.

A unit stays what is planned, counted and journalled. Parts leave what only the whole unit can write, such as the chips
of cubes, in the corpus's folder of build state, so that workers need nothing else in common.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from landloom.store.network.traffic import total

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landloom.engine.units import Outcome, Task, Unit
    from landloom.store.network.traffic import Counts


@runtime_checkable
class Divisible(Protocol):
    """A task that can be done in parts; the files are the same."""

    def parts(self) -> Sequence[Task]:
        """Its parts, in order; none or one if it is better done at once."""
        ...

    def joined(self, outcomes: Sequence[Outcome]) -> Task:
        """What makes the outcome of the whole of those of its parts, without their files and inputs."""
        ...

    def discard(self) -> None:
        """Remove what parts have left that will not be joined."""
        ...


@runtime_checkable
class Measurable(Protocol):
    """A task of which a small part tells what the whole will cost."""

    def trial(self) -> Task | None:
        """That part: of all its samples, and of few of its scenes; None if there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """What a worker does at a time: a unit, or a part of one."""

    unit: Unit
    task: Task
    part: int | None = None
    """Number of the part; None for the whole unit, or for what joins its parts."""

    @property
    def name(self) -> str:
        """Its unit, and which part of it."""
        return self.unit.id if self.part is None else f"{self.unit.id} [{self.part}]"


@dataclass(slots=True, eq=False)
class Division:
    """A unit that is being made in parts."""

    unit: Unit
    task: Divisible
    jobs: tuple[Job, ...]
    """Its parts."""
    seconds: float = 0.0
    """That parts took so far, together."""
    _outcomes: dict[int, Outcome] = field(default_factory=dict)

    @classmethod
    def of(cls, unit: Unit) -> Division | None:
        """The parts of a unit; None if it has to be made at once."""
        task = unit.task
        parts = task.parts() if isinstance(task, Divisible) else ()
        if not isinstance(task, Divisible) or len(parts) < 2:
            return None
        return cls(unit, task, tuple(Job(unit=unit, task=part, part=number) for number, part in enumerate(parts)))

    def done(self, part: int, outcome: Outcome, seconds: float) -> Job | None:
        """Take the outcome of a part; returns what joins them after the last one."""
        self._outcomes[part] = outcome
        self.seconds += seconds
        if len(self._outcomes) < len(self.jobs):
            return None
        own = [replace(self._outcomes[number], files=(), inputs={}, traffic={}) for number in range(len(self.jobs))]
        return Job(unit=self.unit, task=self.task.joined(own))

    def whole(self, joined: Outcome) -> Outcome:
        """The outcome of the unit, of that of what has joined its parts."""
        parts = [self._outcomes[number] for number in range(len(self.jobs))]
        inputs = {href: version for part in (*parts, joined) for href, version in part.inputs.items()}
        files = [file for part in parts for file in part.files]
        spent = total((self.traffic, joined.traffic))
        return replace(joined, files=(*files, *joined.files), inputs=inputs, traffic=spent)

    @property
    def traffic(self) -> dict[str, Counts]:
        """What the parts that are done have asked of hosts."""
        return total(outcome.traffic for outcome in self._outcomes.values())
