"""Our schemas of extensions judge documents as the extensions' own do, right ones and wrong ones."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landloom.corpus.audit.extension_schemas import extension_schemas
from landloom.corpus.audit.schemas import Schemas

if TYPE_CHECKING:
    from pathlib import Path

BAND: Final = {
    "data_type": "uint16", "nodata": 0, "scale": 0.0001, "unit": "1", "sampling": "area", "statistics": {"mean": 1},
    "histogram": {"count": 3, "min": 0, "max": 9, "buckets": [1, 2, 3]},
    "classification:classes": [{"value": 1, "name": "water", "description": "Water", "color_hint": "1f5fbf"}],
}  # fmt: skip
ASSET: Final = {
    "href": "a.tif",
    "eo:bands": [{"name": "B04", "common_name": "red", "center_wavelength": 0.665, "description": "red"}],
    "raster:bands": [BAND],
    "classification:bitfields": [
        {"offset": 0, "length": 1, "classes": [{"value": 0, "description": "no"}], "roles": ["data"], "name": "cloud"}
    ],
    "proj:shape": [60, 60],
    "proj:transform": [10, 0, 3, 0, -10, 4],
    "proj:bbox": [1, 2, 3, 4],
    "file:size": 3,
    "file:checksum": "1220ab",
    "file:local_path": "a/b.tif",
    "file:values": [{"values": [0], "summary": "nothing"}],
}
FIELDS: Final = {
    "eo:cloud_cover": 10,
    "proj:code": "EPSG:32633",
    "proj:centroid": {"lat": 1, "lon": 2},
    "proj:geometry": {"type": "Point", "coordinates": [1, 2]},
    "label:properties": ["class"],
    "label:description": "land cover",
    "label:type": "vector",
    "label:classes": [{"name": "class", "classes": ["a", "b"]}],
    "label:overviews": [{"property_key": "class", "counts": [{"name": "a", "count": 3}]}],
    "sci:doi": "10.1000/xyz",
    "sci:citation": "me",
    "sci:publications": [{"doi": "10.1000/abc", "citation": "you"}],
}
LINKS: Final = [{"rel": "source", "href": "b.json", "label:assets": ["a"], "file:size": 4}]
DOCUMENTS: Final = (
    {"type": "Feature", "properties": FIELDS, "assets": {"a": ASSET}, "links": LINKS},
    {"type": "Collection", "assets": {"a": ASSET}, "item_assets": {"b": ASSET}, "links": LINKS, "sci:doi": "10.1000/x"},
    {"type": "Collection", "summaries": {"sci:doi": ["10.1000/x"]}, "item_assets": {"b": {"sci:citation": "me"}}},
    {"type": "Catalog", "links": LINKS},
)
OTHER: Final = st.sampled_from(
    (
        None,
        True,
        -1,
        0,
        3.5,
        1000,
        "",
        "x",
        "raster",
        "vector",
        "nan",
        [],
        ["x"],
        [1, 2, 3, 4],
        {},
        {"x": 1},
        {"name": None},
    )
)
KEYS: Final = st.sampled_from(
    ("eo:x", "proj:x", "label:x", "sci:x", "file:x", "raster:x", "proj:epsg", "eo:bands", "x")
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of everything within a document, but not of what says its type and extensions."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    found = [(*path, key) for key in keys if (*path, key) not in {("type",), ("stac_extensions",)}]
    return found + [deeper for one in found for deeper in places(value[one[-1]], one)]


def changed(document: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """The document with something replaced, taken out or added."""
    result = copy.deepcopy(document)
    found = places(result)
    if not found:
        return result
    path = data.draw(st.sampled_from(found))
    holder: Any = result
    for key in path[:-1]:
        holder = holder[key]
    what = data.draw(st.sampled_from(("replaced", "gone", "added")))
    if what == "gone":
        del holder[path[-1]]
    elif what == "added" and isinstance(holder, dict):
        holder[data.draw(KEYS)] = data.draw(OTHER)
    else:
        holder[path[-1]] = data.draw(OTHER)
    return result


@pytest.mark.parametrize("address", sorted(extension_schemas()), ids=lambda address: "-".join(address.split("/")[3:5]))
@given(data=st.data())
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_documents_are_judged_as_by_the_original(address: str, shared_schemas: Path, data: st.DataObject) -> None:
    ours, original = _validators(shared_schemas, address)
    document = {**copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS))), "stac_extensions": [address]}
    for _ in range(data.draw(st.integers(0, 2))):
        document = changed(document, data)
    assert ours.is_valid(document) == original.is_valid(document)


_MADE: dict[str, Any] = {}


def _validators(folder: Path, address: str) -> tuple[Any, Any]:
    if not _MADE:
        _MADE["ours"], _MADE["original"] = Schemas(), Schemas(folder)
    return _MADE["ours"].of(address), _MADE["original"].of(address)
