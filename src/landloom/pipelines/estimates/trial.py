"""A part of a build that is made to measure it: units of the last build, or a small part of one, thrown away."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field, is_dataclass, replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from landloom.engine.division import Divisible, Measurable
from landloom.engine.scenes.granules import GranuleScenes
from landloom.errors import LandloomError, counted
from landloom.pipelines.estimates.work import Measured, Work
from landloom.store.network.headers import kept_headers
from landloom.store.network.traffic import give_back, total, traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from landloom.engine.context import BuildContext
    from landloom.engine.plan import Plan
    from landloom.engine.units import Outcome, Task, Unit
    from landloom.store.network.traffic import Counts

ENOUGH: Final = 20
"""Units that are made already and tell what the others will be like."""


def measured(plan: Plan, context: BuildContext, folders: Mapping[str, str], *, make: bool) -> dict[str, Measured]:
    """Product of the recipe → what was measured of it; nothing of those that cannot be made in part.

    Args:
        plan: of the build.
        context: of the build; its journal has the units that are made.
        folders: product → its folder, of those with chips.
        make: whether a timestep is made of products of which no unit is; else they are left out.
    """
    units: dict[str, list[Unit]] = defaultdict(list)
    for unit in plan.units:
        units[unit.product].append(unit)
    found: dict[str, Measured] = {}
    for product, own in units.items():
        part = _made(own, context) or (_tried(own, context) if make else None)
        if part is not None:
            found[product] = part.measured(folders)
    return found


def reads(units: Iterable[Unit]) -> int:
    """Scenes that units read, each counted once for each unit."""
    return sum(_scenes(unit.task) for unit in units)


def _scenes(task: object) -> int:
    found = getattr(task, "scenes", ())
    return len(found.chosen() if isinstance(found, GranuleScenes) else found)


@dataclass(slots=True, kw_only=True)
class _Part:
    """A part of a build that was made."""

    source: str
    reads: int = 0
    seconds: float = 0.0
    """Of one core."""
    outcomes: list[Outcome] = field(default_factory=list)
    traffic: list[Mapping[str, Counts]] = field(default_factory=list)

    def measured(self, folders: Mapping[str, str]) -> Measured:
        """Its work, and the bytes of a chip of each product."""
        counts = total(self.traffic).values()
        chips: Counter[str] = Counter()
        sizes: Counter[str] = Counter()
        for outcome in self.outcomes:
            for observed in outcome.observed:
                chips[observed.product] += int(observed.table.sum())
            for file in outcome.files:
                sizes.update({key: file.size for key, folder in folders.items() if _is_of(file.path, folder)})
        return Measured(
            work=Work(
                requests=sum(one.requests for one in counts),
                read=sum(one.size for one in counts),
                written=sizes.total(),
                cpu=self.seconds,
            ),
            reads=self.reads,
            chips=chips.total(),
            source=self.source,
            sizes={key: sizes[key] / chips[key] for key in sizes if chips[key]},
        )


def _is_of(path: str, folder: str) -> bool:
    return f"/{folder}/" in path or f"/{folder}.zarr/" in path


def _made(units: Sequence[Unit], context: BuildContext) -> _Part | None:
    """Units that are made already; an attempt's seconds are those of one worker."""
    part, done = _Part(source=""), []
    for unit in units:
        entry = context.journal.get(unit.id)
        if entry is None or entry.state != "done" or entry.key != unit.key or not entry.outcome.observed:
            continue
        done.append(unit)
        part.outcomes.append(entry.outcome)
        part.traffic.append(entry.outcome.traffic)
        part.seconds += entry.seconds
        if len(done) == ENOUGH:
            break
    part.source, part.reads = f"{counted(len(done), 'unit')} made before", reads(done)
    return part if done else None


def _part_of(task: Task) -> tuple[Any, str] | None:
    """A small part of a task that tells what the whole costs, and its name; None if it cannot be made in part."""
    if isinstance(task, Measurable):
        few = task.trial()
        return None if few is None else (few, counted(_scenes(few), "scene"))
    parts: Sequence[Any] = task.parts() if isinstance(task, Divisible) else ()
    usable = [part for part in parts if _scenes(part) and is_dataclass(part)]
    if not usable:
        return None
    part: Any = usable[len(usable) // 2]
    steps = getattr(part, "timesteps", None) or [date.step for date in getattr(part, "dates", ())]
    if hasattr(task, "layouts"):  # parts of cubes are written in another form
        part = replace(part, layouts=task.layouts)
    return part, ", ".join(step.name for step in steps)


def _tried(units: Sequence[Unit], context: BuildContext) -> _Part | None:
    """Make a part of the unit in the middle; None if it cannot be made in part, or fails. The build has its headers."""
    unit = units[len(units) // 2]
    found = _part_of(unit.task)
    if found is None:
        return None
    part, name = found
    before = traffic()  # of something else that this process did
    with TemporaryDirectory() as folder, kept_headers(context.headers):
        start = time.process_time()
        try:
            outcome = replace(part, store=folder).run()
        except LandloomError:  # the build says what is wrong with it
            return None
        finally:
            seconds, spent = time.process_time() - start, traffic()
            give_back(before)
            give_back(spent)
    return _Part(
        source=f"{name} of {unit.tile}, made for this plan",
        reads=_scenes(part),
        seconds=seconds,
        outcomes=[outcome],
        traffic=[spent],
    )
