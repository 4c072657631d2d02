"""Units of work: pure values that describe the work, and its result."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import orjson

from landloom.corpus.lineage import Lineage
from landloom.model.time import Period, Timestep, format_instant, parse_instant
from landloom.store.network.traffic import Counts
from landloom.store.versions import Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.manifest import FileEntry
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene


class NoteKind(StrEnum):
    """Subjects of notes."""

    LEFT_OUT = "left out"
    """Part of an input that was not used."""
    REPAIRED = "repaired"
    """Part of an input that was repaired first."""
    OVERLAP = "overlap"
    """Two inputs overlap."""
    UNLABELLED = "unlabelled"
    """Cells without any label."""
    DISPLACED = "displaced"
    """A scene whose image lies beside its place."""
    ODD = "odd"
    """A chip that looks odd, though it may be right."""
    AS_SEEN = "as seen"
    """A scene that could not be brought to a nadir view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Information for the user about a unit that succeeded."""

    kind: NoteKind
    what: str
    """Names the file, row, scene or sample."""
    count: int = 1
    """Number of such cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedChip:
    """A chip of one sample and timestep that must not be published; the others of its unit may."""

    sample: str
    timestep: str
    reason: str

    def __str__(self) -> str:
        return f"{self.sample} {self.timestep}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observed:
    """The timesteps that a unit has made of one product, by sample."""

    product: str
    """Key of the product."""
    timesteps: tuple[Timestep, ...]
    """In time order; empty for a product without time."""
    table: NDArray[np.bool_]
    """(sample, timestep), samples in the order of the unit's; one column for a product without time."""

    blank: NDArray[np.bool_] | None = None
    """(sample, timestep) chips without a single observation; None if there is none."""

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(sample, timestep) where there is any observation."""
        return self.table if self.blank is None else self.table & ~self.blank

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        steps = [
            [step.name, *map(format_instant, (step.stamp, step.period.start, step.period.end))]
            for step in self.timesteps
        ]
        document = {"product": self.product, "timesteps": steps, "samples": len(self.table), "bits": _bits(self.table)}
        return document if self.blank is None else document | {"blank": _bits(self.blank)}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `document`."""
        steps = tuple(
            Timestep(parse_instant(stamp), name, Period.parse(start, end))
            for name, stamp, start, end in document["timesteps"]
        )
        shape = document["samples"], max(len(steps), 1)
        blank = _table(document["blank"], shape) if "blank" in document else None
        return cls(product=document["product"], timesteps=steps, table=_table(document["bits"], shape), blank=blank)


def _bits(table: NDArray[np.bool_]) -> str:
    return b64encode(np.packbits(table, axis=None).tobytes()).decode()


def _table(text: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    bits = np.frombuffer(b64decode(text), np.uint8)
    return np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape).astype(np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a unit."""

    files: tuple[FileEntry, ...]
    """Every file that it has written."""
    observed: tuple[Observed, ...] = ()
    """The data made, product by product."""
    lineage: Lineage | None = None
    """The scenes used, if it reads any."""
    notes: tuple[Note, ...] = ()
    """Parts that were left out or repaired, and anomalies."""
    refused: tuple[RefusedChip, ...] = ()
    """Chips that were not written; a unit with any is not finished: the next build makes it again."""
    inputs: Mapping[str, Version] = field(default_factory=dict)
    """Address → version of the source files that it has read; never published."""
    measures: Mapping[str, Any] = field(default_factory=dict)
    """Name → JSON values that its kind has measured for the report; never published."""
    traffic: Mapping[str, Counts] = field(default_factory=dict)
    """Host → what it was asked for, and what it gave; never published."""

    def document(self) -> dict[str, Any]:
        """As JSON values, without the files."""
        return {
            "observed": [one.document() for one in self.observed],
            "lineage": None if self.lineage is None else self.lineage.document(),
            "notes": [{"kind": note.kind.value, "what": note.what, "count": note.count} for note in self.notes],
            "refused": [[chip.sample, chip.timestep, chip.reason] for chip in self.refused],
            "inputs": {href: version.document() for href, version in self.inputs.items()},
            "measures": dict(self.measures),
            "traffic": {host: counts.document() for host, counts in self.traffic.items()},
        }

    @classmethod
    def parse(cls, files: Sequence[FileEntry], document: Mapping[str, Any]) -> Self:
        """The inverse of `document`."""
        lineage, notes = document["lineage"], document["notes"]
        return cls(
            files=tuple(files),
            observed=tuple(Observed.parse(one) for one in document["observed"]),
            lineage=None if lineage is None else Lineage.of_document(lineage),
            notes=tuple(Note(kind=NoteKind(one["kind"]), what=one["what"], count=one["count"]) for one in notes),
            refused=tuple(
                RefusedChip(sample=sample, timestep=step, reason=reason)
                for sample, step, reason in document.get("refused", ())
            ),
            inputs={href: Version.parse(one) for href, one in document.get("inputs", {}).items()},
            measures=document.get("measures", {}),
            traffic={host: Counts.parse(one) for host, one in document.get("traffic", {}).items()},
        )


class Task(Protocol):
    """The work of a unit: a value that is sent to a worker and run there."""

    def run(self) -> Outcome:
        """Do the work; a failure for a reason outside the code is a `LandloomError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One unit of work, usually a tile and a product."""

    kind: str
    """Its product kind or stage."""
    product: str
    """Name of the product in the recipe: `s2` of `products`, `labels.clc`."""
    tile: str
    """Tile of its samples, or another part of the work."""
    part: int | None = None
    """Number of the part, if a tile has several units."""
    makes: tuple[str, ...] = ()
    """Keys of the products that it publishes."""
    samples: tuple[Sample, ...] = ()
    """Samples that it covers, in id order."""
    key: str
    """Digest of all inputs that affect its files: settings, samples and the identity of its inputs."""
    memory: int
    """Estimated peak, in bytes."""
    task: Task
    """The work to run in a worker."""
    needs: tuple[str, ...] = ()
    """Ids of units whose files it reads."""
    reads: tuple[Scene, ...] = ()
    """Scenes whose files it reads."""

    @property
    def id(self) -> str:
        """Its name in output and journal; unique within a corpus, never parsed."""
        return f"{self.product}/{self.tile}" + ("" if self.part is None else f" part {self.part + 1}")

    @property
    def stated(self) -> frozenset[str]:
        """What archives state of the files of its scenes."""
        return frozenset(mark for scene in self.reads if (mark := scene.stated) is not None)


def unit_digest(*parts: object) -> str:
    """A short digest of values by their canonical JSON, for unit keys.

    Example:
        >>> unit_digest({"b": 1, "a": 2}) == unit_digest({"a": 2, "b": 1})
        True
    """
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    return hashlib.sha256(orjson.dumps(parts, default=str, option=options)).hexdigest()[:32]
