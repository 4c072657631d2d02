"""How a recipe is rehearsed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from landloom.errors import InvalidInputError
from landloom.pipelines.estimates.work import BANDWIDTH
from landloom.simulate.remote.behaviour import Behaviour
from landloom.simulate.remote.blocks import SIDE

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT: Final = Behaviour(latency=0.04, bandwidth=BANDWIDTH, unavailable=0.001, cut=0.0001, absent=0.0001)
"""40 ms before each answer, 1 Gbit/s, and faults as archives have them."""
PRICES: Final = {
    "read": "1,000 requests to the archive",
    "traffic": "GB read from the archive",
    "worker": "hour of a worker",
    "write": "1,000 files written",
    "storage": "GB stored for a month",
}
"""Name of a price → what it is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a recipe is rehearsed."""

    samples: int = 2_000
    months: int | None = None
    """Only the first months of each period; all if None."""
    products: tuple[str, ...] = ()
    """Only these; all if empty."""
    workers: int = 1
    behaviour: Behaviour = DEFAULT
    check: Literal["part", "all"] = "part"
    """Whether the digest of a small build with many faults, or also that of the whole rehearsal, is compared with that
    of a build without faults."""
    prices: Mapping[str, float] = field(default_factory=dict)
    """Of `PRICES`."""
    side: int = SIDE
    """Of the blocks of the archive's files, in pixels."""

    def __post_init__(self) -> None:
        if self.samples < 1 or (self.months is not None and self.months < 1):
            raise InvalidInputError("got no sample or no month, expected at least one")
        if unknown := sorted(set(self.prices) - set(PRICES)):
            raise InvalidInputError(f"got the price {unknown[0]!r}, expected one of {', '.join(PRICES)}")
