"""From a rehearsed part to the whole recipe. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from landloom.pipelines.rehearsal.ran import STARTING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.pipelines.rehearsal.measured import Measured
    from landloom.pipelines.rehearsal.places import Extent
    from landloom.pipelines.rehearsal.ran import Ran

SEARCH: Final = "searching the archive"
BUILDING: Final = "building"
"""The stage that workers share."""
FIXED: Final = frozenset({"cards", "index", "resources", "splits"})
"""Parts of a corpus with as many files, whatever its size."""
FEWEST: Final = 20
"""Tiles from which what a coordinator needs can be extrapolated: of fewer, most is what it needs in any case."""
MANY: Final = (8, 32, 128, 512)
"""Numbers of workers that times are told for."""


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
    """Peak bytes, if all that a tile adds stays in memory; None of few tiles or timesteps, which cannot tell."""
    journal: int | None
    """Bytes; None of few tiles."""
    again: float | None
    """Seconds of a build with nothing to do; None of few tiles."""
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
        prices: of `landloom.pipelines.rehearsal.settings.PRICES`, those that are known.
    """
    part = measured.extent
    tiles, samples = whole.tiles / part.tiles, whole.samples / part.samples
    few = part.tiles < FEWEST and tiles > 1
    steps = {name: whole.steps[name] / part.steps[name] for name in measured.products}
    longer = max((ratio for name, ratio in steps.items() if measured.products[name].requests), default=1.0)
    made, start = measured.products.items(), measured.build.stages.get(STARTING, 0.0)
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
        serial=_coordinated(measured.build, tiles * longer, samples),
        worker=sum(one.seconds * tiles * steps[name] for name, one in made),
        longest=max((one.longest * steps[name] for name, one in made), default=0.0),
        limit=read / bandwidth,
        products=products,
        others=others,
        requests=requests,
        read=round(read),
        coordinator=_line(small, part, measured.build.coordinator, tiles, longer),
        journal=None if few else round(measured.journal * tiles * longer),
        again=None if few else _coordinated(measured.again, tiles * longer, samples),
        validate=start + max(measured.validate.seconds - start, 0.0) * samples,
        cost={},
    )
    return _priced(found, prices)


def _coordinated(ran: Ran, searched: float, samples: float) -> float:
    """Seconds of a coordinator: starting takes the same whatever it does; searches grow with tiles and period.

    Args:
        ran: the part.
        searched: how much more is searched for.
        samples: how many more samples there are.
    """
    ratios = {STARTING: 1.0, SEARCH: searched, BUILDING: 0.0}
    return sum(seconds * ratios.get(stage, samples) for stage, seconds in ran.stages.items())


def _requests(measured: Measured, tiles: float, longer: float, steps: Mapping[str, float]) -> dict[str, int]:
    """Those of units by their product; searches by tiles and period."""
    own = sum(one.requests for one in measured.products.values())
    scaled = sum(one.requests * tiles * steps[name] for name, one in measured.products.items())
    ratio = scaled / own if own else tiles
    return {
        kind: round(count * (tiles * longer if kind == "catalogue" else ratio))
        for kind, count in measured.tally.requests.items()
    }


def _line(small: Small | None, part: Extent, peak: int | None, tiles: float, longer: float) -> int | None:
    """The peak on the line through two measured ones; None where they cannot tell."""
    if small is None or small.coordinator is None or peak is None or part.tiles < FEWEST or longer > 1:
        return None
    return round(peak + max(peak - small.coordinator, 0) * (tiles - 1))


def _priced(found: Extrapolated, prices: Mapping[str, float]) -> Extrapolated:
    amounts = {
        "read": sum(found.requests.values()) / 1000,
        "traffic": found.read / 1e9,
        "worker": found.worker / 3600,
        "write": found.files / 1000,
        "storage": found.size / 1e9,
    }
    return replace(found, cost={name: amounts[name] * price for name, price in prices.items()})
