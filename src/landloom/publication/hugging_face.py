"""Samples as Parquet for Hugging Face `datasets`: a row for each, its images as arrays of four dimensions.

`datasets.load_dataset(FOLDER)` finds the splits, and `with_format("numpy")` gives equal numbers, which it widens to
int64.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

ROWS: Final = 128
"""Samples of a file."""
GROUP: Final = 16
"""Samples of a row group, which readers decode at once."""


@dataclass(frozen=True, slots=True)
class ParquetFiles:
    """Writes `data/SPLIT-00000.parquet`, …, and a card that names the splits."""

    name: str
    """Of the corpus."""

    def files(
        self, split: str, samples: Iterator[tuple[dict[str, Any], dict[str, NDArray[Any]]]]
    ) -> Iterator[tuple[str, bytes, int]]:
        """Path, bytes and number of samples of each file of a split."""
        rows: list[tuple[dict[str, Any], dict[str, NDArray[Any]]]] = []
        number = 0
        for sample in samples:
            rows.append(sample)
            if len(rows) == ROWS:
                yield f"data/{_word(split)}-{number:05d}.parquet", _encoded(rows), len(rows)
                rows, number = [], number + 1
        if rows:
            yield f"data/{_word(split)}-{number:05d}.parquet", _encoded(rows), len(rows)

    def documents(self, title: str, counts: dict[str, int]) -> Iterator[tuple[str, bytes]]:
        """The card, whose head names the files of each split."""
        head = ["---", f"pretty_name: {json.dumps(title)}", "configs:", "- config_name: default", "  data_files:"]
        for split in counts:
            head += [f"  - split: {_word(split)}", f"    path: data/{_word(split)}-*.parquet"]
        text = "\n".join([*head, "---", "", f"# {title}", ""])
        body = (
            "Images are (time, band, y, x) as stored; `about` is a JSON text with bands, dates, nodata and fractions.\n"
            "\n```python\nimport datasets\n\nrows = datasets.load_dataset('.').with_format('numpy')\n```\n"
        )
        yield "README.md", f"{text}\n{body}".encode()


def _word(split: str) -> str:
    """The name of a split as the library allows it: letters, digits and underscores."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in split)


def _encoded(rows: Sequence[tuple[dict[str, Any], dict[str, NDArray[Any]]]]) -> bytes:
    about = [row for row, _ in rows]
    columns: dict[str, pa.Array] = {
        "id": pa.array([row["id"] for row in about], pa.string()),
        "crs": pa.array([row["crs"] for row in about], pa.string()),
        "bounds": pa.array([row["bounds"] for row in about], pa.list_(pa.float64())),
        "about": pa.array([json.dumps(row, separators=(",", ":")) for row in about], pa.string()),
    }
    features: dict[str, Any] = {name: {"dtype": "string", "_type": "Value"} for name in ("id", "crs")}
    features["bounds"] = {"feature": {"dtype": "float64", "_type": "Value"}, "_type": "List"}
    features["about"] = {"dtype": "string", "_type": "Value"}
    for key in rows[0][1]:
        arrays = [own[key] for _, own in rows if key in own]
        if len(arrays) != len(rows):
            raise InvalidInputError(f"{key}: got samples without it, expected it of every sample; export to webdataset")
        columns[key], features[key] = _nested(key, arrays)
    info = json.dumps({"info": {"features": features}})
    table = pa.table(columns).replace_schema_metadata({"huggingface": info})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=GROUP, compression="zstd", use_dictionary=["id", "crs"])
    return buffer.getvalue()


def _nested(key: str, arrays: Sequence[NDArray[Any]]) -> tuple[pa.Array, dict[str, Any]]:
    """Lists of lists of numbers, and how the library reads them: the first axis may differ, the others may not."""
    shapes = {array.shape[1:] for array in arrays}
    if len(shapes) > 1:
        raise InvalidInputError(f"{key}: got samples of {len(shapes)} shapes, expected one; export to webdataset")
    inner = shapes.pop()
    nested = pa.array(np.concatenate([array.reshape(-1) for array in arrays]))
    for length in reversed(inner):
        nested = pa.ListArray.from_arrays(np.arange(0, len(nested) + 1, length, dtype=np.int32), nested)
    lengths = [len(array) for array in arrays]
    nested = pa.ListArray.from_arrays(np.cumsum([0, *lengths]).astype(np.int32), nested)
    first = lengths[0] if len(set(lengths)) == 1 else None
    kind = f"Array{len(inner) + 1}D"
    return nested, {"shape": [first, *inner], "dtype": str(arrays[0].dtype), "_type": kind}
