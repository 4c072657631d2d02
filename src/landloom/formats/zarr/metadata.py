"""The metadata documents and coordinates of a cubes array: its Zarr group without the shards.

Zarr specification version 3.1; the metadata of all arrays is repeated in the group's document, consolidated as by
zarr-python, so that one read opens everything. Coordinates are small: single chunks without compression.
"""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import google_crc32c
import numpy as np
import orjson

from landloom.errors import InvalidInputError
from landloom.formats.zarr.codecs import codec_document, read_codec
from landloom.formats.zarr.conventions import GRID_MAPPING, centres, crs_attributes, data_attributes
from landloom.formats.zarr.spec import CubeSpec
from landloom.model.time import parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


DIMENSIONS: Final = ("sample", "time", "band", "y", "x")
"""Dimensions of `data`, in order."""
_MARK: Final = "landloom:crc32c"
"""Attribute of the group with the checksum of its document."""
_COUNT: Final = struct.Struct("<I")


def cube_documents(spec: CubeSpec, *, shard: int, level: int) -> dict[str, bytes]:
    """Encode metadata and coordinates.

    Args:
        spec: description of the array.
        shard: samples in a shard.
        level: of compression.

    Returns:
        Key → bytes; the group's document comes last, so that its presence implies a complete array.
    """
    coordinates = _coordinates(spec)
    arrays = {name: _coordinate_metadata(*entry, checked=spec.checked) for name, entry in coordinates.items()}
    arrays["data"] = _data_metadata(spec, shard, level)
    end = with_checksum if spec.checked else bytes
    files = {f"{name}/{_chunk_key(dims)}": end(data) for name, (dims, _, _, data, _) in coordinates.items()}
    files |= {f"{name}/zarr.json": _json(arrays[name]) for name in sorted(arrays)}
    group: dict[str, Any] = {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": {
            "title": spec.title,
            "proj:code": f"EPSG:{spec.epsg}",
            "resolution": spec.resolution,
            "nodata": _number(spec.nodata),
        },
        "consolidated_metadata": {
            "kind": "inline",
            "must_understand": False,
            "metadata": {name: arrays[name] for name in sorted(arrays)},
        },
    }
    if spec.checked:
        group["attributes"][_MARK] = _document_checksum(group)
    return files | {"zarr.json": _json(group)}


def with_checksum(data: bytes) -> bytes:
    """A chunk as the codec `crc32c` writes it: its bytes and their checksum."""
    return data + int(google_crc32c.value(data)).to_bytes(4, "little")


def without_checksum(data: bytes, name: str) -> bytes:
    """A chunk without its checksum.

    Raises:
        InvalidInputError: its bytes do not have that checksum.

    Example:
        >>> without_checksum(with_checksum(b"chunk"), "a")
        b'chunk'
    """
    body = data[:-4]
    if int(google_crc32c.value(body)).to_bytes(4, "little") != data[-4:]:
        raise InvalidInputError(f"{name} is damaged: its bytes do not have their checksum")
    return body


def _document_checksum(group: Mapping[str, Any]) -> str:
    """CRC-32C of a group's document without this mark."""
    attributes = {name: value for name, value in group["attributes"].items() if name != _MARK}
    content = _json({**group, "attributes": attributes})
    return f"{int(google_crc32c.value(content)):08x}"


def read_cube_spec(get: Callable[[str], bytes], *, shard: int) -> CubeSpec:
    """Read metadata and coordinates.

    Args:
        get: key → bytes.
        shard: expected samples in a shard.

    Raises:
        InvalidInputError: the group is not one that `cube_documents` writes.
    """
    try:
        group = orjson.loads(get("zarr.json"))
        arrays = group["consolidated_metadata"]["metadata"]
        data, stated, checked = arrays["data"], group["attributes"], _is_checked(group)
        codec, level = read_codec(data["codecs"][0]["configuration"]["codecs"][1])

        def chunk(key: str) -> bytes:
            return without_checksum(get(key), key) if checked else get(key)

        texts = {name: _read_texts(chunk(f"{name}/c/0")) for name in ("sample", "timestep", "band")}
        stamps = np.frombuffer(chunk("time/c/0"), "<i8").tolist()
        west, north = (np.frombuffer(chunk(f"{name}/c/0"), "<f8").tolist() for name in ("west", "north"))
        shape = tuple(data["shape"])
        mask = np.frombuffer(chunk("observed/c/0/0"), bool).reshape(shape[:2]) if "observed" in arrays else None
        spec = CubeSpec(
            samples=texts["sample"],
            timesteps=texts["timestep"],
            times=tuple(datetime.fromtimestamp(stamp, UTC) for stamp in stamps),
            bands=texts["band"],
            corners=tuple(zip(west, north, strict=True)),
            height=shape[3],
            width=shape[4],
            dtype=data["data_type"],
            nodata=float("nan") if stated["nodata"] == "NaN" else stated["nodata"],
            epsg=int(stated["proj:code"].removeprefix("EPSG:")),
            resolution=stated["resolution"],
            observed=None if mask is None else tuple(tuple(row) for row in mask.tolist()),
            title=stated["title"],
            **_physical(data["attributes"]),
            checked=checked,
            codec=codec,
        )
        wanted = _data_metadata(spec, shard, level)
    except InvalidInputError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, struct.error) as error:
        raise InvalidInputError(f"got no cubes array: {type(error).__name__} {error}") from error
    if {**data, "attributes": None} != {**orjson.loads(_json(wanted)), "attributes": None}:
        raise InvalidInputError("got no cubes array: `data` is encoded in another way")
    return spec


def _physical(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Scale and unit; arrays of earlier versions state neither."""
    return {"scale": attributes.get("scale_factor"), "unit": attributes.get("units")}


def _is_checked(group: Mapping[str, Any]) -> bool:
    """Whether chunks carry checksums; then the document does, too.

    Raises:
        InvalidInputError: it does not have the one that it states.
    """
    codecs = group["consolidated_metadata"]["metadata"]["data"]["codecs"][0]["configuration"]["codecs"]
    stated = group["attributes"].get(_MARK)
    if len(codecs) < 3 and stated is None:
        return False
    if stated != _document_checksum(group):
        raise InvalidInputError("zarr.json is damaged: it does not have its checksum")
    return True


_Coordinate = tuple[tuple[str, ...], tuple[int, ...], str, bytes, dict[str, Any]]
"""Dimensions, shape, type, bytes of the single chunk, attributes."""


def _coordinates(spec: CubeSpec) -> dict[str, _Coordinate]:
    def along(dimension: str, length: int, kind: str, data: bytes, **attributes: Any) -> _Coordinate:
        return (dimension,), (length,), kind, data, attributes

    samples, steps = len(spec.samples), len(spec.timesteps)
    stamps = np.array([int(parse_instant(time).timestamp()) for time in spec.times], "<i8")
    corners = np.array(spec.corners, "<f8")
    coordinates = {
        "sample": along("sample", samples, "string", _texts(spec.samples), long_name="sample id"),
        "time": along(
            "time",
            steps,
            "int64",
            stamps.tobytes(),
            standard_name="time",
            units="seconds since 1970-01-01",
            calendar="proleptic_gregorian",
        ),
        "timestep": along("time", steps, "string", _texts(spec.timesteps), long_name="name of the timestep"),
        "band": along("band", len(spec.bands), "string", _texts(spec.bands), long_name="band"),
        "west": along("sample", samples, "float64", corners[:, 0].tobytes(), long_name="x of the west edge"),
        "north": along("sample", samples, "float64", corners[:, 1].tobytes(), long_name="y of the north edge"),
    }
    coordinates |= _places(spec)
    if spec.observed is not None:
        mask = np.array(spec.observed, bool).tobytes()
        what = {"long_name": "whether there is a chip"}
        coordinates["observed"] = (("sample", "time"), (samples, steps), "bool", mask, what)
    return coordinates


def _places(spec: CubeSpec) -> dict[str, _Coordinate]:
    """Pixel centres of each sample, and the CRS."""
    found: dict[str, _Coordinate] = {}
    for name, places in zip("xy", centres(spec), strict=True):
        what = {"standard_name": f"projection_{name}_coordinate", "units": "m", "long_name": f"{name} of pixel centres"}
        shape = places.shape
        found[name] = (("sample", name), shape, "float64", places.astype("<f8").tobytes(), what)
    crs = np.array(spec.epsg, "<i8").tobytes()
    found[GRID_MAPPING] = ((), (), "int64", crs, crs_attributes(spec.epsg))
    return found


def _chunk_key(dimensions: Sequence[str]) -> str:
    return "/".join(["c", *("0" for _ in dimensions)])


def _coordinate_metadata(
    dimensions: tuple[str, ...],
    shape: tuple[int, ...],
    kind: str,
    _: bytes,
    attributes: dict[str, Any],
    *,
    checked: bool,
) -> dict[str, Any]:
    plain = {"name": "vlen-utf8"} if kind == "string" else _bytes_codec(1 if kind == "bool" else 8)
    fill: Any = {"string": "", "bool": False}.get(kind, 0)
    codecs: list[dict[str, Any]] = [plain, {"name": "crc32c"}] if checked else [plain]
    return _metadata(shape, kind, shape, fill, codecs, dimensions, attributes)


def _data_metadata(spec: CubeSpec, shard: int, level: int) -> dict[str, Any]:
    inner = list(spec.shape[1:])
    sharding = {
        "name": "sharding_indexed",
        "configuration": {
            "chunk_shape": [1, *inner],
            "codecs": [
                _bytes_codec(np.dtype(spec.dtype).itemsize),
                codec_document(spec.codec, spec.dtype, level),
                *([{"name": "crc32c"}] if spec.checked else []),
            ],
            "index_codecs": [_bytes_codec(8), {"name": "crc32c"}],
            "index_location": "start",
        },
    }
    fill = _number(spec.fill if np.dtype(spec.dtype).kind == "f" else int(spec.fill))
    attributes = data_attributes(spec)
    return _metadata(spec.shape, spec.dtype, (shard, *inner), fill, [sharding], DIMENSIONS, attributes)


def _metadata(
    shape: Sequence[int],
    kind: str,
    chunk: Sequence[int],
    fill: Any,
    codecs: list[dict[str, Any]],
    dimensions: Sequence[str],
    attributes: dict[str, Any],
) -> dict[str, Any]:
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": kind,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": fill,
        "codecs": codecs,
        "attributes": attributes,
        "dimension_names": list(dimensions),
        "storage_transformers": [],
    }


def _number(value: float | None) -> float | str | None:
    """JSON has no NaN; Zarr writes it as text."""
    return "NaN" if value is not None and math.isnan(value) else value


def _bytes_codec(itemsize: int) -> dict[str, Any]:
    """The codec `bytes`; single bytes have no order."""
    return {"name": "bytes"} | ({"configuration": {"endian": "little"}} if itemsize > 1 else {})


def _texts(values: Sequence[str]) -> bytes:
    """The codec `vlen-utf8`: how many, then length and bytes of each."""
    encoded = [value.encode() for value in values]
    return b"".join([_COUNT.pack(len(encoded)), *(_COUNT.pack(len(text)) + text for text in encoded)])


def _read_texts(data: bytes) -> tuple[str, ...]:
    (count,) = _COUNT.unpack_from(data)
    position, texts = _COUNT.size, []
    for _ in range(count):
        (length,) = _COUNT.unpack_from(data, position)
        position += _COUNT.size + length
        texts.append(data[position - length : position].decode())
    return tuple(texts)


def _json(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
