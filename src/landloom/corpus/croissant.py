"""The machine-readable card: `croissant.json`, Croissant 1.1 with GeoCroissant 1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from landloom.corpus.citation import bibtex
from landloom.corpus.documents import PRETTY
from landloom.corpus.layout import INDEX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.corpus.card import Numbers
    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.corpus.manifest import FileEntry

CONFORMS: Final = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/geo/1.0"]
"""Specifications that the document follows."""
CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{
        name: f"cr:{name}"
        for name in (
            "arrayShape",
            "citeAs",
            "column",
            "containedIn",
            "equivalentProperty",
            "extract",
            "field",
            "fileObject",
            "fileProperty",
            "fileSet",
            "format",
            "includes",
            "isArray",
            "isLiveDataset",
            "jsonPath",
            "key",
            "md5",
            "parentField",
            "path",
            "recordSet",
            "references",
            "regex",
            "repeated",
            "replace",
            "samplingRate",
            "separator",
            "source",
            "subField",
            "transform",
        )
    },
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "geocr": "http://mlcommons.org/croissant/geo/",
    "name": {"@container": "@language"},
    "sc": "https://schema.org/",
}
"""The JSON-LD context of Croissant, with `geocr`."""


def croissant(info: CorpusInfo, numbers: Numbers, files: Mapping[str, FileEntry], base_url: str | None = None) -> bytes:
    """`croissant.json`.

    Args:
        info: the corpus.
        numbers: contents counted from its index.
        files: sizes and digests of at least the index and the resource files.
        base_url: address under which the corpus is published; None for paths relative to the corpus.
    """
    publication = info.publication
    period = info.period
    document: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": info.name,
        "description": publication.description,
        "alternateName": publication.title,
        "conformsTo": CONFORMS,
        "version": f"{info.version}.0" if info.version.count(".") == 1 else info.version,
        "license": list(dict.fromkeys(item.terms.licence_url or item.terms.licence for item in info.products)),
        "citeAs": bibtex(info),
        "creator": [{"@type": "sc:Person", "name": name} for name in publication.authors],
        "publisher": {"@type": "sc:Organization", "name": publication.publisher} if publication.publisher else None,
        "keywords": list(publication.keywords),
        "datePublished": None if publication.year is None else f"{publication.year:04d}-01-01",
        "url": base_url,
        "temporalCoverage": f"{period.start:%Y-%m-%d}/{period.end:%Y-%m-%d}",
        "spatialCoverage": _coverage(numbers),
        "distribution": [*_files(info, files, base_url), *_sets(info)],
        "recordSet": [_records(info)],
        **_geo(info),
    }
    return orjson.dumps({name: value for name, value in document.items() if value not in (None, [])}, option=PRETTY)


def _coverage(numbers: Numbers) -> dict[str, Any] | None:
    if numbers.box is None:
        return None
    west, south, east, north = numbers.box
    shape = {"@type": "GeoShape", "box": f"{south:.6f} {west:.6f} {north:.6f} {east:.6f}"}
    return {"@type": "Place", "geo": shape}


def _geo(info: CorpusInfo) -> dict[str, Any]:
    """GeoCroissant fields of the first imagery product; other products have theirs in their file set."""
    imagery = [item for item in info.products if item.product.kind == "imagery"]
    found: dict[str, Any] = {"geocr:coordinateReferenceSystem": "EPSG:4326"}
    return found | (_bands(imagery[0]) if imagery else {})


def _bands(item: ProductInfo) -> dict[str, Any]:
    product = item.product
    found: dict[str, Any] = {
        "geocr:bandConfiguration": {
            "@type": "geocr:BandConfiguration",
            "geocr:totalBands": len(product.bands),
            "geocr:bandNameList": [band.name for band in product.bands],
        },
    }
    if product.resolution is not None:
        found["geocr:spatialResolution"] = _quantity(product.resolution, "m")
    spectral = [
        {
            "@type": "geocr:SpectralBand",
            "name": band.name,
            "geocr:centerWavelength": _quantity(round(band.wavelength * 1000, 1), "nm"),
            "geocr:bandwidth": _quantity(round((band.width or 0) * 1000, 1), "nm"),
        }
        for band in product.bands
        if band.wavelength is not None
    ]
    return found | ({"geocr:spectralBandMetadata": spectral} if spectral else {})


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"@type": "QuantitativeValue", "value": value, "unitText": unit}


def _files(info: CorpusInfo, files: Mapping[str, FileEntry], base_url: str | None) -> list[dict[str, Any]]:
    layout = info.layout
    rows = [
        ("index", INDEX, "application/x-parquet", "A row per sample, GeoParquet"),
        ("geometries", layout.resource("geometries"), "application/gzip", "Footprints of all samples"),
        ("labels", layout.resource("labels"), "application/gzip", "Class shares of all samples"),
        ("mappings", layout.resource("mappings"), "text/csv", "Classes and the levels above them"),
    ]
    start = "" if base_url is None else f"{base_url.rstrip('/')}/"
    return [
        {
            "@type": "cr:FileObject",
            "@id": name,
            "name": name,
            "description": text,
            "contentUrl": f"{start}{path}",
            "contentSize": f"{files[path].size} B",
            "encodingFormat": media,
            "sha256": files[path].sha256,
        }
        for name, path, media, text in rows
        if path in files
    ]


def _sets(info: CorpusInfo) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:FileSet",
            "@id": f"chips-{item.key}",
            "name": f"chips-{item.key}",
            "description": f"{item.product.title}. {item.terms.attribution}. Licence: {item.terms.licence}",
            "encodingFormat": "image/tiff",
            "includes": f"imagery/*/*/*/{item.product.folder}/*.tif",
        }
        for item in info.products
        if item.product.folder is not None and "chips" in info.layouts
    ]


def _records(info: CorpusInfo) -> dict[str, Any]:
    columns = [("id", "sc:Text", "Id of the sample"), ("tile", "sc:Text", "Zone and tile")]
    columns += [("stratum", "sc:Text", "Group of the draw"), ("split", "sc:Text", "train, validation or test")]
    for item in info.labels:
        if item.taxonomy is not None:
            names = info.label_columns[item.key]
            columns += [
                (name, "sc:Integer", f"{entry.name}, millionths of the area")
                for name, entry in zip(names, item.taxonomy.classes, strict=True)
            ]
    return {
        "@type": "cr:RecordSet",
        "@id": "samples",
        "name": "samples",
        "description": "A record per sample.",
        "key": {"@id": "samples/id"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"samples/{name}",
                "name": name,
                "description": text,
                "dataType": kind,
                "source": {"fileObject": {"@id": "index"}, "extract": {"column": name}},
            }
            for name, kind, text in columns
        ],
    }
