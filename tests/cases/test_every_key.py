"""No key of a recipe is ignored: another value of it changes what is planned or said of the corpus, or is refused.

What is compared is everything that follows from a recipe but the recipe itself: the samples, every unit with the digest
of its inputs, the description of the corpus, the estimate, and how products are fetched.
"""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import geopandas
import pytest
import shapely
import yaml
from tests.projects import write_granules, write_series

from landloom.corpus.documents import corpus_json
from landloom.corpus.info import CorpusInfo
from landloom.engine.context import build_context
from landloom.engine.plan import gather, make_plan
from landloom.engine.scenes.fetching import open_provider, rules_of
from landloom.errors import LandloomError
from landloom.model.recipe import Section
from landloom.pipelines.estimate import estimate
from landloom.pipelines.registry import REGISTRY, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from landloom.engine.project import Project

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
        change("cells", "layouts", ["cubes"]),
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
        change("cells", "products.s2.count", value=False),
        change("cells", "products.s2.period", {"start": "2018-06-01", "end": "2018-07-01"}),
        change("cells", "products.s2.terms", {"licence": "MIT", "attribution": "x"}),
        change("cells", "products.s2.archive", "other"),
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
        change("windows", "products.s2_native.least_data", 0.5),
        change("windows", "products.s2_native.least_valid", 0.5),
        change("windows", "products.s2_native.period", {"start": "2018-06-01", "end": "2018-07-01"}),
        change("windows", "products.s2_native.terms", {"licence": "MIT", "attribution": "x"}),
        change("windows", "products.s2_native.archive", "other"),
    ],
    "GranuleSeries": [
        change("granules", "products.s2.bands", ["B04", "B08"]),
        change("granules", "products.s2.clear", [4]),
        change("granules", "products.s2.dilate", 2),
        change("granules", "products.s2.filled", value=False),
        change("granules", "products.s2.period", {"start": "2018-03-01", "end": "2018-10-01"}),
        change("granules", "products.s2.terms", {"licence": "MIT", "attribution": "x"}),
        change("granules", "products.s2.archive", "other"),
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
        change("cells", "labels.clc.invalid", "repair"),
        change("cells", "labels.clc.terms", {"licence": "MIT", "attribution": "x"}),
    ],
    "ParcelsProduct": [
        change("windows", "parcels.file", "fewer.gpkg"),
        change("windows", "parcels.layer", "other"),
        change("windows", "parcels.epsg", 32633),
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
        change("cells", "scenes.policy", "least-cloudy 1"),
        change("cells", "scenes.file", "scenes.csv"),
        change("cells", "scenes.cloud", [0, 5]),
        change("cells", "scenes.overlap", 1.0),
        change("cells", "scenes.valid", 1.0),
        change("cells", "scenes.levels", ["L1C"]),
        change("cells", "scenes.size", [10**9, None]),
        change("cells", "scenes.cloud_weight", 0.0, scenes={"policy": "uniform 3", "cloud_weight": 40.0}),
    ],
    "GuessProduct": [
        change("granules", "guess.file", "archive/truth/none.tif"),
        change("granules", "guess.taxonomy", "worldcover"),
        change("granules", "guess.crosswalk", {"111": "1"}),
        change("granules", "guess.classifier", "sklearn.ensemble.ExtraTreesClassifier"),
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
            )
        ),
        change("cells", "publication.authors", ["X, Y"]),
        change("cells", "publication.year", 1999),
        change("cells", "publication.keywords", ["x"]),
    ],
}
"""Section → a change of each of its keys; those that tell kinds apart are no setting."""
ELSEWHERE = {("StacSection", "json_items"), ("FractionsProduct", "allow_empty")}
"""What shows only once units have run: `tests/pipelines/test_build.py`."""
TELLS_KINDS_APART = {"draw", "kind"}


def sections(model: type[Section]) -> Iterator[type[Section]]:
    """Every section that a recipe may hold."""
    yield model
    for one in model.model_fields.values():
        for part in _parts(one.annotation):
            yield from sections(part)


def _parts(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _parts(part)


def test_every_key_of_every_section_is_tried() -> None:
    keys = {
        (one.__name__, key)
        for one in sections(Recipe)
        for key in one.model_fields
        if not (key in TELLS_KINDS_APART and one.__name__ != "ArchiveSection")
    }
    tried = {(name, one.path.rpartition(".")[2]) for name, changes in CHANGES.items() for one in changes}
    assert keys - tried == ELSEWHERE


@pytest.fixture(scope="module")
def bases(
    tiny: Path, tiny_archive: Path, granule_archive: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Folders of recipes with all inputs that changed ones may name."""
    root = tmp_path_factory.mktemp("bases")
    found = {name: root / name for name in ("cells", "list", "windows", "around", "granules", "external", "odata")}
    cells = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8"))
    cells["products"]["s2"]["terms"]["providers"] = [{"name": "landloom", "roles": ["producer"]}]
    external = cells["products"] | {"pfsr": {"kind": "external", "cadence": "5 days", "terms": TERMS}}
    listed = {"draw": "list", "ids": list(LISTED)}
    variants = {
        "cells": cells,
        "list": cells | {"samples": listed},
        "external": cells | {"products": external},
        "odata": cells | {"archive": ODATA},
    }
    for name, document in variants.items():
        found[name].mkdir()
        (found[name] / "archive").symlink_to(tiny_archive)
        (found[name] / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    write_series(found["windows"], tiny_archive)
    write_series(found["around"], tiny_archive)
    document = yaml.safe_load((found["around"] / "landloom.yaml").read_text(encoding="utf-8"))
    document["samples"] = {"draw": "parcels", "size": 24}
    (found["around"] / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    write_granules(found["granules"], granule_archive, scenes={"policy": "monthly + 0"}, guess={"held_out": 1})
    for folder in found.values():
        _write_others(folder)
    return found


def _write_others(folder: Path) -> None:
    half = shapely.box(11.9, 49.9, 12.1, 50.5)
    frame = geopandas.GeoDataFrame({"id": ["A"], "CODE_18": ["311"]}, geometry=[half], crs=4326)
    frame.to_file(folder / "smaller.geojson")
    frame.to_file(folder / "fewer.gpkg")
    (folder / "ids.txt").write_text(LISTED[0], encoding="utf-8")
    rows = ["id,continent,longitude,latitude," + ",".join(f"igbp_{code}" for code in range(1, 18))]
    for name, place, some in (
        ("32UPA", "11.5,50", {1: 0.5, 12: 0.2, 17: 0.3}),
        ("33UUR", "12.5,50", {1: 0.8, 16: 0.2}),
    ):
        rows.append(f"{name},Europe,{place}," + ",".join(str(some.get(code, 0)) for code in range(1, 18)))
    (folder / "granules.csv").write_text("\n".join(rows), encoding="utf-8")


def fingerprint(project: Project, state: Path) -> str:
    """All that follows from a recipe before its units are run."""
    archives = project.recipe.named_archives()
    fetched = {name: one for name, one in archives.items() if one.kind == "odata"}
    if fetched:
        return json.dumps({name: _fetching(one) for name, one in fetched.items()}, default=str)
    with build_context(state) as context:
        inputs, problems = gather(project, REGISTRY, context)
        plan = make_plan(project, REGISTRY, inputs, problems)
        # Dates of acquired axes show only once units have run: one timestep stands for them.
        made = [
            replace(item, acquired=False)
            for request in plan.requests
            for item in request.kind.describe(request, plan.placement)
        ]
        mappings = [request.kind.class_mappings(request, plan.placement) for request in plan.requests]
        tables = [
            (key, sha256(data).hexdigest())
            for request in plan.requests
            for key, data in request.kind.tables(request, plan.placement, context.store)
        ]
        counted = estimate(project, REGISTRY, plan.placement.samples, plan.scene_count).document()
    recipe = project.recipe
    info = CorpusInfo(
        name=recipe.name,
        version=recipe.version,
        scheme=recipe.scheme,
        publication=recipe.publication,
        products=tuple(made),
        layouts=recipe.layouts,
    )
    told = {
        "samples": [str(asdict(one)) for one in plan.placement.samples],
        "tables": tables,
        "units": [(unit.id, unit.key, unit.makes) for unit in plan.units],
        "corpus": corpus_json(info).decode(),
        "stac": recipe.stac.names,
        "mappings": mappings,
        "estimate": counted,
        "problems": [str(one) for one in problems],
    }
    return json.dumps(told, default=str)


def _fetching(section: Any) -> list[object]:
    service = open_provider(section)
    return [
        asdict(rules_of(section.fetch)),
        vars(service)["_service"],
        vars(service)["_token"]._url,
        section.fetch.folder,
    ]


def put(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    place: Any = document
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
    place[last] = value


@pytest.fixture(scope="module")
def outcome(bases: dict[str, Path]) -> Callable[[str, dict[str, Any]], str]:
    """What follows from a document of a base; what is refused says why. The state of each base is kept."""
    known: dict[str, str] = {}

    def follow(base: str, document: dict[str, Any]) -> str:
        key = f"{base} {json.dumps(document, default=str, sort_keys=True)}"
        if key not in known:
            state = bases[base] / "state"
            try:
                path = bases[base] / "changed.yaml"
                path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
                known[key] = fingerprint(REGISTRY.open(path), state)
            except LandloomError as error:
                known[key] = f"refused: {error}"
        return known[key]

    return follow


@pytest.mark.parametrize(
    "one", [one for changes in CHANGES.values() for one in changes], ids=lambda one: f"{one.base}-{one.path}"
)
def test_another_value_changes_something(
    one: Change, bases: dict[str, Path], outcome: Callable[[str, dict[str, Any]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDLOOM_USER", "somebody")
    monkeypatch.setenv("LANDLOOM_PASSWORD", "secret")
    document = yaml.safe_load((bases[one.base] / "landloom.yaml").read_text(encoding="utf-8"))
    for path, value in one.beside.items():
        put(document, path, value)
    changed = copy.deepcopy(document)
    put(changed, one.path, one.value)
    assert changed != document
    before = outcome(one.base, document)
    assert not before.startswith("refused"), before
    assert outcome(one.base, changed) != before
