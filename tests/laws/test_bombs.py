"""Law: a small file that unfolds to a huge one costs little; it is refused by a LandloomError, or read."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
import threading
import zipfile
import zlib
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.readers import Limited

pytestmark = pytest.mark.slow
MILLION: Final = 1_000_000


def _zip(members: Mapping[str, bytes], size: int | None = None) -> bytes:
    """A zip; `size` lies about the size of each member in the directory."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    data = out.getvalue()
    if size is None:
        return data
    place = data.index(b"PK\x01\x02")
    return data[: place + 24] + struct.pack("<I", size) + data[place + 28 :]


def _laughs(levels: int = 9) -> bytes:
    lines = ['<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">']
    lines += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, levels)]
    return "".join([*lines, f"]><x>&a{levels - 1};</x>"]).encode()


_SAFE: Final = "S2A_MSIL2A_20180601T100031_N0208_R122_T33UUP_20180601T120000.SAFE"
_MTD: Final = f"{_SAFE}/MTD_MSIL2A.xml"
_DEEP_XML: Final = b"<a>" * 200_000 + b"</a>" * 200_000

SAFES: Final[dict[str, Callable[[], bytes]]] = {
    "zip of 1 GB of zeros": lambda: _zip({_MTD: bytes(1000 * MILLION)}),
    "zip of 1 GB that says 10 bytes": lambda: _zip({_MTD: bytes(1000 * MILLION)}, 10),
    "zip of 1 GB of elements": lambda: _zip({_MTD: b"<a>" + b"<b/>" * (25 * MILLION) + b"</a>"}),
    "zip of a name that climbs": lambda: _zip({"../" + _MTD: b"<a/>", "../../etc/cron.d/x": b"x"}),
    "zip of an absolute name": lambda: _zip({"/" + _MTD: b"<a/>"}),
    "zip of entities": lambda: _zip({_MTD: _laughs()}),
    "zip of an outer entity": lambda: _zip({_MTD: b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'}),
    "zip of deep XML": lambda: _zip({_MTD: _DEEP_XML}),
    "zip of UTF-16 entities": lambda: _zip({_MTD: _laughs().decode().encode("utf-16")}),
    "zip of 10,000 products": lambda: _zip({f"{n}/{_MTD}": b"" for n in range(10_000)}),
    "zip of itself": lambda: _zip({"a.zip": _zip({"b.zip": _zip({_MTD: bytes(100 * MILLION)})})}),
}


@pytest.mark.parametrize("bomb", SAFES)
def test_a_product_that_unfolds_is_bounded(limited: Limited, tmp_path: Path, bomb: str) -> None:
    """Zip bombs and slips, entities and deep XML: the product is named, and nothing is written."""
    path = tmp_path / "folder" / "bomb.zip"
    path.parent.mkdir()
    path.write_bytes(SAFES[bomb]())
    (result,) = limited.read("safe", [path])
    assert result.fault is None
    assert [place.name for place in tmp_path.rglob("*")] == ["folder", "bomb.zip"]


def _aliases(levels: int, item: str = "[*a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}]") -> str:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} {item.format(n - 1)}" for n in range(1, levels)]
    return "\n".join(lines)


_MERGES: Final = "{{<<: [*a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}], k{0}: 1}}"

YAML: Final[dict[str, Callable[[], str]]] = {
    "aliases of aliases": partial(_aliases, 12),
    "long chains of aliases": partial(_aliases, 40),
    "merges of merges": lambda: _aliases(12, _MERGES).replace("a0: &a0 [x]", "a0: &a0 {x: 1}"),
    "an alias of itself": lambda: "name: &a [*a]",
    "aliases as keys": lambda: "a: &a [1, 2]\n? *a\n: 1",
    "ten thousand levels": lambda: "name: " + "[" * 10_000,
    "ten thousand levels, closed": lambda: "name: " + "[" * 10_000 + "]" * 10_000,
    "ten thousand levels of mappings": lambda: "name: " + "{a: " * 10_000 + "1" + "}" * 10_000,
    "a number of a million digits": lambda: "name: " + "9" * MILLION,
    "a number of base 60": lambda: "name: " + ":".join(["59"] * 10_000),
    "a float of a huge exponent": lambda: "version: 1.0e+999999999",
    "Python objects": lambda: "name: !!python/object/apply:os.system ['true']",
    "binary": lambda: "name: !!binary " + "A" * 100_001,
    "five thousand keys": lambda: "\n".join(f"k{n}: 1" for n in range(5_000)),
    "NUL": lambda: "name: \0",
    "a lone surrogate": lambda: 'name: "\\uD800"',
}


@pytest.mark.parametrize("reader", ["recipe", "classes"])
@pytest.mark.parametrize("bomb", YAML)
def test_a_recipe_that_unfolds_is_bounded(limited: Limited, tmp_path: Path, bomb: str, reader: str) -> None:
    """Aliases, merges, depth, numbers and tags: refused by name, whatever they would become."""
    path = tmp_path / "bomb.yaml"
    path.write_text(YAML[bomb](), encoding="utf-8")
    (result,) = limited.read(reader, [path])
    assert result.fault is None
    assert result.kind == "refused" or reader == "classes"
    assert "bomb.yaml" in result.text or result.kind == "answer"


_DEEP: Final = b"[" * 100_000 + b"]" * 100_000
_FEATURE: Final = '{"type": "Feature", "id": "a", "geometry": null, "properties": {"datetime": "2018-06-01T00:00:00Z"'

JSONS: Final[dict[str, Callable[[], bytes]]] = {
    "a thousand levels": lambda: b"[" * 1_001 + b"]" * 1_001,
    "a hundred thousand levels": lambda: _DEEP,
    "deep properties": f'{_FEATURE}, "x": {"[" * 900}{"]" * 900}}}, "assets": {{}}, "links": []}}'.encode,
    "a number of a million digits": (
        f'{_FEATURE}, "eo:cloud_cover": {"9" * MILLION}}}, "assets": {{}}, "links": []}}'.encode
    ),
    "a huge exponent": f'{_FEATURE}, "eo:cloud_cover": 1e999999999}}, "assets": {{}}, "links": []}}'.encode,
    "a million keys": lambda: json.dumps(
        {"type": "Catalog", "links": [], **{f"k{n}": n for n in range(MILLION)}}
    ).encode(),
    "links to itself": lambda: json.dumps(
        {"type": "Catalog", "id": "a", "links": [{"rel": "child", "href": "bomb.json"}] * 10_000}
    ).encode(),
    "a shape of a million rings": (
        _FEATURE.replace("null", '{"type": "Polygon", "coordinates": [' + ",".join(["[]"] * MILLION) + "]}")
        + '}, "assets": {}, "links": []}'
    ).encode,
    "a shape of a thousand levels": (
        _FEATURE.replace("null", '{"type": "GeometryCollection", "geometries": [' * 300 + "]}" * 300)
        + '}, "assets": {}, "links": []}'
    ).encode,
}


@pytest.mark.parametrize("reader", ["static", "filter"])
@pytest.mark.parametrize("bomb", JSONS)
def test_json_that_unfolds_is_bounded(limited: Limited, tmp_path: Path, bomb: str, reader: str) -> None:
    """Depth, numbers, loops."""
    path = tmp_path / "bomb.json"
    path.write_bytes(JSONS[bomb]())
    (result,) = limited.read(reader, [path])
    assert result.fault is None


def _sparse(path: Path, head: bytes, size: int) -> None:
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)


CSVS: Final[dict[str, Callable[[Path], object]]] = {
    "ten million columns": lambda path: path.write_bytes(b"id," + b"a," * (10 * MILLION) + b"z\n1\n"),
    "ten million columns in a row": lambda path: path.write_bytes(
        b"use,time,id,value,code,continent\n" + b"1," * (10 * MILLION)
    ),
    "one line of 500 MB": lambda path: _sparse(path, b"use,time,id,value,code,continent\nyes,", 500 * MILLION),
    "a quote that never ends": lambda path: path.write_bytes(
        b'use,time,id,value,code,continent\n"' + b"a\n" * (50 * MILLION)
    ),
    "ten million empty lines": lambda path: path.write_bytes(
        b"use,time,id,value,code,continent\n" + b"\n" * (10 * MILLION)
    ),
    "nothing but NUL": lambda path: path.write_bytes(bytes(1000)),
}


@pytest.mark.parametrize("reader", ["choice", "classes", "granule table", "continents"])
@pytest.mark.parametrize("bomb", CSVS)
def test_a_table_of_text_that_is_no_table_is_bounded(limited: Limited, tmp_path: Path, bomb: str, reader: str) -> None:
    """Columns, lines and quotes without end."""
    path = tmp_path / "bomb.csv"
    CSVS[bomb](path)
    (result,) = limited.read(reader, [path])
    assert result.fault is None
    path.unlink()


class _Bomb(BaseHTTPRequestHandler):
    """Answers every request by one body, as long as the client reads it."""

    pieces: Callable[[], Iterator[bytes]]
    headers_sent: Mapping[str, str]

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        for name, value in self.headers_sent.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for piece in type(self).pieces():
                self.wfile.write(piece)
        except OSError:
            pass  # the client has read enough

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def bombing() -> Iterator[Callable[..., str]]:
    """Starts servers that answer by a body in pieces, with headers."""
    servers: list[ThreadingHTTPServer] = []

    def start(pieces: Callable[[], Iterator[bytes]], **headers: str) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        handler = type("Bomb", (_Bomb,), {"pieces": staticmethod(pieces), "headers_sent": named})
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_address[1]}/a"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _gzipped(size: int, layers: int = 1) -> Iterator[bytes]:
    """Zeros, gzip by piece, or gzip of gzip."""
    pieces: Iterator[bytes] = (bytes(2**24) for _ in range(size // 2**24))
    for _ in range(layers):
        pieces = _zipped(pieces)
    yield from pieces


def _zipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    encoder = zlib.compressobj(1, zlib.DEFLATED, 31)
    for piece in pieces:
        yield encoder.compress(piece)
    yield encoder.flush()


def test_a_body_that_unfolds_is_cut(limited: Limited, tmp_path: Path, bombing: Callable[..., str]) -> None:
    """2 GB of zeros in 9 MB are not held: the client stops at half a gigabyte, and says so."""
    path = tmp_path / "address"
    path.write_text(bombing(lambda: _gzipped(2**31), Content_Encoding="gzip"))
    (result,) = limited.read("web", [path])
    assert result.fault is None
    assert (result.kind, "more than 536,870,912 bytes" in result.text) == ("refused", True)


@pytest.mark.parametrize("layers", [2, 3])
def test_a_body_packed_twice_is_cut(limited: Limited, tmp_path: Path, bombing: Callable[..., str], layers: int) -> None:
    """Gzip of gzip: a piece of a few bytes may unfold to gigabytes at once."""
    path = tmp_path / "address"
    body = b"".join(_gzipped(2**31, layers))
    path.write_text(bombing(lambda: iter([body]), Content_Encoding=", ".join(["gzip"] * layers)))
    (result,) = limited.read("web", [path])
    assert result.fault is None
    assert result.kind == "refused"


@pytest.mark.parametrize("bomb", ["a hundred thousand levels", "a number of a million digits", "a thousand levels"])
def test_a_search_that_unfolds_is_refused(
    limited: Limited, tmp_path: Path, bombing: Callable[..., str], bomb: str
) -> None:
    """Answers of a service: depth and numbers."""
    path = tmp_path / "address"
    path.write_text(bombing(lambda: iter([JSONS[bomb]()]), Content_Type="application/json"))
    (result,) = limited.read("odata", [path])
    assert result.fault is None
    assert result.kind == "refused"


class _Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("run",)


def _npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def _schema(kind: str, module: str, **others: Any) -> bytes:
    document = {"__class__": kind, "__module__": module, "__loader__": "ObjectNode", "protocol": 2, **others}
    return json.dumps({**document, "_skops_version": "0.11"}).encode()


def _nested(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": []}
    for _ in range(depth):
        node = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": [node]}
    return node


_ARRAY: Final = {
    "__class__": "ndarray",
    "__module__": "numpy",
    "__loader__": "NdArrayNode",
    "type": "numpy",
    "file": "a.npy",
}

MODELS: Final[dict[str, Callable[[], bytes]]] = {
    "a pickle": lambda: pickle.dumps(_Harmful()),
    "a type that is not known": lambda: _zip({"schema.json": _schema("Popen", "subprocess", __id__=1, content=None)}),
    "a function": lambda: _zip({"schema.json": _schema("system", "os", __id__=1)}),
    "a loader that is not known": lambda: _zip(
        {"schema.json": b'{"__class__": "a", "__module__": "b", "__loader__": "No"}'}
    ),
    "no schema": lambda: _zip({"a": b"b"}),
    "a schema of 1 GB": lambda: _zip({"schema.json": bytes(1000 * MILLION)}),
    "a deep schema": lambda: _zip({"schema.json": json.dumps({**_nested(150), "protocol": 2}).encode()}),
    "a very deep schema": lambda: _zip({"schema.json": b'{"content":[' * 50_000}),
    "a list": lambda: _zip({"schema.json": b"[1]"}),
    "an array of objects": lambda: _zip(
        {
            "schema.json": json.dumps({**_ARRAY, "protocol": 2}).encode(),
            "a.npy": _npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", pickle.dumps([_Harmful()])),
        }
    ),
    "an array of 10^12": lambda: _zip(
        {
            "schema.json": json.dumps({**_ARRAY, "protocol": 2}).encode(),
            "a.npy": _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"),
        }
    ),
    "an array of 3 GB of zeros": lambda: _zip(
        {
            "schema.json": json.dumps({**_ARRAY, "protocol": 2}).encode(),
            "a.npy": _npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3000000000,), }", bytes(1000 * MILLION)),
        }
    ),
}


@pytest.mark.parametrize("bomb", MODELS)
def test_a_model_that_is_none_is_refused(limited: Limited, tmp_path: Path, bomb: str) -> None:
    """Nothing in a model file runs code, and none of its parts is larger than a model's."""
    path = tmp_path / "bomb.skops"
    path.write_bytes(MODELS[bomb]())
    (result,) = limited.read("model", [path])
    assert result.fault is None
    assert result.kind == "refused"


RESOURCES: Final[dict[str, tuple[bytes, bytes]]] = {
    "outlines of one endless feature": (b'{"type": "FeatureCollection", "features": [{"id": "', b"a" * 2**24),
    "outlines of endless space": (b'{"type": "FeatureCollection", "features": [', b" " * 2**24),
    "no features at all": (b'{"type": "FeatureCollection", "a": "', b"a" * 2**24),
}


@pytest.mark.parametrize("bomb", RESOURCES)
def test_published_files_that_unfold_are_bounded(limited: Limited, tmp_path: Path, bomb: str) -> None:
    """A gzip of a megabyte holds a gigabyte."""
    head, rest = RESOURCES[bomb]
    with gzip.open(tmp_path / "x_geometries.geojson.gz", "wb", compresslevel=1) as file:
        file.write(head)
        for _ in range(72):
            file.write(rest)
    with gzip.open(tmp_path / "x_labels.csv.gz", "wb") as file:
        file.write(b"sample_id,clc_111\n")
    (tmp_path / "x_label_mappings.csv").write_text("index,name\nclc_111,a\n")
    (result,) = limited.read("resources", [tmp_path])
    assert result.fault is None
    assert result.kind == "refused"
