"""What a rehearsed build has made and asked for, read from its journal and from the server."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from landloom.engine.journal import Journal
from landloom.engine.place import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from landloom.pipelines.rehearsal.places import Extent
    from landloom.pipelines.rehearsal.ran import Ran
    from landloom.simulate.remote.tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What the units of one product have cost and made."""

    units: int
    seconds: float
    """Of workers, together."""
    longest: float
    """Seconds of the longest unit."""
    files: int
    size: int
    """Bytes of the files."""
    requests: int
    read: int
    """Bytes read from the archive."""
    retries: int

    def per(self, steps: float) -> str:
        """Seconds of a unit and timestep, in words."""
        return f"{self.seconds / self.units / steps:.2f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A rehearsed build."""

    extent: Extent
    workers: int
    build: Ran
    again: Ran
    """The same build once more, with nothing to do."""
    validate: Ran
    """`landloom validate --sizes`."""
    products: Mapping[str, Made]
    """Name of the units → what they made."""
    others: Mapping[str, tuple[int, int]]
    """Part of the corpus that no unit makes → files and bytes."""
    tally: Tally
    """Of the server, while the build ran."""
    checks: int
    """Requests of the build with nothing to do."""
    retries: int
    """Requests that repeated one that had failed, searches included."""
    journal: int
    """Bytes."""

    @property
    def files(self) -> int:
        """Files of the corpus."""
        return sum(made.files for made in self.products.values()) + sum(files for files, _ in self.others.values())

    @property
    def size(self) -> int:
        """Bytes of the corpus."""
        return sum(made.size for made in self.products.values()) + sum(size for _, size in self.others.values())

    @property
    def unit_seconds(self) -> float:
        """Seconds of workers, together."""
        return sum(made.seconds for made in self.products.values())

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "samples": self.extent.samples,
            "tiles": self.extent.tiles,
            "timesteps": dict(self.extent.steps),
            "workers": self.workers,
            "build": self.build.measured(),
            "again": self.again.measured(),
            "validate": self.validate.measured(),
            "products": {name: asdict(made) for name, made in self.products.items()},
            "others": {part: {"files": files, "bytes": size} for part, (files, size) in self.others.items()},
            "server": self.tally.document(),
            "checks": self.checks,
            "retries": self.retries,
            "journal": self.journal,
            "files": self.files,
            "bytes": self.size,
        }


def made_of(corpus: Path) -> tuple[dict[str, Made], int]:
    """What the units of each product have made, and the retries of the whole build."""
    found: dict[str, Made] = {}
    with Journal(corpus / JOURNAL) as journal:
        retries = sum(counts.retries for counts in journal.traffic().values())
        for entry in journal.entries():
            spent, files = entry.outcome.traffic.values(), entry.outcome.files
            one = Made(
                units=1,
                seconds=entry.seconds,
                longest=entry.seconds,
                files=len(files),
                size=sum(file.size for file in files),
                requests=sum(counts.requests for counts in spent),
                read=sum(counts.size for counts in spent),
                retries=sum(counts.retries for counts in spent),
            )
            found[entry.product] = _together(found[entry.product], one) if entry.product in found else one
    return dict(sorted(found.items())), retries


def _together(first: Made, second: Made) -> Made:
    one, other = asdict(first), asdict(second)
    return Made(**{name: max(one[name], other[name]) if name == "longest" else one[name] + other[name] for name in one})


def others_of(corpus: Path, parts: Mapping[str, tuple[int, int]], products: Mapping[str, Made]) -> dict[str, Any]:
    """Part of the corpus → files and bytes that no unit has made."""
    own: dict[str, tuple[int, int]] = {}
    with Journal(corpus / JOURNAL) as journal:
        for entry in journal.entries():
            if entry.product in products:
                for file in entry.outcome.files:
                    part = file.path.split("/")[0]
                    files, size = own.get(part, (0, 0))
                    own[part] = files + 1, size + file.size
    left = {
        part: (files - own.get(part, (0, 0))[0], size - own.get(part, (0, 0))[1])
        for part, (files, size) in parts.items()
    }
    return {part: counts for part, counts in sorted(left.items()) if counts[0] > 0}


def journal_size(corpus: Path) -> int:
    """Bytes of the journal, with what SQLite has not yet merged."""
    path = corpus / JOURNAL
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
