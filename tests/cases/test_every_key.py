"""No key of a recipe is ignored: another value of it changes what is planned or said of the corpus, or is refused.

What is compared is everything that follows from a recipe but the recipe itself: the samples, every unit with the digest
of its inputs, the description of the corpus, the estimate, and how products are fetched.
"""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import geopandas
import pytest
import shapely
import yaml
from tests.cases.changes import CHANGES, LISTED, ODATA, TERMS, Change
from tests.cases.sensor_archives import recipe
from tests.cases.test_files import OWN, PLANET, write_bands
from tests.projects import write_granules, write_series

from landloom.archive.presets import connection_limits
from landloom.corpus.documents import corpus_json
from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.engine.context import build_context
from landloom.engine.plan import gather, make_plan
from landloom.engine.scenes.fetching import open_provider, rules_of
from landloom.errors import LandloomError
from landloom.model.recipe import Section, section_keys
from landloom.pipelines.estimate import estimate
from landloom.pipelines.registry import REGISTRY, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from landloom.engine.project import Project

ELSEWHERE = {("StacSection", "json_items"), ("FractionsProduct", "allow_empty"), ("Recipe", "allow_blank")}
"""What shows only once units have run: `tests/pipelines/test_build.py`, `tests/cases/test_blank.py`."""
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
        for key in section_keys(one)
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
    found = {
        name: root / name
        for name in ("cells", "list", "windows", "around", "granules", "external", "fused", "odata", "files")
    }
    cells = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8"))
    cells["products"]["s2"]["terms"]["providers"] = [{"name": "landloom", "roles": ["producer"]}]
    external = cells["products"] | {"pfsr": {"kind": "external", "cadence": "5 days", "terms": TERMS}}
    archives = {name: {"kind": "static", "href": "archive/catalog.json"} for name in ("first", "more")}
    fused: dict[str, Any] = {name: {"kind": "composite", "archive": name, "terms": TERMS} for name in archives}
    fused["pfsr"] = {"kind": "fused", "archive": "first", "second": "more", "terms": TERMS}
    listed = {"draw": "list", "ids": list(LISTED)}
    variants = {
        "cells": cells,
        "list": cells | {"samples": listed},
        "external": cells | {"products": external},
        "fused": {k: v for k, v in cells.items() if k != "archive"} | {"archives": archives, "products": fused},
        "odata": cells | {"archive": ODATA},
    }
    for name, document in variants.items():
        found[name].mkdir()
        (found[name] / "archive").symlink_to(tiny_archive)
        (found[name] / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    found["files"].mkdir()
    write_bands(found["files"] / "scenes", PLANET, "{day}_{band}.tif")
    own = OWN | {"bands": [{"name": "red"}, {"name": "nir", "file": "N"}]}
    archive = {"kind": "files", "href": "scenes", "pattern": "{date}_{band}.tif", "own_sensor": own}
    document = recipe(archive, PLANET.bands, mask=[{"source": "band"}])
    (found["files"] / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
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
    told = {
        "samples": [str(asdict(one)) for one in plan.placement.samples],
        "tables": tables,
        "units": [(unit.id, unit.key, unit.makes) for unit in plan.units],
        "corpus": corpus_json(_info(project, tuple(made))).decode(),
        "stac": project.recipe.stac.names,
        "mappings": mappings,
        "estimate": counted,
        "connections": connection_limits(archives.values()),
        "problems": [str(one) for one in problems],
    }
    return json.dumps(told, default=str)


def _info(project: Project, products: tuple[ProductInfo, ...]) -> CorpusInfo:
    recipe = project.recipe
    return CorpusInfo(
        name=recipe.name,
        version=recipe.version,
        scheme=recipe.scheme,
        publication=recipe.publication,
        products=products,
        layouts=recipe.layouts,
    )


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
