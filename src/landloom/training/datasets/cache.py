"""Decoded series of samples on local disk: what was read once is mapped into memory afterwards.

A file holds the chosen bands of a sample at the timesteps that it has, as plain numbers, and the checksum of its name
says of which corpus and plan they are. Files are written whole or not at all, so processes may share a folder.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from landloom.errors import MissingKeyError, StoreError
from landloom.query.index.arrays import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.store.protocol import Store

_IDENTITY = ("digest.json", "index/samples.parquet", "corpus.json")
"""Files of which the first that exists tells one state of a corpus from another."""


@dataclass(frozen=True, slots=True)
class SeriesCache:
    """The folder of one product of one corpus."""

    folder: Path

    @classmethod
    def of(cls, folder: Path, store: Store, plan: Sequence[object]) -> Self:
        """The cache of what is read.

        Args:
            folder: of all caches.
            store: the corpus.
            plan: product, bands, timesteps and type, as JSON values.
        """
        content = b""
        for key in _IDENTITY:
            try:
                content = store.get(key)
                break
            except MissingKeyError:
                continue
        head = json.dumps([store.uri, *plan])
        name = hashlib.sha256(head.encode() + content).hexdigest()[:24]
        return cls(folder / name)

    def path(self, sample: str) -> Path:
        """File of a sample."""
        return self.folder / sample[-2:] / f"{sample}.raw"

    def read(self, sample: str, dtype: str, shape: tuple[int, ...]) -> NDArray[Any] | None:
        """The numbers of a sample, mapped; None if they are not there."""
        path = self.path(sample)
        try:
            if path.stat().st_size != np.dtype(dtype).itemsize * int(np.prod(shape)):
                return None
            return np.memmap(path, dtype, "r", shape=shape)
        except (FileNotFoundError, ValueError):
            return None

    def write(self, sample: str, numbers: NDArray[Any]) -> None:
        """Keep the numbers of a sample.

        Raises:
            StoreError: the folder cannot be written.
        """
        try:
            write_atomically(self.path(sample), np.ascontiguousarray(numbers).tobytes())
        except OSError as error:
            raise StoreError(f"cannot keep decoded samples in {self.folder}: {error.strerror or error}") from error
