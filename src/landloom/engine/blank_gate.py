"""Samples without a single observation in a year of a product: refused, unless the recipe allows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import BlankProductError, Problem, counted
from landloom.model.time import Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from landloom.engine.journal import Journal
    from landloom.engine.plan import Plan
    from landloom.engine.results import Results
    from landloom.engine.units import Outcome, Unit
    from landloom.model.sample import Sample

NAMED: Final = 5
"""Samples and reasons that are named."""
_YEAR: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlankSamples:
    """The samples of one unit without any observation in a year."""

    unit: Unit
    year: Period
    samples: tuple[str, ...]
    tile: bool
    """Whether they are all samples of the tile."""
    reasons: tuple[str, ...]
    """Why scenes were left out, if any was."""

    def __str__(self) -> str:
        names = ", ".join(self.samples[:NAMED]) + (", …" if len(self.samples) > NAMED else "")
        count = f"{'all ' if self.tile else ''}{counted(len(self.samples), 'sample')}"
        days = f"{self.year.start:%Y-%m-%d} to {self.year.end:%Y-%m-%d}"
        told = "; ".join(self.reasons[:NAMED]) + ("; …" if len(self.reasons) > NAMED else "")
        return f"no observation of {count} from {days} ({names})" + (f"; scenes left out: {told}" if told else "")


def years(period: Period) -> tuple[Period, ...]:
    """A period in parts of a year, from its start; a remainder belongs to the year before it.

    Example:
        >>> [str(year.end.date()) for year in years(Period.parse("2018-01-01", "2020-03-01"))]
        ['2019-01-01', '2020-03-01']
    """
    starts = [period.start]
    while (following := _year_after(starts[-1])) < period.end:
        starts.append(following)
    ends = [*starts[1:], period.end]
    if len(starts) > 1 and period.end - starts[-1] < _YEAR:
        del starts[-1], ends[-2]
    return tuple(Period(start, end) for start, end in zip(starts, ends, strict=True))


def _year_after(instant: datetime) -> datetime:
    leap = (instant.month, instant.day) == (2, 29)
    return instant.replace(year=instant.year + 1, day=28 if leap else instant.day)


def blank_samples(plan: Plan, results: Results, seasons: Mapping[int, Period]) -> list[BlankSamples]:
    """Every sample × year of a product of scenes that has no observation, unit by unit.

    Args:
        plan: of the build.
        results: of its units; those that failed are not looked at.
        seasons: label year → the time that its samples show.
    """
    periods = {request.unit: years(request.period) for request in plan.requests}
    found = []
    for unit in plan.units:
        outcome = results.of(unit, whole=False)
        if outcome is not None and outcome.lineage is not None and outcome.observed:
            found += list(_blank(unit, outcome, periods.get(unit.product, ()), seasons))
    return found


def _blank(
    unit: Unit, outcome: Outcome, periods: Iterable[Period], seasons: Mapping[int, Period]
) -> Iterator[BlankSamples]:
    observed, lineage = outcome.observed[0], outcome.lineage
    stamps, seen = [step.period.start for step in observed.timesteps], observed.seen
    for year in [*periods] if not seasons else [*seasons.values()]:
        inside = np.array([stamp in year for stamp in stamps], np.bool_)
        none = ~seen[:, inside].any(axis=1)
        own = [row for row in np.flatnonzero(none).tolist() if _shows(unit.samples[row], year, seasons)]
        if own:
            steps = () if lineage is None else lineage.timesteps
            reasons = dict.fromkeys(one.reason for step in steps for one in step.left_out)
            yield BlankSamples(
                unit=unit,
                year=year,
                samples=tuple(str(unit.samples[row].id) for row in own),
                tile=len(own) == len(unit.samples),
                reasons=tuple(reasons),
            )


def _shows(sample: Sample, year: Period, seasons: Mapping[int, Period]) -> bool:
    """Whether a sample is to show a year: of seasons, those of its own label year."""
    own = getattr(sample.id, "year", None)
    return not seasons or own is None or seasons.get(own) == year


def require_observations(blank: Iterable[BlankSamples], journal: Journal, problems: Iterable[Problem]) -> None:
    """Refuse blank samples; their units count as failed, so that the next build makes them again.

    Args:
        blank: what was found.
        journal: of the build.
        problems: what planning left out; it may be the reason.

    Raises:
        BlankProductError: there are some.
    """
    found = list(blank)
    if not found:
        return
    for one in found:
        journal.record_failure(one.unit, str(one), seconds=0.0)
    raise BlankProductError([Problem(where=one.unit.id, what=str(one)) for one in found], list(problems))
