"""What a sidecar says beside its arrays: the description of its corpus, its columns and the state of its source."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


@lru_cache(maxsize=16)
def _document(corpus: str) -> dict[str, Any]:
    """A corpus.json as plain values: reading it as a `CorpusInfo` loads more than numpy."""
    document: dict[str, Any] = json.loads(corpus)
    return document


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """The files that a sidecar was built from, as they were then."""

    key: tuple[str, ...]
    """Their paths, and further inputs."""
    stamps: tuple[tuple[int, int, int], ...]
    """(size, modification time in ns, checksum of the last 64 kB) of each."""
    sha256: tuple[str, ...]
    """Digest of each."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read it from JSON values."""
        return cls(
            key=tuple(document["key"]),
            stamps=tuple((size, time, tail) for size, time, tail in document["stamps"]),
            sha256=tuple(document["sha256"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarMeta:
    """The values of a sidecar that are not arrays.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> meta = example_corpus().sidecar.meta
        >>> meta.name, meta.version, meta.products
        ('example', '1.0', ('pfsr', 'pfqa', 's2', 'labels'))
    """

    corpus: str
    """A corpus.json without its recipe."""
    scheme: str
    """Identity scheme, which says how samples are stored: `utm24`, `granule` or `window`."""
    tile_size: int
    """Side of a `utm24` tile in metres."""
    cell_size: int
    """Side of a `utm24` cell in metres."""
    cells: int
    """Cells along a side of a `utm24` tile."""
    columns: tuple[str, ...]
    """Label columns of the finest level, in index order."""
    groups: Mapping[str, tuple[str, ...]]
    """Label columns of coarser levels → the columns that they sum."""
    decimals: int | None
    """Decimals of published footprints; None if they are not rounded."""
    vocabularies: Mapping[str, tuple[str, ...]]
    """Values of `stratum` and `split`, for those that the index has."""
    source: SourceState | None = None
    """Its source; None if it was built in memory."""

    @property
    def name(self) -> str:
        """Name of the corpus: `rapidai4eo`."""
        return str(_document(self.corpus)["name"])

    @property
    def version(self) -> str:
        """Version of the corpus: `1.0`."""
        return str(_document(self.corpus)["version"])

    @property
    def products(self) -> tuple[str, ...]:
        """Keys of its products."""
        return tuple(item["key"] for item in _document(self.corpus)["products"])

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read it from JSON values: the inverse of `dataclasses.asdict`.

        Raises:
            KeyError: a value is missing.
            TypeError: an unknown value.
        """
        source = document["source"]
        lists = {
            "columns": tuple(document["columns"]),
            "groups": {name: tuple(members) for name, members in document["groups"].items()},
            "vocabularies": {name: tuple(words) for name, words in document["vocabularies"].items()},
            "source": None if source is None else SourceState.of(source),
        }
        return cls(**{**document, **lists})
