"""Resource files: footprints and labels of all samples in three small files that need no catalogue.

They are written from the index, in its order, without a time stamp: the same index gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.corpus.footprints import DECIMALS, geojson, outlines_of, squares_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.model.taxonomy import Taxonomy

CHUNK: Final = 16_384
"""Rows formatted at a time."""
_ZERO: Final = np.frombuffer(b",0.000000", np.uint8)
_GZIP: Final = 31
"""zlib's window bits for a gzip frame, which has time 0 and no file name."""


def resource_files(info: CorpusInfo, index: pa.Table) -> dict[str, bytes]:
    """Key and bytes of every resource file.

    Args:
        info: the corpus.
        index: its index.
    """
    layout = info.layout
    files = {layout.resource("geometries"): geometries_geojson(index)}
    for position, item in enumerate(info.labels):
        if item.taxonomy is not None:
            product = None if position == 0 else item.key
            files[layout.resource("labels", product)] = labels_csv(index, info.label_columns[item.key])
            files[layout.resource("mappings", product)] = label_mappings(item.taxonomy)
    return files


def geometries_geojson(index: pa.Table) -> bytes:
    """Footprints of all samples: gzipped GeoJSON, property `sample_id`, longitude latitude in WGS84."""
    return _gzip(_features(index))


def labels_csv(index: pa.Table, columns: Sequence[str]) -> bytes:
    """Class shares of all samples: gzipped CSV, `sample_id` and one column per class, six decimals.

    Args:
        index: the index.
        columns: label columns of the index, integer millionths.
    """
    return _gzip(_label_rows(index, columns))


def label_mappings(taxonomy: Taxonomy) -> bytes:
    """The classes of a taxonomy and the classes above them, as CSV.

    Example:
        >>> from landloom.model.taxonomy import taxonomy
        >>> for line in label_mappings(taxonomy("clc")).decode().splitlines()[:2]:
        ...     print(line)
        index,clc_level1_id,clc_level2_id,clc_level3_id,class_name
        clc_111,1,11,111,Continuous urban fabric
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    levels = [f"{taxonomy.prefix}_level{level}_id" for level in range(1, taxonomy.levels + 1)]
    writer.writerow(["index", *levels, "class_name"])
    for item in taxonomy.classes:
        writer.writerow([taxonomy.column(item.code), *item.parents, item.code, item.name])
    return text.getvalue().encode()


def decimals(millionths: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Format fractions as text, each preceded by a comma.

    Args:
        millionths: (n, columns), 0 to 9,999,999.

    Returns:
        (n, columns · 9) bytes of ASCII.

    Example:
        >>> decimals(np.array([[0, 269575]])).tobytes()
        b',0.000000,0.269575'
    """
    text = np.broadcast_to(_ZERO, (*millionths.shape, len(_ZERO))).copy()
    row, column = np.nonzero(millionths)
    rest = millionths[row, column].astype(np.int64)
    for position in (8, 7, 6, 5, 4, 3, 1):
        rest, digit = np.divmod(rest, 10)
        text[row, column, position] += digit.astype(np.uint8)
    return text.reshape(len(millionths), -1)


def _features(index: pa.Table) -> Iterator[bytes]:
    ids = index.column("id").to_pylist()
    outlines = np.round(outlines_of(index.column("geometry"), *squares_of(index)), DECIMALS)
    yield b'{"type":"FeatureCollection","features":[\n'
    for start in range(0, len(ids), CHUNK):
        shapes = geojson(outlines[start : start + CHUNK])
        rows = (
            b'{"type":"Feature","properties":{"sample_id":"%b"},"geometry":%b}' % (name.encode(), shape)
            for name, shape in zip(ids[start : start + CHUNK], shapes, strict=True)
        )
        yield (b",\n" if start else b"") + b",\n".join(rows)
    yield b"\n]}\n"


def _label_rows(index: pa.Table, columns: Sequence[str]) -> Iterator[bytes]:
    yield ",".join(["sample_id", *columns]).encode() + b"\n"
    for batch in index.select(["id", *columns]).to_batches(max_chunksize=CHUNK):
        values = np.stack([batch.column(name).to_numpy() for name in columns], axis=1)
        text = decimals(values).tobytes()
        width = len(columns) * len(_ZERO)
        rows = (
            name.encode() + text[position * width : (position + 1) * width]
            for position, name in enumerate(batch.column("id").to_pylist())
        )
        yield b"\n".join(rows) + b"\n"


def _gzip(parts: Iterable[bytes]) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    packed = [packer.compress(part) for part in parts]
    return b"".join([*packed, packer.flush()])
