"""Samples as tar files for WebDataset: `ID.PRODUCT.npy` for each array, and `ID.json` with what it takes to read them.

`webdataset.WebDataset(urls).decode()` gives arrays and the description as they were written.
"""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

SHARD: Final = 200 * 2**20
"""Bytes after which a tar file ends."""


@dataclass(frozen=True, slots=True)
class TarFiles:
    """Writes `NAME-SPLIT-000000.tar` and so on."""

    name: str
    """Of the corpus."""

    def files(
        self, split: str, samples: Iterator[tuple[dict[str, Any], dict[str, NDArray[Any]]]]
    ) -> Iterator[tuple[str, bytes, int]]:
        """Path, bytes and number of samples of each file of a split."""
        number, count, size = 0, 0, 0
        members: list[tuple[str, bytes]] = []
        for about, arrays in samples:
            own = [(f"{about['id']}.{ending}", data) for ending, data in _members(about, arrays)]
            members += own
            count, size = count + 1, size + sum(len(data) for _, data in own)
            if size >= SHARD:
                yield f"{self.name}-{split}-{number:06d}.tar", _tar(members), count
                number, count, size, members = number + 1, 0, 0, []
        if count:
            yield f"{self.name}-{split}-{number:06d}.tar", _tar(members), count

    def documents(self, title: str, counts: dict[str, int]) -> Iterator[tuple[str, bytes]]:
        """A note on how to read them."""
        splits = ", ".join(f"{split} ({count:,})" for split, count in counts.items())
        text = (
            f"# {title} as WebDataset\n\nSplits and samples: {splits}.\n\n```python\nimport webdataset\n\n"
            f'samples = webdataset.WebDataset("{self.name}-{next(iter(counts))}-000000.tar").decode()\n'
            "# Keys: __key__ (the sample's id), json, and PRODUCT.npy (time, band, y, x), as stored.\n```\n"
        )
        yield "README.md", text.encode()


def _tar(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A tar file without clock times or owners, so that equal samples give equal bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _members(about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, bytes]]:
    yield "json", json.dumps(about, separators=(",", ":")).encode()
    for key, array in arrays.items():
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        yield f"{key}.npy", buffer.getvalue()
