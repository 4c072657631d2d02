"""Choosing scenes of a period: filters, then a policy, granule by granule. Pure.

| policy            | takes, of every granule                                                                    |
|-------------------|--------------------------------------------------------------------------------------------|
| `all`             | everything                                                                                 |
| `least-cloudy n`  | the n least cloudy                                                                         |
| `uniform n`       | n spread as evenly over the period as possible, cloud weighed in (DeepSatData, optimal)    |
| `monthly + n`     | the least cloudy of every calendar month, then n more by cloud (LandCoverNet: 12 + 12)     |

A scene without cloud cover ranks after all with one, and fails any filter that limits cloud cover.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from shapely import make_valid, transform

from landloom.archive.choice import Candidate, SceneChoice, by_granule
from landloom.archive.protocol import in_order
from landloom.errors import InvalidValueError
from landloom.model.time import Cadence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from shapely.geometry.base import BaseGeometry

    from landloom.model.scene import Scene
    from landloom.model.time import Period

UNIFORM_WEIGHT: Final = 0.25
"""Slots of distance in time that outweigh full cloud: a cloudy scene equals a clear one a quarter of a slot off."""

_POLICY: Final = re.compile(r"(all)|(least-cloudy|uniform) (\d+)|(monthly)(?: ?\+ ?(\d+))?")


ROUNDING: Final = 1e-9
"""Tolerance of area shares for rounding errors of float sums."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFilter:
    """Conditions on scenes; by default every scene passes.

    Example:
        >>> SceneFilter(cloud=(0, 180))
        Traceback (most recent call last):
        landloom.errors.InvalidValueError: got cloud (0, 180), expected two numbers in order within 0 to 100
    """

    cloud: tuple[float, float] = (0.0, 100.0)
    """Least and most cloud cover in percent, both allowed."""
    overlap: float = 0.0
    """Least share of the region that the scene's outline covers, 0 to 1."""
    valid: float = 0.0
    """Least share of the granule with data, 0 to 1; excludes swath edges."""
    levels: tuple[str, ...] = ()
    """Processing levels allowed; empty for any."""
    size: tuple[int, int | None] = (0, None)
    """Least and most bytes of the product, both allowed; None for no upper limit."""

    def __post_init__(self) -> None:
        if not 0 <= self.cloud[0] <= self.cloud[1] <= 100:
            raise InvalidValueError(f"got cloud {self.cloud}, expected two numbers in order within 0 to 100")
        for name in ("overlap", "valid"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidValueError(f"got {name} {getattr(self, name)}, expected a share from 0 to 1")
        if self.size[0] < 0 or (self.size[1] is not None and self.size[1] < self.size[0]):
            raise InvalidValueError(f"got size {self.size}, expected two numbers of bytes in order")

    def objection(self, scene: Scene, region: BaseGeometry | None = None) -> str:
        """Why a scene does not pass; empty if it passes.

        Args:
            scene: the scene.
            region: WGS84, longitude latitude; only needed for `overlap`.
        """
        reasons = (
            self._levels(scene),
            _outside("cloud", scene.cloud_cover, self.cloud, (0.0, 100.0), "%"),
            _outside("size", scene.size, self.size, (0, None), "bytes"),
            self._valid(scene),
            self._overlap(scene, region),
        )
        return next((reason for reason in reasons if reason), "")

    def _levels(self, scene: Scene) -> str:
        return f"level {scene.level}" if self.levels and scene.level not in self.levels else ""

    def _valid(self, scene: Scene) -> str:
        if not self.valid:
            return ""
        if scene.nodata_share is None:
            return "share of valid data not stated"
        share = 1 - scene.nodata_share / 100
        return f"valid data {share:.3f} below {self.valid:g}" if share < self.valid else ""

    def _overlap(self, scene: Scene, region: BaseGeometry | None) -> str:
        if not self.overlap:
            return ""
        if region is None:
            raise InvalidValueError("got no region, expected one: the filter asks for an overlap with it")
        share = overlap_share(region, scene.footprint)
        return f"overlap {share:.3f} below {self.overlap:g}" if share < self.overlap - ROUNDING else ""


def _outside(
    name: str,
    value: float | None,
    limits: tuple[float, float | None],
    everything: tuple[float, float | None],
    unit: str,
) -> str:
    if limits == everything:
        return ""
    low, high = limits
    if value is None:
        return f"{name} not stated"
    if value < low:
        return f"{name} {value:g} {unit} below {low:g}"
    return f"{name} {value:g} {unit} above {high:g}" if high is not None and value > high else ""


def overlap_share(region: BaseGeometry, outline: BaseGeometry) -> float:
    """Share of a region's area that an outline covers, 0 to 1.

    Areas are taken in Lambert's cylindrical equal-area projection of the sphere, vertex by vertex.

    Example:
        >>> from shapely import box
        >>> overlap_share(box(0, 0, 2, 1), box(1, 0, 5, 5))
        0.5
    """
    whole = equal_area(region)
    return float(whole.intersection(equal_area(outline)).area / whole.area) if whole.area else 0.0


def equal_area(geometry: BaseGeometry) -> BaseGeometry:
    """A WGS84 geometry in a plane where areas compare: longitude and the sine of latitude, both in degrees.

    Example:
        >>> from shapely import box
        >>> round(equal_area(box(0, 0, 1, 90)).area, 6)
        57.29578
    """

    def project(
        points: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    ) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        return np.column_stack((points[:, 0], np.degrees(np.sin(np.radians(points[:, 1])))))

    projected: BaseGeometry = transform(make_valid(geometry), project)
    return projected


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A rule that takes some of the scenes of a granule.

    Example:
        >>> str(Policy.parse("monthly + 12")), Policy.parse("uniform 24").count
        ('monthly + 12', 24)
    """

    kind: str
    """`all`, `least-cloudy`, `uniform` or `monthly`."""
    count: int = 0
    """Number of scenes; for `monthly` the extra ones."""
    cloud_weight: float = UNIFORM_WEIGHT
    """For `uniform`: cost of full cloud, in slots (period / count) off the ideal time."""

    @classmethod
    def parse(cls, text: str, cloud_weight: float = UNIFORM_WEIGHT) -> Self:
        """Read a policy in the notation of recipes.

        Raises:
            InvalidValueError: unknown policy; the message lists the known ones.
        """
        match = _POLICY.fullmatch(text.strip())
        if match is None or match[3] == "0" or not cloud_weight >= 0:
            wanted = "'all', 'least-cloudy n', 'uniform n' or 'monthly + n', and a weight of at least 0"
            raise InvalidValueError(f"got {text!r} (cloud weight {cloud_weight}), expected {wanted}")
        count = int(match[3] or match[5] or 0)
        kind = str(match[1] or match[2] or match[4])
        return cls(kind=kind, count=count, cloud_weight=cloud_weight)

    def __str__(self) -> str:
        return {"all": "all", "monthly": f"monthly + {self.count}"}.get(self.kind, f"{self.kind} {self.count}")


def choose_scenes(
    scenes: Iterable[Scene],
    policy: Policy,
    period: Period,
    *,
    rule: SceneFilter | None = None,
    region: BaseGeometry | None = None,
) -> SceneChoice:
    """Filter scenes, then apply a policy to every granule.

    Args:
        scenes: of one search; in any order.
        policy: which scenes to take.
        period: the time that `uniform` spreads scenes over, and the months of `monthly`.
        rule: conditions that every scene must meet.
        region: WGS84; required if the rule limits the overlap.

    Returns:
        Every scene of the period as a candidate, chosen or not, with the reason; also months without a scene and
        granules with fewer scenes than requested.

    Example:
        >>> from landloom.model.time import Period
        >>> choose_scenes([], Policy.parse("all"), Period.year(2018)).ids
        ()
    """
    candidates: list[Candidate] = []
    squares: dict[str | None, list[Scene]] = defaultdict(list)
    for scene in in_order(scenes):
        if scene.time not in period:
            continue
        group = squares[scene.granule]
        if reason := (rule or SceneFilter()).objection(scene, region):
            candidates.append(Candidate.of(scene, use=False, reason=reason))
        else:
            group.append(scene)
    gaps, short = [], []
    for granule in sorted(squares, key=lambda name: name or ""):
        taken = _take(squares[granule], policy, period)
        for scene in squares[granule]:
            why = taken.reasons.get(scene.id)
            candidates.append(Candidate.of(scene, use=why is not None, reason=why or "not needed"))
        gaps += [(granule, month) for month in taken.gaps]
        if len(taken.reasons) < taken.wanted:
            short.append((granule, taken.wanted, len(taken.reasons)))
    return SceneChoice(candidates=tuple(sorted(candidates, key=by_granule)), gaps=tuple(gaps), short=tuple(short))


@dataclass(slots=True)
class _Taken:
    """The scenes that a policy takes of one granule."""

    reasons: Mapping[str, str]
    wanted: int = 0
    gaps: Sequence[str] = field(default_factory=tuple)


def _take(scenes: Sequence[Scene], policy: Policy, period: Period) -> _Taken:
    if policy.kind == "all":
        return _Taken({scene.id: "all" for scene in scenes})
    if policy.kind == "least-cloudy":
        return _Taken({scene.id: "least cloudy" for scene in _clearest(scenes)[: policy.count]}, policy.count)
    if policy.kind == "uniform":
        chosen = uniform(scenes, policy.count, period, policy.cloud_weight)
        return _Taken({scene.id: f"slot {slot + 1} of {policy.count}" for slot, scene in chosen.items()}, policy.count)
    return _monthly(scenes, policy.count, period)


def _cloud(scene: Scene) -> float:
    return 101.0 if scene.cloud_cover is None else scene.cloud_cover


def _clearest(scenes: Iterable[Scene]) -> list[Scene]:
    return sorted(scenes, key=lambda scene: (_cloud(scene), scene.time, scene.id))


def _monthly(scenes: Sequence[Scene], extra: int, period: Period) -> _Taken:
    """The least cloudy scene of every calendar month, then more by cloud up to months + extra scenes."""
    months = Cadence().timesteps(period)
    reasons: dict[str, str] = {}
    gaps = []
    for month in months:
        clearest = _clearest(scene for scene in scenes if scene.time in month.period)
        if clearest:
            reasons[clearest[0].id] = f"month {month.name}"
        else:
            gaps.append(month.name)
    wanted = len(months) + extra
    rest = [scene for scene in _clearest(scenes) if scene.id not in reasons]
    reasons |= {scene.id: "extra" for scene in rest[: wanted - len(reasons)]}
    return _Taken(reasons, wanted, gaps)


def uniform(
    scenes: Sequence[Scene], count: int, period: Period, cloud_weight: float = UNIFORM_WEIGHT
) -> dict[int, Scene]:
    """Spread scenes as evenly over a period as possible, weighing cloud in; the optimum, by dynamic programming.

    The period is cut into `count` equal slots; the ideal times are their middles. The cost of a choice is the sum, over
    its scenes, of the distance to the ideal time in slots plus `cloud_weight` × cloud share (unstated counts as full).
    In time order the k-th scene of a choice serves the k-th slot of those it can serve: no other matching has a lower
    sum of distances. Costs are integers (milliseconds), so that ties are exact; among ties the
    less cloudy choice wins, then the earlier one.

    Args:
        scenes: of one granule.
        count: slots; if there are fewer scenes, all are taken, each for its best slot.
        period: time to spread the scenes over.
        cloud_weight: cost of full cloud, in slots.

    Returns:
        Slot, from 0 → scene.

    Example:
        >>> from landloom.model.time import Period
        >>> uniform([], 3, Period.year(2018))
        {}
    """
    ordered = in_order(scenes)
    costs = [_slot_costs(scene, count, period, cloud_weight) for scene in ordered]
    if len(ordered) <= count:
        pairs = _match(list(zip(*costs, strict=True)) if ordered else [], len(ordered))
        return {slot: ordered[number] for number, slot in pairs}
    return {slot: ordered[number] for slot, number in _match(costs, count)}


def _slot_costs(scene: Scene, count: int, period: Period, cloud_weight: float) -> list[tuple[int, int]]:
    """Per slot, distance and cloud in milliseconds; then, for ties, the cloud alone in thousandths of a percent."""
    slot = _milliseconds(period.start, period.end) / count
    place, cloud = _milliseconds(period.start, scene.time), _cloud(scene)
    penalty, tie = round(cloud_weight * min(cloud, 100.0) / 100 * slot), round(cloud * 1000)
    return [(abs(place - round((number + 0.5) * slot)) + penalty, tie) for number in range(count)]


def _milliseconds(start: datetime, end: datetime) -> int:
    return round((end - start).total_seconds() * 1000)


def _match(costs: Sequence[Sequence[tuple[int, int]]], count: int) -> list[tuple[int, int]]:
    """Give each of `count` columns its own row, rows ascending with columns, at the least total cost.

    Args:
        costs: row × column; at least `count` rows.
        count: columns.

    Returns:
        Column and row, in order.
    """
    rows = len(costs)
    best: list[list[tuple[int, int] | None]] = [[(0, 0)] * (rows + 1)]
    for column in range(count):
        line: list[tuple[int, int] | None] = [None]
        for row in range(rows):
            before, skipped = best[column][row], line[row]
            cost = costs[row][column]
            used = None if before is None else (before[0] + cost[0], before[1] + cost[1])
            line.append(used if skipped is None or (used is not None and used < skipped) else skipped)
        best.append(line)
    pairs = []
    row = rows
    for column in reversed(range(count)):
        while row > 1 and best[column + 1][row - 1] == best[column + 1][row]:
            row -= 1
        pairs.append((column, row - 1))
        row -= 1
    return pairs[::-1]
