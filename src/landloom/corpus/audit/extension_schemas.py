"""The rules of the STAC extensions that our documents use, as JSON schemas written from their specifications.

The extensions' own schemas are nowhere to be had without a network. These demand the same of a document; only the
contents of `proj:projjson`, which we never write, are not looked into. Sources: the READMEs of the extensions
classification 1.1.0, eo 1.1.0, file 2.1.0, label 1.0.1, projection 1.2.0 and 2.0.0, raster 1.1.0 and scientific 1.0.0
(stac-extensions on GitHub).
"""

from __future__ import annotations

from typing import Any, Final

Rule = Any
"""A JSON schema: an object, or True or False."""

TEXT: Final[Rule] = {"type": "string"}
SAID: Final[Rule] = {"type": "string", "minLength": 1}
NUMBER: Final[Rule] = {"type": "number"}
COUNT: Final[Rule] = {"type": "integer", "minimum": 0}
PERCENT: Final[Rule] = {"type": "number", "minimum": 0, "maximum": 100}
DOI: Final[Rule] = {"type": "string", "pattern": r"^10\.[0-9a-zA-Z]{4,}/[^\s]+$"}
_ADDRESS: Final = "https://stac-extensions.github.io/{}/v{}/schema.json"
_PART: Final = r"""[^\r\n\t\\:'"/]+"""
"""Part of a relative path."""
_COLOURS: Final = (
    *("coastal", "blue", "green", "red", "rededge", "yellow", "pan", "nir", "nir08", "nir09", "cirrus"),
    *("swir16", "swir22", "lwir", "lwir11", "lwir12"),
)
_NUMBERS: Final = (
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    *("float16", "float32", "float64", "cint16", "cint32", "cfloat32", "cfloat64", "other"),
)


def _list(of: Rule, **more: Any) -> Rule:
    return {"type": "array", "items": of, **more}


def _object(fields: dict[str, Rule] | None = None, **more: Any) -> Rule:
    return {"type": "object", "properties": fields or {}, **more}


def _map(of: Rule) -> Rule:
    return {"type": "object", "additionalProperties": of}


def _only(prefix: str, fields: dict[str, Rule], **more: Any) -> Rule:
    """An object whose keys of this prefix are among the fields."""
    known = {"anyOf": [{"enum": sorted(fields)}, {"not": {"pattern": f"^{prefix}:"}}]}
    return _object(fields, propertyNames=known, **more)


def _sizes(*lengths: int) -> list[Rule]:
    return [{"minItems": length, "maxItems": length} for length in lengths]


def _extension(name: str, version: str, kinds: dict[str, Rule]) -> dict[str, Rule]:
    """Address → schema of an extension: what it demands of each type of document; other types are refused.

    Args:
        name: of the extension.
        version: of it.
        kinds: type of a document → rule.
    """
    address = _ADDRESS.format(name, version)
    listed = _object(
        {"stac_extensions": {"type": "array", "contains": {"const": address}}}, required=["stac_extensions"]
    )
    typed = [
        {"if": _object({"type": {"const": kind}}, required=["type"]), "then": rule} for kind, rule in kinds.items()
    ]
    kind = _object({"type": {"enum": sorted(kinds)}}, required=["type"])
    return {address: {"allOf": [kind, listed, *typed]}}


def _collection(assets: Rule) -> Rule:
    return _object({"assets": _map(assets), "item_assets": _map(assets)})


def _item(properties: Rule, assets: Rule, **more: Rule) -> Rule:
    return _object({"properties": properties, "assets": _map(assets), **more}, required=["assets", "properties", *more])


def _classification() -> dict[str, Rule]:
    colour = {"type": "string", "pattern": "^([0-9A-Fa-f]{6})$"}
    named = {"value": {"type": "integer"}, "description": TEXT, "name": TEXT, "color_hint": colour}
    classes = _list(_object(named, required=["value", "description"]), minItems=1, uniqueItems=True)
    field = {
        "offset": COUNT,
        "length": {"type": "integer", "minimum": 1},
        "classes": classes,
        "roles": _list(TEXT, minItems=1, uniqueItems=True),
        "description": TEXT,
        "name": TEXT,
    }
    bits = _list(_object(field, required=["offset", "length", "classes"]), minItems=1, uniqueItems=True)
    fields = _only("classification", {"classification:classes": classes, "classification:bitfields": bits})
    assets = {"allOf": [fields, _object({"raster:bands": _list(fields)})]}
    collection = _collection(assets)
    collection["properties"]["summaries"] = fields
    return _extension("classification", "1.1.0", {"Feature": _item(fields, assets), "Collection": collection})


def _eo() -> dict[str, Rule]:
    band = _object(
        {
            "name": TEXT,
            "common_name": {"type": "string", "enum": list(_COLOURS)},
            "description": SAID,
            "center_wavelength": NUMBER,
            "full_width_half_max": NUMBER,
            "solar_illumination": {"type": "number", "minimum": 0},
        },
        minProperties=1,
    )
    cover = {"eo:cloud_cover": PERCENT, "eo:snow_cover": PERCENT}
    fields = _only("eo", {**cover, "eo:bands": _list(band, minItems=1)})
    in_assets = _object({"assets": {"type": "object", "additionalProperties": _object({"eo:bands": False})}})
    item = _item(fields, fields)
    # Bands may stand in the properties only beside bands of assets.
    item |= {"if": in_assets, "then": _object({"properties": _object({"eo:bands": False})})}
    return _extension("eo", "1.1.0", {"Feature": item, "Collection": _collection(fields)})


def _file() -> dict[str, Rule]:
    value = _object({"values": {"type": "array", "minItems": 1}, "summary": SAID}, required=["values", "summary"])
    fields = _only(
        "file",
        {
            "file:byte_order": {"enum": ["big-endian", "little-endian"]},
            "file:checksum": {"type": "string", "pattern": "^[a-f0-9]+$"},
            "file:header_size": COUNT,
            "file:size": COUNT,
            "file:values": _list(value, minItems=1),
            "file:local_path": {"type": "string", "pattern": f"^{_PART}(/{_PART})*/?$"},
        },
    )
    links = {"links": _list(fields)}
    item = _object({"assets": _map(fields), **links}, required=["assets"])
    collection = _object({**_collection(fields)["properties"], **links})
    return _extension("file", "2.1.0", {"Feature": item, "Catalog": _object(links), "Collection": collection})


def _label() -> dict[str, Rule]:
    names = {"oneOf": [_list(TEXT), _list(NUMBER)]}
    classes = _object({"name": {}, "classes": names}, required=["name", "classes"])
    count = _list(_object({"name": TEXT, "count": {"type": "integer"}}))
    statistic = _list(_object({"name": TEXT, "value": NUMBER}))
    overview = _object({"property_key": TEXT, "counts": count, "statistics": statistic})
    fields = _only(
        "label",
        {
            "label:properties": {"anyOf": [_list(TEXT, minItems=1), {"type": "null"}]},
            "label:classes": _list(classes),
            "label:description": SAID,
            "label:type": {"type": "string", "enum": ["raster", "vector"]},
            "label:tasks": _list(TEXT),
            "label:methods": _list(TEXT),
            "label:overviews": _list(overview),
        },
    )
    # The classes of rasters have no name, those of vectors that of an attribute; without a type they count as rasters.
    fields["if"] = {"properties": {"label:type": {"const": "raster"}}}
    for branch, name in (("then", {"type": "null"}), ("else", SAID)):
        fields[branch] = _object({"label:classes": {"items": _object({"name": name})}})
    needed = {**fields, "required": ["label:properties", "label:description", "label:type"]}
    links = _list(_only("label", {"label:assets": _list(TEXT)}))
    kinds = {"Feature": _item(needed, fields, links=links), "Collection": _collection(fields)}
    return _extension("label", "1.0.1", kinds)


def _projection(version: str, more: dict[str, Rule]) -> dict[str, Rule]:
    place = {"lat": {**NUMBER, "minimum": -90, "maximum": 90}, "lon": {**NUMBER, "minimum": -180, "maximum": 180}}
    fields = _only(
        "proj",
        {
            "proj:code": {"type": ["string", "null"]},
            "proj:wkt2": {"type": ["string", "null"]},
            "proj:projjson": {"type": ["object", "null"]},
            "proj:geometry": {"$ref": "https://geojson.org/schema/Geometry.json"},
            "proj:bbox": _list(NUMBER, anyOf=_sizes(4, 6)),
            "proj:centroid": _object(place, required=["lat", "lon"]),
            "proj:shape": _list({"type": "integer"}, minItems=2, maxItems=2),
            "proj:transform": _list(NUMBER, anyOf=_sizes(6, 9)),
            **more,
        },
    )
    kinds = {"Feature": _item(fields, fields), "Collection": _collection(fields)}
    return _extension("projection", version, kinds)


def _raster() -> dict[str, Rule]:
    statistics = dict.fromkeys(("mean", "minimum", "maximum", "stddev", "valid_percent"), NUMBER)
    buckets = _list({"type": "integer"}, minItems=3)
    histogram = {"count": NUMBER, "min": NUMBER, "max": NUMBER, "buckets": buckets}
    band = _object(
        {
            "data_type": {"type": "string", "enum": list(_NUMBERS)},
            "unit": TEXT,
            "bits_per_sample": {"type": "integer"},
            "sampling": {"enum": ["area", "point"]},
            "nodata": {"anyOf": [NUMBER, {"enum": ["nan", "inf", "-inf"]}]},
            "scale": NUMBER,
            "offset": NUMBER,
            "spatial_resolution": NUMBER,
            "statistics": _object(statistics, minProperties=1, additionalProperties=False),
            "histogram": _object(histogram, required=sorted(histogram), additionalProperties=False),
        },
        minProperties=1,
    )
    fields = _only("raster", {"raster:bands": _list(band, minItems=1)})
    item = _object({"assets": _map(fields)}, required=["assets"])
    return _extension("raster", "1.1.0", {"Feature": item, "Collection": _collection(fields)})


def _scientific() -> dict[str, Rule]:
    publication = _object({"doi": DOI, "citation": TEXT})
    named = {"sci:doi": DOI, "sci:citation": TEXT, "sci:publications": _list(publication)}
    fields = _only("sci", named)
    some = {"anyOf": [{"required": [name]} for name in named]}
    told = {"allOf": [fields, some]}
    one_of_them = {"type": "object", "not": {"additionalProperties": {"not": told}}}
    places: list[Rule] = [_object({name: one_of_them}, required=[name]) for name in ("assets", "item_assets")]
    summed = _object({"summaries": some}, required=["summaries"])
    collection = {"anyOf": [told, *places, summed]}
    return _extension("scientific", "1.0.0", {"Feature": _item(told, fields), "Collection": collection})


def extension_schemas() -> dict[str, Rule]:
    """Address in documents → schema.

    Example:
        >>> sorted(address.split("/")[3] for address in extension_schemas())
        ['classification', 'eo', 'file', 'label', 'projection', 'projection', 'raster', 'scientific']
    """
    older: dict[str, Rule] = {"proj:epsg": {"type": ["integer", "null"]}}
    return {
        **_classification(),
        **_eo(),
        **_file(),
        **_label(),
        **_projection("1.2.0", older),
        **_projection("2.0.0", {}),
        **_raster(),
        **_scientific(),
    }
