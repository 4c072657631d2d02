"""From a rehearsed part to the whole recipe. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.pipelines.rehearsal.measured import Measured
    from landloom.pipelines.rehearsal.places import Extent
    from landloom.pipelines.rehearsal.watching import Ran

SEARCH: Final = "searching the archive"
BUILDING: Final = "building"
"""The stage that workers share."""
STARTING: Final = "starting"
"""The stage before the first that a command tells of."""
FIXED: Final = frozenset({"cards", "index", "resources", "splits"})
"""Parts of a corpus with as many files, whatever its size."""
FEWEST: Final = 5
"""Tiles from which memory can be extrapolated."""
MANY: Final = (8, 32, 128, 512)
"""Numbers of workers that times are told for."""
PRICES: Final = {
    "read": "1,000 requests to the archive",
    "traffic": "GB read from the archive",
    "worker": "hour of a worker",
    "write": "1,000 files written",
    "storage": "GB stored for a month",
}
"""Name of a price → what it is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """A build of one tile and month, which tells what memory the coordinator needs in any case."""

    coordinator: int | None
    """Peak bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extrapolated:
    """The numbers of the whole recipe."""

    extent: Extent
    serial: float
    """Seconds of the coordinator while workers wait."""
    worker: float
    """Seconds of workers, together."""
    longest: float
    """Seconds of the longest unit: less than this no number of workers takes."""
    limit: float
    """Seconds that the bytes read take at the stated bandwidth."""
    products: Mapping[str, tuple[int, int]]
    """Name → files and bytes written."""
    others: Mapping[str, tuple[int, int]]
    """Part that no unit makes → files and bytes."""
    requests: Mapping[str, int]
    """Kind → requests."""
    read: int
    """Bytes read."""
    coordinator: int | None
    """Peak bytes, if all that a tile and timestep add stays in memory; None of few tiles, which cannot tell."""
    journal: int
    again: float
    """Seconds of a build with nothing to do."""
    validate: float
    """Seconds of `landloom validate --sizes`."""
    cost: Mapping[str, float]
    """Name of a price → amount, in its currency; only for stated prices."""

    @property
    def files(self) -> int:
        """Files written."""
        return sum(files for files, _ in (*self.products.values(), *self.others.values()))

    @property
    def size(self) -> int:
        """Bytes written."""
        return sum(size for _, size in (*self.products.values(), *self.others.values()))

    def seconds(self, workers: int) -> float:
        """Time of the build with a number of workers like those that were measured."""
        return self.serial + max(self.worker / workers, self.longest, self.limit)

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        values = asdict(self) | {"files": self.files, "bytes": self.size}
        values["extent"] = {"samples": self.extent.samples, "tiles": self.extent.tiles, "timesteps": self.extent.steps}
        for name in ("products", "others"):
            values[name] = {key: {"files": files, "bytes": size} for key, (files, size) in getattr(self, name).items()}
        return values | {"seconds": {str(count): self.seconds(count) for count in MANY}}


def extrapolated(
    measured: Measured, whole: Extent, *, small: Small | None, bandwidth: float, prices: Mapping[str, float]
) -> Extrapolated:
    """Extrapolate: units by tiles and timesteps, what the coordinator does by samples.

    Args:
        measured: a part with tiles as full as those of the whole.
        whole: the recipe's extent.
        small: a smaller build.
        bandwidth: bytes a second of the archive.
        prices: of `PRICES`, those that are known.
    """
    part = measured.extent
    tiles, samples = whole.tiles / part.tiles, whole.samples / part.samples
    steps = {name: whole.steps[name] / part.steps[name] for name in measured.products}
    longer = max((ratio for name, ratio in steps.items() if measured.products[name].requests), default=1.0)
    made = measured.products.items()
    stages = measured.build.stages
    rest = sum(seconds for stage, seconds in stages.items() if stage not in {STARTING, SEARCH, BUILDING})
    read = sum(one.read * tiles * steps[name] for name, one in made)
    requests = _requests(measured, tiles, longer, steps)
    products = {
        name: (round(one.files * samples * steps[name]), round(one.size * samples * steps[name])) for name, one in made
    }
    others = {
        name: (one[0] if name in FIXED else round(one[0] * samples), round(one[1] * samples * longer))
        for name, one in measured.others.items()
    }
    found = Extrapolated(
        extent=whole,
        serial=_grown(stages, stages.get(SEARCH, 0.0) * tiles * longer + rest * samples),
        worker=sum(one.seconds * tiles * steps[name] for name, one in made),
        longest=max((one.longest * steps[name] for name, one in made), default=0.0),
        limit=read / bandwidth,
        products=products,
        others=others,
        requests=requests,
        read=round(read),
        coordinator=_line(small, part, measured.build.coordinator, tiles * longer),
        journal=round(measured.journal * tiles * longer),
        again=_grown(measured.again.stages, _after_start(measured.again) * tiles * longer),
        validate=_grown(measured.validate.stages, _after_start(measured.validate) * samples),
        cost={},
    )
    return _priced(found, prices)


def _after_start(ran: Ran) -> float:
    return ran.seconds - ran.stages.get(STARTING, 0.0) if len(ran.stages) > 1 else ran.seconds


def _grown(stages: Mapping[str, float], rest: float) -> float:
    """Seconds of a command: starting takes the same whatever it does."""
    return rest + (stages.get(STARTING, 0.0) if len(stages) > 1 else 0.0)


def _requests(measured: Measured, tiles: float, longer: float, steps: Mapping[str, float]) -> dict[str, int]:
    """Those of units by their product; searches by tiles and period."""
    own = sum(one.requests for one in measured.products.values())
    scaled = sum(one.requests * tiles * steps[name] for name, one in measured.products.items())
    ratio = scaled / own if own else tiles
    return {
        kind: round(count * (tiles * longer if kind == "catalogue" else ratio))
        for kind, count in measured.tally.requests.items()
    }


def _line(small: Small | None, part: Extent, peak: int | None, ratio: float) -> int | None:
    """The peak on the line through two measured ones; None where they are too close to each other to tell."""
    if small is None or small.coordinator is None or peak is None or part.tiles < FEWEST:
        return None
    return round(peak + max(peak - small.coordinator, 0) * (ratio - 1))


def _priced(found: Extrapolated, prices: Mapping[str, float]) -> Extrapolated:
    amounts = {
        "read": sum(found.requests.values()) / 1000,
        "traffic": found.read / 1e9,
        "worker": found.worker / 3600,
        "write": found.files / 1000,
        "storage": found.size / 1e9,
    }
    return replace(found, cost={name: amounts[name] * price for name, price in prices.items()})
