"""Each way in which an index can be wrong is a problem that names its row."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
import shapely

from landloom.corpus.audit.index import footprints, index_problems, read_index, sample_files
from landloom.corpus.layout import INDEX
from landloom.corpus.published_files import PublishedFiles
from landloom.errors import InvalidDocumentError
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpus.conftest import World


def problems(world: World, table: pa.Table) -> list[tuple[str, str]]:
    """Those of the index itself; resource files follow from it, so a change of it changes them, too."""
    found = index_problems(world.store, world.info, table, PublishedFiles(world.store))
    return [(one.where, one.what) for one in found if not one.where.startswith("resources/")]


def changed(table: pa.Table, name: str, row: int, value: Any) -> pa.Table:
    values = table.column(name).to_pylist()
    values[row] = value
    place = table.column_names.index(name)
    return table.set_column(place, table.schema.field(name), pa.array(values, table.schema.field(name).type))


def test_a_good_index_has_no_problems(world: World) -> None:
    table = read_index(world.store)
    assert problems(world, table) == []
    outlines = footprints(table)
    for content in world.contents:
        for sample in content.samples:
            assert np.abs(outlines[str(sample.id)] - shapely.get_coordinates(sample.footprint)).max() < 1e-9


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("tile", "33N_01E-200N", "another tile than its id's"),
        ("epsg", 32601, "other bounds than its id's"),
        ("west", 0.0, "other bounds than its id's"),
    ],
)
def test_what_does_not_follow_from_the_id_is_named(world: World, name: str, value: object, told: str) -> None:
    table = read_index(world.store)
    found = problems(world, changed(table, name, 3, value))
    assert (f"{INDEX}#{table.column('id')[3].as_py()}", True) in [(where, told in what) for where, what in found]


def test_ids_that_cannot_be_read_or_stand_twice_are_named(world: World) -> None:
    table = read_index(world.store)
    assert (f"{INDEX}#nonsense", "nonsense") in [
        (where, "nonsense" if "nonsense" in what else what)
        for where, what in problems(world, changed(table, "id", 0, "nonsense"))
    ]
    twice = changed(table, "id", 0, table.column("id")[1].as_py())
    assert (INDEX, "an id occurs more than once") in problems(world, twice)


def test_shares_that_do_not_sum_to_one_are_named(world: World) -> None:
    table = read_index(world.store)
    more = changed(table, "clc_999", 2, table.column("clc_999")[2].as_py() + 1)
    identity = table.column("id")[2].as_py()
    found = dict(problems(world, more))
    assert "labels sum to 1,000,001 millionths" in found[f"{INDEX}#{identity}"]
    assert any(where.startswith("labels/") and "fractions" in what for where, what in found.items())


def test_columns_that_are_lacking_are_listed(world: World) -> None:
    table = read_index(world.store)
    ((where, what),) = problems(world, table.drop_columns(["clc_311", "tile"]))
    assert where == INDEX
    assert what == "lacks the columns tile, clc_311"


def test_every_bit_stands_for_its_files(world: World) -> None:
    info = world.info
    for content in world.contents:
        for row, sample in enumerate(content.samples):
            for item in info.products:
                for step in np.flatnonzero(content.exists[item.key][row]).tolist():
                    assert all(world.store.exists(path) for path in sample_files(info, item, sample.id, step))


def test_a_missing_or_foreign_index_is_refused(world: World, tmp_path: Path) -> None:
    shutil.copytree(world.store.root, tmp_path / "corpus")
    store = LocalStore(tmp_path / "corpus")
    store.put(INDEX, b"no Parquet")
    with pytest.raises(InvalidDocumentError):
        read_index(store)
    store.delete(INDEX)
    with pytest.raises(InvalidDocumentError, match="missing"):
        read_index(store)
