"""Done, failed and missing units of a corpus, from its journal."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from landloom.engine.journal import Journal
from landloom.engine.place import JOURNAL, SHARDS, Place
from landloom.engine.shards import Shard, begun_shards
from landloom.errors import CorpusError
from landloom.store.network.budgets import cost
from landloom.store.network.traffic import total

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from landloom.engine.journal import JournalEntry
    from landloom.engine.units import Unit
    from landloom.store.network.traffic import Counts

LATELY: Final = 600.0
"""Seconds over which rates are averaged."""
_KEPT: Final = 10_000
PLAN: Final = "plan"
"""Kind and id of the note that lists every unit of the last build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductStatus:
    """Units of one product."""

    product: str
    done: int
    failed: int
    missing: int
    """Planned, but neither tried nor built from the current inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Summary of the journal."""

    rows: tuple[ProductStatus, ...]
    failures: tuple[str, ...]
    """Unit, attempts and reason of each failure."""
    shards: tuple[str, ...] = ()
    """Shards that have not begun, or have units left."""
    hosts: Mapping[str, Counts] = field(default_factory=dict)
    """Host → what it was asked for, and what it gave, in all builds so far."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Host → bytes a second that the units of the last `LATELY` seconds have read from it."""
    pace: float = 0.0
    """Units a second in the same time."""
    costs: Mapping[str, float] = field(default_factory=dict)
    """Host → what it has cost, of those whose price was told."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        rows = [
            {"product": row.product, "done": row.done, "failed": row.failed, "missing": row.missing}
            for row in self.rows
        ]
        hosts = {
            host: asdict(counts)
            | {"rate": self.rates.get(host, 0.0)}
            | ({"cost": self.costs[host]} if host in self.costs else {})
            for host, counts in self.hosts.items()
        }
        return {
            "products": rows,
            "failures": list(self.failures),
            "shards": list(self.shards),
            "hosts": hosts,
            "units_per_second": self.pace,
        }


def keep_plan(journal: Journal, units: Iterable[Unit]) -> None:
    """Record the units of a build, and prices of hosts, so that `read_status` can tell what is missing and was paid."""
    journal.keep_prices()
    journal.keep(PLAN, PLAN, json.dumps({unit.id: [unit.product, unit.key, unit.tile] for unit in units}))


def read_status(corpus: str | Path) -> Status:
    """Summarise the journal of a corpus.

    Args:
        corpus: its folder; or its address in an object store, from any machine: builds copy their journals there.

    Raises:
        CorpusError: no build has run there.
    """
    place = Place.of(corpus)
    if not place.remote:
        return _status(place.folder)
    with TemporaryDirectory() as scratch:
        copy = replace(place, folder=Path(scratch))
        copy.fetch(JOURNAL, SHARDS)
        return _status(copy.folder, place.uri)


def _status(folder: Path, shown: str | None = None) -> Status:
    path = folder / JOURNAL
    shards = begun_shards(folder)
    if not path.exists() and not shards:
        raise CorpusError(f"{shown or folder}: no journal, so no build has run here; start one with: landloom build")
    done, failed, missing = Counter[str](), Counter[str](), Counter[str]()
    failures, undone, recent = [], set(), Recent()
    with _joined(folder, path, shards) as journal:
        planned: dict[str, list[str]] = json.loads(journal.notes(PLAN).get(PLAN, "{}"))
        hosts, told = journal.traffic(), journal.prices()
        for entry in journal.entries(whole=False):
            recent.add(entry)
            if entry.key != planned.get(entry.id, [entry.product, entry.key, entry.tile])[1]:
                continue  # built, or tried, from other inputs
            planned.pop(entry.id, None)
            refused = [str(chip) for chip in entry.outcome.refused]
            reasons = [str(entry.reason)] if entry.state == "failed" else refused
            (failed if reasons else done)[entry.product] += 1
            undone |= {entry.tile} if reasons else set()
            failures += [f"{entry.id} (attempt {entry.attempts}): {reason}" for reason in reasons]
    missing.update(product for product, *_ in planned.values())
    rows = [
        ProductStatus(product=name, done=done[name], failed=failed[name], missing=missing[name])
        for name in sorted({*done, *failed, *missing})
    ]
    undone.update(*(tile for _, _, *tile in planned.values()))  # older journals do not tell the tile
    return Status(
        rows=tuple(rows),
        failures=tuple(failures),
        shards=_unfinished(shards, undone),
        hosts=hosts,
        rates=recent.rates,
        pace=recent.pace,
        costs=cost(hosts, told),
    )


class Recent:
    """What the units that ended in the last `LATELY` seconds before the last one have read."""

    def __init__(self) -> None:
        self._ended: list[tuple[float, float, Mapping[str, Counts]]] = []

    def add(self, entry: JournalEntry) -> None:
        """Take a unit into account."""
        self._ended.append((entry.recorded, entry.seconds, entry.outcome.traffic))
        if len(self._ended) > _KEPT:
            self._cut()

    def _cut(self) -> None:
        last = max(one[0] for one in self._ended)
        self._ended = [one for one in self._ended if one[0] > last - LATELY]

    def _span(self) -> float:
        """Seconds from the begin of the first of them to the end of the last."""
        return max(max(one[0] for one in self._ended) - min(one[0] - one[1] for one in self._ended), 1.0)

    @property
    def pace(self) -> float:
        """Units a second; 0 without any."""
        if not self._ended:
            return 0.0
        self._cut()
        return len(self._ended) / self._span()

    @property
    def rates(self) -> dict[str, float]:
        """Host → bytes a second."""
        if not self._ended:
            return {}
        self._cut()
        found = total(iter([traffic for *_, traffic in self._ended]))
        return {host: counts.size / self._span() for host, counts in found.items()}


@contextmanager
def _joined(folder: Path, path: Path, shards: Sequence[Shard]) -> Iterator[Journal]:
    """The journal of a corpus; with those of its shards, as a copy that a build of one of them does not notice."""
    if not shards:
        with Journal(path) as journal:
            yield journal
        return
    with TemporaryDirectory() as scratch, Journal(Path(scratch) / "journal.sqlite") as journal:
        for other in (path, *(shard.journal(folder) for shard in shards)):
            journal.join(other)
        yield journal


def _unfinished(shards: Sequence[Shard], tiles: Iterable[str]) -> tuple[str, ...]:
    """The shards that have any of the tiles: of as many as the last journals say."""
    listed = list(tiles)
    return tuple(
        f"{shard}" + ("" if shard in shards else " (not begun)")
        for count in sorted({shard.count for shard in shards})
        for shard in (Shard(count, number) for number in range(1, count + 1))
        if any(shard.has(tile) for tile in listed)
    )
