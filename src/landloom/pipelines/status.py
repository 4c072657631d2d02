"""What is done, failed and missing of a corpus, out of its journal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landloom.errors import CorpusError
from landloom.pipelines.journal import Journal
from landloom.pipelines.stage import JOURNAL

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductStatus:
    """Units of one product."""

    product: str
    done: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The journal summed up."""

    rows: tuple[ProductStatus, ...]
    failures: tuple[str, ...]
    """Unit, attempts and reason of each that failed."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        rows = [{"product": row.product, "done": row.done, "failed": row.failed} for row in self.rows]
        return {"products": rows, "failures": list(self.failures)}


def read_status(folder: Path) -> Status:
    """Sum up the journal of a corpus folder.

    Raises:
        CorpusError: no build has been there.
    """
    path = folder / JOURNAL
    if not path.exists():
        raise CorpusError(f"{folder}: no journal, so no build has been here; start one with: landloom build")
    done: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    failures = []
    with Journal(path) as journal:
        for entry in journal.entries():
            product = entry.id.split("/")[0]
            (done if entry.state == "done" else failed)[product] += 1
            if entry.state == "failed":
                failures.append(f"{entry.id} (attempt {entry.attempts}): {entry.reason}")
    rows = [ProductStatus(product=p, done=done[p], failed=failed[p]) for p in sorted({*done, *failed})]
    return Status(rows=tuple(rows), failures=tuple(failures))
