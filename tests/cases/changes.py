"""A change of each key of each section of a recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TERMS = {"licence": "CC0-1.0", "attribution": "nobody"}
LISTED = ("32N_29E-231N_16_20", "33N_12E-231N_16_22")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One key, changed in one recipe."""

    base: str
    path: str
    value: Any
    beside: Mapping[str, Any] = field(default_factory=dict)
    """What both recipes have besides what the base says."""


def change(base: str, path: str, value: Any, **beside: Any) -> Change:
    return Change(base=base, path=path, value=value, beside={k.replace("__", "."): v for k, v in beside.items()})


WIDE = {"bounds": [9.0, 47.0, 15.0, 53.0]}
TABLE = {"draw": "granules", "table": "granules.csv", "quotas": {"Europe": 2}, "chips": 2, "size": 96}
"""A draw of granules out of a table."""
COUNTED = {key: value for key, value in TABLE.items() if key != "quotas"} | {"count": 2}
CONTINENTS = {"file": "smaller.geojson", "column": "id"}
ODATA = {"kind": "odata", "href": "http://127.0.0.1:9/", "fetch": {"tokens": "http://127.0.0.1:9/token"}}
_SENSOR, _MASK = "archive.own_sensor", "products.own.mask.0"
CHANGES: dict[str, list[Change]] = {
    "Recipe": [
        change("cells", "name", "other"),
        change("cells", "version", "2.0"),
        change("cells", "seed", 7),
        change("cells", "region", {"file": "smaller.geojson"}),
        change("cells", "period", {"start": "2018-06-01", "end": "2018-07-01"}),
        change("cells", "samples", {"draw": "list", "ids": LISTED[:1]}),
        change("cells", "archive", {"kind": "static", "href": "nowhere.json"}),
        change("cells", "archives", {"a": {"kind": "static", "href": "archive/catalog.json"}}),
        change("cells", "products", {}),
        change("cells", "scenes", {"policy": "least-cloudy 1"}),
        change("cells", "mask", {"source": "scl", "clear": [4]}),
        change("cells", "layouts", ["cubes"]),
        change("cells", "cube_codec", "lz4", layouts=["cubes"]),
        change("cells", "stac", {"item": "{collection}-{sample}"}),
        change("cells", "splits", {"train": 1.0}),
        change("cells", "publication", {"title": "o", "description": "d"}),
        change("cells", "labels", {}),
        change("windows", "parcels", None),
        change("granules", "guess", None),
    ],
    "RegionSection": [
        change("cells", "region.file", "smaller.geojson"),
        change("cells", "region.bounds", [12.0, 50.0, 12.1, 50.1]),
        change("cells", "region.layer", "other"),
        change("cells", "region.encoding", "cp1252"),
    ],
    "PeriodSection": [
        change("cells", "period.start", "2018-06-15"),
        change("cells", "period.end", "2018-07-01"),
    ],
    "AreaClassDraw": [
        change("cells", "samples.count", 5),
        change("cells", "samples.strata", {"file": "smaller.geojson", "column": "id"}),
        change("cells", "samples.labels", "other"),
        change("cells", "samples.tiles", 1),
    ],
    "VectorSource": [
        change("cells", "samples.strata.file", "smaller.geojson"),
        change("cells", "samples.strata.column", "name"),
        change("cells", "samples.strata.layer", "other"),
        change("cells", "samples.strata.encoding", "cp1252"),
    ],
    "ListedCells": [
        change("list", "samples.ids", LISTED[:1]),
        change("list", "samples.file", "ids.txt"),
    ],
    "WindowGrid": [
        change("windows", "samples.anchor", "33N-360000E-5550000N"),
        change("windows", "samples.size", 12),
        change("windows", "samples.resolution", 20.0),
        change("windows", "samples.rows", 1),
        change("windows", "samples.columns", 1),
        change("windows", "samples.labelled", 0.9),
        change("windows", "samples.seasons", {2018: {"start": "2018-06-01", "end": "2018-07-01"}}),
    ],
    "ParcelWindows": [
        change("around", "samples.anchor", "33N-360000E-5550000N"),
        change("around", "samples.size", 12),
        change("around", "samples.resolution", 20.0),
        change("around", "samples.others", "background"),
        change("around", "samples.vertices", 8),
        change("around", "samples.whole", value=True),
        change("around", "samples.seasons", {2018: {"start": "2018-06-01", "end": "2018-07-01"}}),
    ],
    "GranuleChips": [
        change("granules", "samples.granules", ["32UPA"]),
        change("granules", "samples.table", "granules.csv"),
        change("granules", "samples.chips", 2),
        change("granules", "samples.size", 64),
        change("granules", "samples.spread", value=True, samples__chips=4, samples__size=48),
        change("granules", "samples.seen", 1.0, scenes={"policy": "all"}, samples__seen=0.1),
        change("granules", "samples.count", 1, samples=COUNTED, region=WIDE),
        change("granules", "samples.quotas", {"Europe": 1}, samples=TABLE, region=WIDE),
        change("granules", "samples.method", "random", samples=TABLE | {"quotas": {"Europe": 1}}, region=WIDE),
        change("granules", "samples.water", 0.1, samples=TABLE, region=WIDE),
        change("granules", "samples.barren", 0.1, samples=TABLE, region=WIDE),
        change("granules", "samples.continents", CONTINENTS, samples=TABLE, region=WIDE),
    ],
    "ArchiveSection": [
        change("cells", "archive.kind", "table"),
        change("cells", "archive.href", "nowhere.json"),
        change("cells", "archive.collection", "sentinel-2-l2a"),
        change("cells", "archive.level", "L1C"),
        change("cells", "archive.fetch", {"folder": "elsewhere"}),
        change("cells", "archive.sensor", "landsat-c2-l2"),
        change("cells", "archive.connections", {"example.org": 2}),
        change("files", _SENSOR, None),
        change("files", "archive.pattern", "{date}-{band}.tif"),
    ],
    "SensorSection": [
        change("files", f"{_SENSOR}.name", "other"),
        change("files", f"{_SENSOR}.title", "Other"),
        change("files", f"{_SENSOR}.resolution", 15),
        change("files", f"{_SENSOR}.bands", ["red", "blue"]),
        change("files", f"{_SENSOR}.scale", 0.001),
        change("files", f"{_SENSOR}.offset", 0.1),
        change("files", f"{_SENSOR}.nodata", 8),
        change("files", f"{_SENSOR}.mask", None),
    ],
    "BandSection": [
        change("files", f"{_SENSOR}.bands.0.{key}", value)
        for key, value in {
            "name": "scarlet",
            "file": "N",
            "number": 2,
            "resolution": 15,
            "common_name": "rededge",
            "wavelength": 0.7,
            "description": "other",
        }.items()
    ],
    "SensorMaskSection": [
        change("files", f"{_SENSOR}.mask.{key}", value)
        for key, value in {
            "name": "other",
            "file": "N",
            "number": 2,
            "resolution": 15,
            "clear": [0],
            "cloudy": [1],
            "bits": [1],
            "nodata": 8,
        }.items()
    ],
    "MaskSection": [
        change("files", f"{_MASK}.source", "scl"),
        change("files", f"{_MASK}.band", "red"),
        change("files", f"{_MASK}.clear", [0]),
        change("files", f"{_MASK}.dilate", 2),
        change("files", f"{_MASK}.least_clear", 0.5),
    ],
    "FetchSection": [
        change("odata", "archive.fetch.folder", "elsewhere"),
        change("odata", "archive.fetch.download", "http://127.0.0.1:8/"),
        change("odata", "archive.fetch.tokens", "http://127.0.0.1:8/token"),
        change("odata", "archive.fetch.order_action", "OData.CSC.Order"),
        change("odata", "archive.fetch.order_every", "PT1H"),
        change("odata", "archive.fetch.poll_every", "PT1H"),
        change("odata", "archive.fetch.first_retry", "PT1H"),
    ],
    "CompositeProduct": [
        change("cells", "products.s2.bands", ["B04"]),
        change("cells", "products.s2.resolution", 20.0),
        change("cells", "products.s2.cadence", "10 days"),
        change("cells", "products.s2.clear", [4]),
        change("cells", "products.s2.dilate", 3),
        change("cells", "products.s2.mask", [{"source": "scl"}]),
        change("cells", "products.s2.count", value=False),
        change("cells", "products.s2.period", {"start": "2018-06-01", "end": "2018-07-01"}),
        change("cells", "products.s2.terms", {"licence": "MIT", "attribution": "x"}),
        change("cells", "products.s2.archive", "other"),
        change("cells", "products.s2.register", "correct"),
    ],
    "Terms": [
        change("cells", "products.s2.terms.licence", "MIT"),
        change("cells", "products.s2.terms.licence_url", "https://x.org"),
        change("cells", "products.s2.terms.attribution", "other"),
        change("cells", "products.s2.terms.providers", [{"name": "x"}]),
        change("cells", "products.s2.terms.source", "https://x.org"),
        change("cells", "products.s2.terms.non_commercial", value=True),
    ],
    "Provider": [
        change("cells", "products.s2.terms.providers.0.name", "x"),
        change("cells", "products.s2.terms.providers.0.roles", ["host"]),
        change("cells", "products.s2.terms.providers.0.url", "https://x.org"),
    ],
    "SeriesProduct": [
        change("windows", "products.s2_native.bands", ["B04"]),
        change("windows", "products.s2_native.valid", value=False),
        change("windows", "products.s2_native.clear", [4]),
        change("windows", "products.s2_native.dilate", 2),
        change("windows", "products.s2_native.mask", {"source": "scl", "dilate": 1}),
        change("windows", "products.s2_native.least_data", 0.5),
        change("windows", "products.s2_native.least_valid", 0.5),
        change("windows", "products.s2_native.period", {"start": "2018-06-01", "end": "2018-07-01"}),
        change("windows", "products.s2_native.terms", {"licence": "MIT", "attribution": "x"}),
        change("windows", "products.s2_native.archive", "other"),
        change("windows", "products.s2_native.register", "measure"),
    ],
    "GranuleSeries": [
        change("granules", "products.s2.bands", ["B04", "B08"]),
        change("granules", "products.s2.clear", [4]),
        change("granules", "products.s2.dilate", 2),
        change("granules", "products.s2.mask", {"source": "scl", "least_clear": 0.1}),
        change("granules", "products.s2.filled", value=False),
        change("granules", "products.s2.period", {"start": "2018-03-01", "end": "2018-10-01"}),
        change("granules", "products.s2.terms", {"licence": "MIT", "attribution": "x"}),
        change("granules", "products.s2.archive", "other"),
        change("granules", "products.s2.register", "correct"),
    ],
    "FusedProduct": [
        change("fused", "products.pfsr.resolution", 20.0),
        change("fused", "products.pfsr.cadence", "10 days"),
        change("fused", "products.pfsr.clear", [4]),
        change("fused", "products.pfsr.dilate", 1),
        change("fused", "products.pfsr.mask", {"source": "scl", "clear": ["water"]}),
        change("fused", "products.pfsr.register", "off"),
        change("fused", "products.pfsr.method", "harmonic", products__pfsr__second=None),
        change(
            "fused", "products.pfsr.smoothing", 3.0, products__pfsr__method="whittaker", products__pfsr__second=None
        ),
        change(
            "fused", "products.pfsr.periodic", value=True, products__pfsr__method="linear", products__pfsr__second=None
        ),
        change("fused", "products.pfsr.brdf", "c-factor"),
        change("fused", "products.pfsr.sun_zenith", 30, products__pfsr__brdf="c-factor"),
        change("fused", "products.pfsr.valid_range", [0.0, 0.3]),
        change("fused", "products.pfsr.period", {"start": "2018-06-01", "end": "2018-07-01"}),
        change("fused", "products.pfsr.terms", {"licence": "MIT", "attribution": "x"}),
        change("fused", "products.pfsr.archive", "more", products__pfsr__second=None),
        change("fused", "products.pfsr.second", None),
        change("fused", "products.pfsr.source", "imported", products__pfsr__second=None),
        change("fused", "products.pfsr.quality", "more"),
    ],
    "ExternalProduct": [
        change("external", "products.pfsr.cadence", "10 days"),
        change("external", "products.pfsr.terms", {}),
        change("external", "products.pfsr.period", {"start": "2018-06-01", "end": "2018-07-01"}),
    ],
    "FractionsProduct": [
        change("cells", "labels.clc.taxonomy", "globeland30"),
        change("cells", "labels.clc.file", "smaller.geojson"),
        change("cells", "labels.clc.column", "ID"),
        change("cells", "labels.clc.layer", "other"),
        change("cells", "labels.clc.encoding", "cp1252"),
        change("cells", "labels.clc.invalid", "repair"),
        change("cells", "labels.clc.terms", {"licence": "MIT", "attribution": "x"}),
    ],
    "ParcelsProduct": [
        change("windows", "parcels.file", "fewer.gpkg"),
        change("windows", "parcels.layer", "other"),
        change("windows", "parcels.epsg", 32633),
        change("windows", "parcels.encoding", "cp1252"),
        change("windows", "parcels.columns", {"ground_truth": "id"}),
        change("windows", "parcels.classes", {"maize": 7, "meadow": 8, "wheat": 9}),
        change("windows", "parcels.unmapped", "ignore", parcels__classes={"maize": 7, "meadow": 8, "wheat": 9}),
        change("windows", "parcels.codes", {"background": 200}),
        change("windows", "parcels.year", 2018),
        change("windows", "parcels.invalid", "reject"),
        change("windows", "parcels.regression", value=True),
        change("windows", "parcels.resolution", 5.0),
        change("windows", "parcels.layers", ["classes"]),
        change("windows", "parcels.terms", {"licence": "MIT", "attribution": "x"}),
    ],
    "ScenesSection": [
        one
        for base in ("cells", "granules")
        for one in (
            change(base, "scenes.policy", "least-cloudy 1"),
            change(base, "scenes.file", "scenes.csv"),
            change(base, "scenes.cloud", [0, 5]),
            change(base, "scenes.overlap", 1.0),
            change(base, "scenes.valid", 1.0),
            change(base, "scenes.levels", ["L1C"]),
            change(base, "scenes.size", [10**9, None]),
            change(base, "scenes.cloud_weight", 0.0, scenes={"policy": "uniform 3", "cloud_weight": 40.0}),
        )
    ],
    "GuessProduct": [
        change("granules", "guess.file", "archive/truth/none.tif"),
        change("granules", "guess.taxonomy", "worldcover"),
        change("granules", "guess.crosswalk", {"111": "1"}),
        change("granules", "guess.classifier", "sklearn.ensemble.ExtraTreesClassifier"),
        change("granules", "guess.forest", "published"),
        change("granules", "guess.trees", 5),
        change("granules", "guess.depth", 4),
        change("granules", "guess.leaves", 9),
        change("granules", "guess.per_tree", 50),
        change("granules", "guess.options", {"a": 1}),
        change("granules", "guess.prior", "balanced"),
        change("granules", "guess.agreement", "majority"),
        change("granules", "guess.per_class", 999),
        change("granules", "guess.least", 99),
        change("granules", "guess.holdout", 0.5),
        change("granules", "guess.held_out", 0),
        change("granules", "guess.buffer", 9),
        change("granules", "guess.terms", {"licence": "MIT", "attribution": "x"}),
    ],
    "StacSection": [
        change("cells", "stac.item", "{collection}-{sample}"),
        change("granules", "stac.dated_item", "{collection}-{sample}-{date}"),
        change("granules", "stac.band_asset", "x{band}"),
        change("cells", "stac.label_link", "about"),
    ],
    "Publication": [
        *(
            change("cells", f"publication.{key}", "other")
            for key in (
                "title",
                "description",
                "publisher",
                "doi",
                "citation",
                "funding",
                "contact",
                "documentation",
                "tutorial",
            )
        ),
        change("cells", "publication.authors", ["X, Y"]),
        change("cells", "publication.year", 1999),
        change("cells", "publication.keywords", ["x"]),
    ],
}
"""Section → a change of each of its keys; those that tell kinds apart are no setting."""
