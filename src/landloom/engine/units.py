"""Units of work: pure values that say what is to be done, and what came of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.corpus.manifest import FileEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a unit."""

    files: tuple[FileEntry, ...]
    """Every file that it has written."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """JSON values for the journal, lineage and report: scenes left out, observations per timestep, …"""


class Task(Protocol):
    """The work of a unit: a value that travels to a worker and is run there."""

    def run(self) -> Outcome:
        """Do it; whatever goes wrong for a reason outside the code is a `LandloomError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One unit of work: a tile and a product, as a rule."""

    id: str
    """Unique within the corpus: `s2/33N_16E-243N`."""
    key: str
    """Digest of all that decides its files: settings, samples and the identity of its inputs."""
    memory: int
    """Estimated peak, in bytes."""
    task: Task
    """What a worker does."""


def digest(*parts: object) -> str:
    """A short digest of values by their canonical JSON, for unit keys.

    Example:
        >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
        True
    """
    import orjson

    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    return hashlib.sha256(orjson.dumps(parts, default=str, option=options)).hexdigest()[:32]
