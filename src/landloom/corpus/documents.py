"""Documents of a corpus, as bytes: `corpus.json`, and the label of a sample. STAC is in `landloom.corpus.stac`.

Nothing here reads a clock, a host or a path, so that the same corpus gives the same bytes anywhere.
"""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from landloom.corpus.citation import bibtex, citation, doi
from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.corpus.layout import StacNames
from landloom.errors import InvalidDocumentError, LandloomError, Problem
from landloom.model.address import public, without_secrets
from landloom.model.apportion import MILLION
from landloom.model.crosswalk import Crosswalk, CrosswalkRow
from landloom.model.product import Product
from landloom.model.recipe import Publication, Terms
from landloom.model.rendering.values import parse_rendering
from landloom.model.sensor import Band
from landloom.model.taxonomy import LandClass, Taxonomy
from landloom.model.time import Period, Timestep, format_instant, parse_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PRETTY: Final = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
"""How documents that people read are written."""
_WORDS: Final = frozenset({"publication", "terms", "title", "description"})
"""Keys of a recipe whose values are words of people."""
_ABSOLUTE: Final = re.compile(r"[/~\\]|[A-Za-z]:[/\\]")
FORMAT: Final = 1
"""Format version of corpus.json; readers refuse a newer one."""


def corpus_json(info: CorpusInfo) -> bytes:
    """`corpus.json`: name, version, recipe, products with their terms, taxonomies, citation, software.

    Args:
        info: the corpus.
    """
    taxonomies = {item.taxonomy.name: item.taxonomy for item in info.products if item.taxonomy is not None}
    document = {
        "format": FORMAT,
        "name": info.name,
        "version": info.version,
        "scheme": info.scheme,
        "layouts": list(info.layouts),
        "software": info.software,
        "publication": info.publication.model_dump(mode="json"),
        "citation": {"text": citation(info), "bibtex": bibtex(info), "doi": doi(info)},
        "products": [_product_document(item) for item in info.products],
        "taxonomies": [_taxonomy_document(taxonomies[name]) for name in sorted(taxonomies)],
        "crosswalks": [_crosswalk_document(walk) for walk in info.crosswalks],
        "stac_names": asdict(info.layout.patterns),
        "recipe": published_recipe(info.recipe),
    }
    if info.class_mappings:
        document["class_mappings"] = {key: [dict(row) for row in rows] for key, rows in info.class_mappings.items()}
    return orjson.dumps(document, option=PRETTY)


def published_recipe(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe as it is published: without secrets of addresses, and of paths of this machine their last part alone.

    Example:
        >>> published_recipe({"archive": {"href": "https://u:p@example.org/c.json?sig=1"}, "file": "/home/me/clc.gpkg"})
        {'archive': {'href': 'https://example.org/c.json'}, 'file': 'clc.gpkg'}
    """
    return {key: _published(value, words=key in _WORDS) for key, value in recipe.items()}


def _published(value: Any, *, words: bool) -> Any:
    """A value of a recipe; where it is words of people, a slash at its head makes no path."""
    if isinstance(value, dict):
        return {key: _published(item, words=words or key in _WORDS) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_published(item, words=words) for item in value]
    if not isinstance(value, str):
        return value
    if not words and (value.startswith("file:") or _ABSOLUTE.match(value)):
        return re.split(r"[/\\]", public(value).rstrip("/\\"))[-1]
    return without_secrets(value)


def parse_corpus_json(content: bytes) -> CorpusInfo:
    """Read `corpus.json` back: `corpus_json(parse_corpus_json(x)) == x`.

    Raises:
        InvalidDocumentError: not JSON, a newer format, or missing or invalid fields.
    """
    try:
        document = orjson.loads(content)
        if document["format"] != FORMAT:
            raise InvalidDocumentError(
                "corpus.json", [Problem(where="format", what=f"got {document['format']}, expected {FORMAT}")]
            )
        return _corpus(document)
    except KeyError as error:
        problem = Problem(where=str(error.args[0]), what="missing, expected a value")
    except (LandloomError, ValueError, TypeError) as error:
        if isinstance(error, InvalidDocumentError):
            raise
        problem = Problem(where="", what=str(error))
    raise InvalidDocumentError("corpus.json", [problem])


def label_geojson(sample: object, shape: Mapping[str, Any], columns: Sequence[str], millionths: Sequence[int]) -> bytes:
    r"""The label of a sample: one GeoJSON Feature, area shares as properties.

    Args:
        sample: its id.
        shape: GeoJSON geometry of its outline, longitude latitude.
        columns: names of the properties: `clc_111`, …
        millionths: integer millionths, one per column; they sum to 1,000,000.

    Example:
        >>> text = label_geojson("a_1", {"type": "Point"}, ["clc_111", "clc_999"], [250_000, 750_000])
        >>> text[-66:]
        b'},"properties":{"sample_id":"a_1","clc_111":0.25,"clc_999":0.75}}\n'
    """
    document = {
        "type": "Feature",
        "id": str(sample),
        "geometry": dict(shape),
        "properties": {
            "sample_id": str(sample),
            **{name: int(value) / MILLION for name, value in zip(columns, millionths, strict=True)},
        },
    }
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def parse_label_geojson(content: bytes) -> tuple[str, dict[str, int]]:
    """Parse a label.

    Returns:
        The sample's id, and column → integer millionths.

    Raises:
        InvalidDocumentError: it is not a label Feature.

    Example:
        >>> parse_label_geojson(label_geojson("a_1", {"type": "Point"}, ["clc_111"], [1_000_000]))
        ('a_1', {'clc_111': 1000000})
    """
    try:
        document = orjson.loads(content)
        properties = dict(document["properties"])
        return str(properties.pop("sample_id")), {name: round(value * MILLION) for name, value in properties.items()}
    except (KeyError, TypeError, ValueError) as error:
        problem = Problem(where="", what=f"is not a label Feature: {error!r}")
        raise InvalidDocumentError("label", [problem]) from error


def _product_document(item: ProductInfo) -> dict[str, Any]:
    row: dict[str, Any] = asdict(replace(item.product, bands=()))
    row["bands"] = [_band_document(band) for band in item.product.bands]
    period = item.stated_period
    if item.validity:
        row["validity"] = list(item.validity)
    return row | {
        "acquired": item.acquired,
        "label_version": item.label_version,
        "taxonomy": None if item.taxonomy is None else item.taxonomy.name,
        "period": None if period is None else [format_instant(period.start), format_instant(period.end)],
        "timesteps": [
            {
                "name": step.name,
                "stamp": format_instant(step.stamp),
                "start": format_instant(step.period.start),
                "end": format_instant(step.period.end),
            }
            for step in item.timesteps
        ],
        "terms": item.terms.model_dump(mode="json"),
    }


def _band_document(band: Band) -> dict[str, Any]:
    row = asdict(replace(band, rendering=None))
    for optional in [name for name in ("unit", "rendering") if row[name] is None]:
        del row[optional]
    return row if band.rendering is None else row | {"rendering": band.rendering.document()}


def _classes(classes: Sequence[LandClass]) -> list[dict[str, Any]]:
    return [{"code": item.code, "name": item.name, "parents": list(item.parents)} for item in classes]


def _taxonomy_document(taxonomy: Taxonomy) -> dict[str, Any]:
    return {
        "name": taxonomy.name,
        "prefix": taxonomy.prefix,
        "nodata": taxonomy.nodata,
        "groups": _classes(taxonomy.groups),
        "classes": _classes(taxonomy.classes),
        "grid_codes": {str(number): code for number, code in taxonomy.grid_codes.items()},
    }


def _crosswalk_document(walk: Crosswalk) -> dict[str, Any]:
    return {
        "source": _taxonomy_document(walk.source),
        "target": _taxonomy_document(walk.target),
        "rows": [{"source": row.source, "target": row.target, "reason": row.reason} for row in walk.rows],
    }


def _corpus(document: Mapping[str, Any]) -> CorpusInfo:
    taxonomies = {row["name"]: _taxonomy(row) for row in document["taxonomies"]}
    return CorpusInfo(
        name=document["name"],
        version=document["version"],
        scheme=document["scheme"],
        publication=Publication.model_validate(document["publication"]),
        products=tuple(_product(row, taxonomies) for row in document["products"]),
        recipe=document["recipe"],
        class_mappings=document.get("class_mappings", {}),
        crosswalks=tuple(
            Crosswalk(
                source=_taxonomy(row["source"]),
                target=_taxonomy(row["target"]),
                rows=tuple(CrosswalkRow(**entry) for entry in row["rows"]),
            )
            for row in document["crosswalks"]
        ),
        layouts=tuple(document["layouts"]),
        names=StacNames(**document["stac_names"]),
        software=document["software"],
    )


def _product(row: Mapping[str, Any], taxonomies: Mapping[str, Taxonomy]) -> ProductInfo:
    product = {name: row[name] for name in Product.__dataclass_fields__ if name in row}
    product["bands"] = tuple(
        Band(**band | ({"rendering": parse_rendering(band["rendering"])} if "rendering" in band else {}))
        for band in row["bands"]
    )
    return ProductInfo(
        product=Product(**product),
        terms=Terms.model_validate(row["terms"]),
        timesteps=tuple(
            Timestep(parse_instant(step["stamp"]), step["name"], Period.parse(step["start"], step["end"]))
            for step in row["timesteps"]
        ),
        acquired=row["acquired"],
        label_version=row["label_version"],
        taxonomy=None if row["taxonomy"] is None else taxonomies[row["taxonomy"]],
        stated_period=None if row["period"] is None else Period.parse(*row["period"]),
        validity=tuple(row.get("validity", ())),
    )


def _taxonomy(row: Mapping[str, Any]) -> Taxonomy:
    def classes(entries: Sequence[Mapping[str, Any]]) -> tuple[LandClass, ...]:
        return tuple(
            LandClass(code=entry["code"], name=entry["name"], parents=tuple(entry["parents"])) for entry in entries
        )

    return Taxonomy(
        name=row["name"],
        prefix=row["prefix"],
        classes=classes(row["classes"]),
        groups=classes(row["groups"]),
        nodata=row["nodata"],
        grid_codes={int(number): code for number, code in row["grid_codes"].items()},
    )
