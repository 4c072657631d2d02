"""The work of a build, scaled from a part of it that was measured, and its time and cost at stated rates; pure."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

GIB: Final = 2**30
BANDWIDTH: Final = 125e6
"""Default bytes per second that all workers together receive: 1 Gbit/s."""
THOUSAND_GETS: Final = 0.0004
"""Default price of 1,000 GET requests in US dollars: Amazon S3 Standard in us-west-2, where Earth Search's buckets are.
Whoever reads a bucket of the Open Data programme pays nothing; of a requester-pays bucket, this."""
GIB_READ: Final = 0.0
"""Default price of a GiB read in US dollars: nothing within the region of the bucket; Amazon S3 asks 0.09 to the
internet, and of readers only where the bucket is requester-pays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a build, or a part of it, reads, writes and computes.

    Example:
        >>> month = Work(requests=2_000, read=300e6, written=20e6, cpu=8)
        >>> (month + month.times(11)).requests
        24000
    """

    requests: float = 0.0
    """Requests to hosts."""
    read: float = 0.0
    """Bytes of sources."""
    written: float = 0.0
    """Bytes of files of the corpus."""
    cpu: float = 0.0
    """Seconds of one core."""

    def __add__(self, other: Work) -> Work:
        return Work(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})

    def times(self, factor: float) -> Work:
        """Several times as much."""
        return Work(**{one.name: getattr(self, one.name) * factor for one in fields(self)})

    def document(self) -> dict[str, Any]:
        """As JSON values: whole numbers, seconds to a tenth."""
        return {
            "requests": round(self.requests),
            "bytes_read": round(self.read),
            "bytes_written": round(self.written),
            "cpu_seconds": round(self.cpu, 1),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The rates at which work takes time and costs money."""

    bandwidth: float = BANDWIDTH
    """Bytes per second that all workers together receive."""
    workers: int = 1
    """Cores that compute at a time."""
    thousand_gets: float = THOUSAND_GETS
    """Price of 1,000 GET requests, in US dollars."""
    gib: float = GIB_READ
    """Price of a GiB read, in US dollars."""

    def __post_init__(self) -> None:
        """Refuse rates that no work ends with.

        Raises:
            InvalidValueError: no bandwidth, no worker, or a negative price.
        """
        if not self.bandwidth > 0:
            raise InvalidValueError(f"got a rate of {self.bandwidth:g} bytes/s, expected a positive one")
        if self.workers < 1:
            raise InvalidValueError(f"got {self.workers} workers, expected at least 1")
        if min(self.thousand_gets, self.gib) < 0:
            raise InvalidValueError("got a negative price, expected one of at least 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Time and cost of work. Workers read ahead of what they compute, so the longer of the two is the time.

    Example:
        >>> bill = Bill.of(Work(requests=1e6, read=125e9, cpu=4_000), Rates(workers=2))
        >>> bill.reading, bill.computing, bill.seconds, bill.cost
        (1000.0, 2000.0, 2000.0, 0.4)
    """

    reading: float
    """Seconds of reading, if nothing else took time."""
    computing: float
    """Seconds of computing, with all workers busy."""
    cost: float
    """US dollars for requests and bytes, where the host of the sources charges for them."""

    @classmethod
    def of(cls, work: Work, rates: Rates) -> Bill:
        """Time and cost of work at rates."""
        return cls(
            reading=work.read / rates.bandwidth,
            computing=work.cpu / rates.workers,
            cost=work.requests / 1_000 * rates.thousand_gets + work.read / GIB * rates.gib,
        )

    @property
    def seconds(self) -> float:
        """Seconds of the whole."""
        return max(self.reading, self.computing)

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "reading_seconds": round(self.reading),
            "computing_seconds": round(self.computing),
            "seconds": round(self.seconds),
            "usd": round(self.cost, 2),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A part of a build that was made, and how large it is.

    Example:
        >>> month = Measured(work=Work(read=300e6, written=2e6, cpu=8), reads=6, chips=100, source="one month")
        >>> month.scaled(reads=60, chips=200)
        Work(requests=0.0, read=3000000000.0, written=4000000.0, cpu=80.0)
    """

    work: Work
    reads: int
    """Scenes that it read, counted once for each tile; 0 if it reads none."""
    chips: int
    """Chips that it made."""
    source: str
    """What was measured, in words."""
    sizes: Mapping[str, float] = field(default_factory=dict)
    """Product → bytes of a chip on disk, in all layouts together."""

    def scaled(self, *, reads: int, chips: int) -> Work:
        """The work of another part: what is read follows the scenes, what is written the chips.

        Computing follows the scenes too, where there are any: most of it is decoding and masking.
        """
        more_chips = chips / self.chips if self.chips else 0.0
        more_reads = reads / self.reads if self.reads else more_chips
        return Work(
            requests=self.work.requests * more_reads,
            read=self.work.read * more_reads,
            written=self.work.written * more_chips,
            cpu=self.work.cpu * more_reads,
        )
