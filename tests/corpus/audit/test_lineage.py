from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson
import pytest
from tests.corpus.conftest import lineage, make_info

from landloom.corpus.audit.lineage import lineage_problems
from landloom.corpus.manifest import FileEntry, manifest_bytes, read_manifest
from landloom.corpus.published_files import PublishedFiles
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpus.conftest import World

    from landloom.corpus.lineage import Lineage

KEY = "lineage/33N/16E-243N/S2-SR.json"
MANIFEST = "manifest/33N/16E-243N.parquet"
TILE = "33N_16E-243N"


@pytest.fixture
def store(world: World, tmp_path: Path) -> LocalStore:
    shutil.copytree(world.store.root, tmp_path / "corpus")
    return LocalStore(tmp_path / "corpus")


def found(store: LocalStore) -> list[str]:
    return [str(problem) for problem in lineage_problems(store, make_info(), PublishedFiles(store))]


def with_step(**changes: object) -> Lineage:
    """The lineage with another first timestep."""
    good = lineage(make_info())
    first, *others = good.timesteps
    return replace(good, timesteps=(replace(first, **changes), *others))  # type: ignore[arg-type]


def test_a_good_one(world: World) -> None:
    assert found(world.store) == []


def test_every_problem_of_its_shape_is_listed(store: LocalStore) -> None:
    document = orjson.loads(lineage(make_info()).encode(TILE, "s2"))
    document["timesteps"][0]["scenes"][0]["offset"] = "none"
    del document["timesteps"][1]["left_out"]
    document["colour"] = "blue"
    del document["tile"]
    store.put(KEY, orjson.dumps(document))
    told = "\n".join(found(store))
    for where in ("tile", "timesteps.0.scenes.0.offset", "timesteps.1.left_out", "colour"):
        assert where in told
    store.put(KEY, b"[]")
    assert found(store) == [f"{KEY}: got no object"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (lineage(make_info()).encode("33N_17E-243N", "s2"), "expected '33N_16E-243N'"),
        (with_step(timestep="2017-12").encode(TILE, "s2"), "'2017-12', which the product does not have"),
        (with_step(timestep="2018-03").encode(TILE, "s2"), "not in order"),
        (with_step(scenes=2 * lineage(make_info()).timesteps[0].scenes).encode(TILE, "s2"), "listed twice"),
        (
            with_step(scenes=(replace(lineage(make_info()).timesteps[0].scenes[0], id="broken of 2018-01"),)).encode(
                TILE, "s2"
            ),
            "both as used and as left out",
        ),
    ],
)
def test_what_it_says_has_to_be_so(store: LocalStore, changed: bytes, told: str) -> None:
    store.put(KEY, changed)
    assert any(told in problem for problem in found(store))


def test_a_tile_without_any_is_named(store: LocalStore) -> None:
    store.delete(KEY)
    entries = [entry for entry in read_manifest(store.get(MANIFEST)) if entry.path != KEY]
    store.put(MANIFEST, manifest_bytes(entries))
    assert found(store) == [f"{KEY}: missing, but other tiles have one"]


def test_one_of_no_product(store: LocalStore) -> None:
    other, content = KEY.replace("S2-SR", "S3"), store.get(KEY)
    store.put(other, content)
    entries = [*read_manifest(store.get(MANIFEST)), FileEntry.of(other, content)]
    store.put(MANIFEST, manifest_bytes(entries))
    assert found(store) == [f"{other}: does not belong to a product of the corpus"]
