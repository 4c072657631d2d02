"""The scenes of a granule by date: a date has one overpass, and the datastrips of an overpass are one observation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
from shapely import area, union_all

from landloom.archive.choice import Candidate, SceneChoice, by_granule
from landloom.engine.scenes.overpasses import overpasses
from landloom.model.time import NOON_PASS, Period, Timestep

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from landloom.model.scene import Scene


def daily_step(instant: datetime) -> Timestep:
    """The timestep of a scene: its date, which names the item; the lineage has the scene's exact time.

    Example:
        >>> from landloom.model.time import parse_instant
        >>> daily_step(parse_instant("2018-01-03T10:24:09Z")).name
        '2018-01-03'
    """
    day = datetime.combine(instant.astimezone(UTC).date(), time(), UTC)
    return Timestep(day + NOON_PASS, f"{day:%Y-%m-%d}", Period(day, day + timedelta(days=1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Date:
    """The scenes of one granule and date."""

    name: str
    """Such as `2018-01-03`."""
    scenes: tuple[Scene, ...]
    """Those of the overpass that shows most of the granule, the one with most data first."""
    others: tuple[Scene, ...]
    """Those of other overpasses, which are not used."""

    @property
    def leading(self) -> Scene:
        """The scene with most data."""
        return self.scenes[0]


def dates_of(scenes: Iterable[Scene]) -> tuple[Date, ...]:
    """The dates of a granule's scenes, in order.

    Of several overpasses of a date, the one with most data is used, then the one with least cloud. Scenes of one
    overpass and level are datastrips, which complement each other.

    Args:
        scenes: of one granule, each acquisition once.

    Example:
        >>> from shapely import box
        >>> from landloom.model.scene import Scene
        >>> from landloom.model.time import parse_instant
        >>> scenes = [
        ...     Scene(id=at, time=parse_instant(at), granule="33TWL", epsg=None, footprint=box(0, 0, 1, 1), bands={})
        ...     for at in ("2018-05-01T10:00", "2018-05-01T10:01", "2018-05-01T11:40")
        ... ]
        >>> (date,) = dates_of(scenes)
        >>> [scene.id[11:] for scene in date.scenes], [scene.id[11:] for scene in date.others]
        (['10:00', '10:01'], ['11:40'])
    """
    days: dict[str, dict[str, list[Scene]]] = defaultdict(lambda: defaultdict(list))
    for scene in scenes:
        days[daily_step(scene.time).name][scene.level].append(scene)
    found = []
    for name in sorted(days):
        groups = [sorted(group, key=_worth) for own in days[name].values() for group in overpasses(own, 0)]
        best, *rest = sorted(groups, key=lambda group: _worth(as_one(group)))
        others = sorted((scene for group in rest for scene in group), key=lambda scene: (scene.time, scene.id))
        found.append(Date(name=name, scenes=tuple(best), others=tuple(others)))
    return tuple(found)


def as_one(scenes: Sequence[Scene]) -> Scene:
    """The datastrips of an overpass as one scene, for choosing: the first one, with the outline and shares of all."""
    first, *more = scenes
    if not more:
        return first
    outlines = [scene.footprint for scene in scenes]
    clouds, nodata = [scene.cloud_cover for scene in scenes], [scene.nodata_share for scene in scenes]
    weights = np.maximum(area(outlines), 1e-12)
    cloud = None if None in clouds else round(float(np.average(np.array(clouds, float), weights=weights)), 6)
    missing = None if None in nodata else max(0.0, 100.0 - float(np.sum(100.0 - np.array(nodata, float))))
    return replace(first, footprint=union_all(outlines), cloud_cover=cloud, nodata_share=missing)


def with_rest(choice: SceneChoice, dates: Iterable[Date]) -> SceneChoice:
    """A choice among the leading scenes of dates, with the other scenes of these dates and what becomes of them."""
    known = {candidate.id: candidate for candidate in choice.candidates}
    rest: list[Candidate] = []
    for date in dates:
        leading = known.get(date.leading.id)
        if leading is None:  # outside the period
            continue
        reason = f"with {leading.id}" if leading.use else leading.reason
        rest += [Candidate.of(scene, use=leading.use, reason=reason) for scene in date.scenes[1:]]
        rest += [Candidate.of(scene, use=False, reason=taken_reason(date)) for scene in date.others]
    if not rest:
        return choice
    return replace(choice, candidates=tuple(sorted([*choice.candidates, *rest], key=by_granule)))


def taken_reason(date: Date) -> str:
    """Why the scenes of a date's other overpasses are not used."""
    return f"{date.name} is taken by {date.leading.id}: a date has one overpass"


def _worth(scene: Scene) -> tuple[float, float, str]:
    cloud = 101.0 if scene.cloud_cover is None else scene.cloud_cover
    return scene.nodata_share or 0.0, cloud, scene.id
