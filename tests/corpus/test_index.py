from __future__ import annotations

import io
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.corpus.conftest import make_fractions, make_info, make_samples

from landloom.corpus.index import (
    SampleTable,
    availability,
    available,
    index_bytes,
    index_metadata,
    index_table,
    read_metadata,
)
from landloom.errors import InvalidDocumentError, InvalidInputError
from landloom.model.taxonomy import taxonomy

INFO = make_info()
SAMPLES = make_samples("34N_24E-241N", 30) + make_samples("33N_16E-243N", 30, 1)
FRACTIONS = {"labels": make_fractions(60)}
EXISTS = {item.key: np.random.default_rng(3).random((60, item.slots)) < 0.5 for item in INFO.products} | {
    "labels": np.ones((60, 1), np.bool_)
}


def _table() -> pa.Table:
    return index_table(INFO, SampleTable.of(SAMPLES), FRACTIONS, EXISTS)


def test_columns_say_what_went_in() -> None:
    table = _table()
    rows = {row["id"]: row for row in table.to_pylist()}
    assert len(rows) == 60
    columns = taxonomy("clc").columns()
    for place, sample in enumerate(SAMPLES):
        row = rows[str(sample.id)]
        assert (row["zone"], row["tile"], row["epsg"]) == (str(sample.id.zone), sample.tile, sample.epsg)
        assert (row["west"], row["south"], row["east"], row["north"]) == sample.bounds
        assert (row["stratum"], row["split"]) == ("DE", "train")
        assert [row[name] for name in columns] == FRACTIONS["labels"][place].tolist()
        assert sum(row[name] for name in columns) == 1_000_000
        for item in INFO.products:
            bits = row[available(item.key)]
            got = [bool(bits[step // 8] >> step % 8 & 1) for step in range(item.slots)]
            assert got == EXISTS[item.key][place].tolist()


def test_order_does_not_depend_on_the_order_of_the_input() -> None:
    order = np.random.default_rng(5).permutation(60)
    shuffled = index_table(
        INFO,
        SampleTable.of([SAMPLES[row] for row in order]),
        {"labels": FRACTIONS["labels"][order]},
        {key: there[order] for key, there in EXISTS.items()},
    )
    assert index_bytes(shuffled) == index_bytes(_table())


def test_rows_stand_tile_by_tile_and_near_each_other() -> None:
    table = _table()
    tiles = table.column("tile").to_pylist()
    assert tiles == sorted(tiles)
    west, north = (table.column(name).to_numpy()[:30] for name in ("west", "north"))
    ids = np.argsort(table.column("id").to_pylist()[:30])
    walk = np.hypot(np.diff(west), np.diff(north)).sum()
    by_id = np.hypot(np.diff(west[ids]), np.diff(north[ids])).sum()
    assert walk < by_id


def test_geopandas_reads_it_and_filters_by_its_covering() -> None:
    data = index_bytes(_table())
    frame = gpd.read_parquet(io.BytesIO(data))
    assert frame.crs.equals("EPSG:4326", ignore_axis_order=True)
    first = frame.geometry.iloc[7]
    near = gpd.read_parquet(io.BytesIO(data), bbox=first.buffer(-0.001).bounds)
    assert near.id.tolist() == frame.id[frame.intersects(first.buffer(-0.001))].tolist()
    assert len(near) == 1


def test_metadata_come_back_from_the_file() -> None:
    schema = pq.read_schema(io.BytesIO(index_bytes(_table())))
    metadata = read_metadata(schema)
    assert metadata == index_metadata(INFO)
    assert metadata["products"]["s2"]["timesteps"] == ["2018-01", "2018-02"]
    assert metadata["products"]["s2"]["stamps"][0] == "2018-01-15T10:30:00Z"
    assert metadata["taxonomies"]["labels"]["columns"][0] == "clc_111"
    with pytest.raises(InvalidDocumentError):
        read_metadata(pa.schema([]))


def test_people_find_shares_counts_titles_and_units() -> None:
    table = pq.read_table(io.BytesIO(index_bytes(_table())), use_threads=False)
    for row in table.to_pylist():
        assert dict(row["shares"]) == {name: row[name] / 1_000_000 for name in taxonomy("clc").columns() if row[name]}
        assert row["s2_count"] == row["s2_available"][0].bit_count()
    field = table.schema.field("clc_211")
    assert (field.metadata[b"unit"], field.metadata[b"title"]) == (b"1e-6", b"Non-irrigated arable land")
    assert table.schema.field("shares").metadata[b"unit"] == b"1"
    assert index_bytes(table) == index_bytes(_table())


def test_a_second_product_of_a_taxonomy_has_columns_of_its_own() -> None:
    labels = INFO.product("labels")
    second = replace(labels, product=replace(labels.product, key="later", collection="labels_later"))
    info = make_info(products=(*INFO.products, second))
    table = index_table(info, SampleTable.of(SAMPLES), FRACTIONS, EXISTS)
    assert table.column("later_clc_111").to_pylist() == [0] * 60


def test_nothing_given_is_nothing_there() -> None:
    table = index_table(INFO, SampleTable.of(SAMPLES), {}, {})
    assert not availability(table.column("s2_available"), 2).any()
    assert set(table.column("clc_311").to_pylist()) == {0}


def test_an_empty_corpus_has_an_index() -> None:
    table = index_table(INFO, SampleTable.of([]), {}, {})
    assert len(gpd.read_parquet(io.BytesIO(index_bytes(table)))) == 0


def test_bad_input_is_named() -> None:
    samples = SampleTable.of(SAMPLES)
    with pytest.raises(InvalidInputError, match=str(SAMPLES[0].id)):
        index_table(INFO, SampleTable.of([*SAMPLES, SAMPLES[0]]), {}, {})
    wrong = FRACTIONS["labels"].copy()
    wrong[4, 0] += 1
    with pytest.raises(InvalidInputError, match=str(SAMPLES[4].id)):
        index_table(INFO, samples, {"labels": wrong}, {})
    with pytest.raises(InvalidInputError, match="fractions of labels"):
        index_table(INFO, samples, {"labels": wrong[:3]}, {})
    with pytest.raises(InvalidInputError, match="existence of s2"):
        index_table(INFO, samples, {}, {"s2": np.ones((60, 3), np.bool_)})
