"""Units of work: pure values that say what is to be done, and what the result was."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import orjson

from landloom.corpus.lineage import Lineage
from landloom.model.time import Period, Timestep, format_instant, parse_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.manifest import FileEntry
    from landloom.model.sample import Sample


class NoteKind(StrEnum):
    """What a note is about."""

    LEFT_OUT = "left out"
    """Part of an input that was not used."""
    REPAIRED = "repaired"
    """Part of an input that was mended first."""
    OVERLAP = "overlap"
    """Two inputs claim the same ground."""
    UNLABELLED = "unlabelled"
    """Cells without any label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that a person should know of a unit although it is done."""

    kind: NoteKind
    what: str
    """Names the file, row, scene or sample."""
    count: int = 1
    """How many of them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observed:
    """What a unit has made of one product: which of its samples have which timesteps."""

    product: str
    """Key of the product."""
    timesteps: tuple[Timestep, ...]
    """In time order; empty for a product without time."""
    table: NDArray[np.bool_]
    """(sample, timestep), samples in the order of the unit's; one column for a product without time."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        steps = [
            [step.name, *map(format_instant, (step.stamp, step.period.start, step.period.end))]
            for step in self.timesteps
        ]
        bits = b64encode(np.packbits(self.table, axis=None).tobytes()).decode()
        return {"product": self.product, "timesteps": steps, "samples": len(self.table), "bits": bits}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Read JSON values back."""
        steps = tuple(
            Timestep(parse_instant(stamp), name, Period.parse(start, end))
            for name, stamp, start, end in document["timesteps"]
        )
        shape = document["samples"], max(len(steps), 1)
        bits = np.frombuffer(b64decode(document["bits"]), np.uint8)
        table = np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape).astype(np.bool_)
        return cls(product=document["product"], timesteps=steps, table=table)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a unit."""

    files: tuple[FileEntry, ...]
    """Every file that it has written."""
    observed: tuple[Observed, ...] = ()
    """What it has made, product by product."""
    lineage: Lineage | None = None
    """The scenes behind it, where it reads any."""
    notes: tuple[Note, ...] = ()
    """What it left out, repaired or found odd."""

    def document(self) -> dict[str, Any]:
        """As JSON values, without the files."""
        return {
            "observed": [one.document() for one in self.observed],
            "lineage": None if self.lineage is None else self.lineage.document(),
            "notes": [{"kind": note.kind.value, "what": note.what, "count": note.count} for note in self.notes],
        }

    @classmethod
    def parse(cls, files: Sequence[FileEntry], document: Mapping[str, Any]) -> Self:
        """Read JSON values back."""
        lineage, notes = document["lineage"], document["notes"]
        return cls(
            files=tuple(files),
            observed=tuple(Observed.parse(one) for one in document["observed"]),
            lineage=None if lineage is None else Lineage.of_document(lineage),
            notes=tuple(Note(kind=NoteKind(one["kind"]), what=one["what"], count=one["count"]) for one in notes),
        )


class Task(Protocol):
    """The work of a unit: a value that travels to a worker and is run there."""

    def run(self) -> Outcome:
        """Do it; whatever goes wrong for a reason outside the code is a `LandloomError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One unit of work: a tile and a product, as a rule."""

    kind: str
    """Product kind, or stage, that it belongs to."""
    product: str
    """Where the recipe names what it makes: `s2` of `products`, `labels.clc`."""
    tile: str
    """Tile whose samples it covers, or another part of the work."""
    part: int | None = None
    """Number of the part, where a tile has several units."""
    makes: tuple[str, ...] = ()
    """Keys of the products that it publishes."""
    samples: tuple[Sample, ...] = ()
    """Samples that it covers, in id order."""
    key: str
    """Digest of all that decides its files: settings, samples and the identity of its inputs."""
    memory: int
    """Estimated peak, in bytes."""
    task: Task
    """What a worker does."""
    needs: tuple[str, ...] = ()
    """Ids of units whose files it reads."""

    @property
    def id(self) -> str:
        """How it is printed and journalled; unique within a corpus, never parsed."""
        return f"{self.product}/{self.tile}" + ("" if self.part is None else f" part {self.part + 1}")


def unit_digest(*parts: object) -> str:
    """A short unit_digest of values by their canonical JSON, for unit keys.

    Example:
        >>> unit_digest({"b": 1, "a": 2}) == unit_digest({"a": 2, "b": 1})
        True
    """
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    return hashlib.sha256(orjson.dumps(parts, default=str, option=options)).hexdigest()[:32]
