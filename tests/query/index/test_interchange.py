"""`landloom index`: the index says the same as the resource files that it is made from, and other tools open it."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest
import shapely

from landloom.errors import CorpusError, InvalidInputError, MissingKeyError, NotFoundError
from landloom.query.corpus import Corpus
from landloom.query.index.interchange import find_resources, write_index

if TYPE_CHECKING:
    from pathlib import Path

    from tests.query.conftest import Truth


@pytest.fixture(scope="module")
def indexed(published: Truth, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("indexed")
    report = write_index(find_resources([published.folder]), folder)
    assert (report.samples, report.columns, report.odd) == (4_000, 45, 0)
    assert report.size == report.path.stat().st_size
    return folder


@pytest.mark.parametrize(
    "question",
    [
        {"region": (5.0, 45.0, 25.0, 60.0)},
        {"region": (5.0, 45.0, 25.0, 60.0), "relation": "within", "where": "clc_3 >= 0.5"},
        {"where": "clc_31 = 1 OR clc_412 > 0.8"},
    ],
)
def test_the_index_answers_as_the_files_do(indexed: Path, published: Truth, question: dict[str, Any]) -> None:
    found = Corpus.open(indexed, cache=indexed / "cache").query(**question)
    expected = published.corpus.query(**question)
    assert 0 < len(found) < 4_000
    assert sorted(found.ids) == sorted(expected.ids)
    assert found.histogram() == expected.histogram()
    assert sorted(found.assets.paths()) == sorted(expected.assets.paths())


def test_outlines_are_as_published(indexed: Path, published: Truth) -> None:
    import geopandas as gpd

    frame = gpd.read_parquet(indexed / "index" / "samples.parquet").set_index("id").loc[published.ids]
    assert frame.crs.to_string() == "OGC:CRS84"
    assert shapely.equals_exact(frame.geometry.to_numpy(), published.shapes, 0).all()
    clipped = gpd.read_parquet(indexed / "index" / "samples.parquet", bbox=(5.0, 45.0, 25.0, 60.0))
    assert 0 < len(clipped) < 4_000


def test_duckdb_reads_what_we_wrote(indexed: Path, published: Truth) -> None:
    path = indexed / "index" / "samples.parquet"
    question = "select count(*), sum(clc_311) from read_parquet(?) where bbox.xmin > 10 and clc_311 > 0"
    found = duckdb.execute(question, [str(path)]).fetchall()
    west = shapely.bounds(published.shapes)[:, 0]
    column = published.corpus.sidecar.columns.index("clc_311")
    chosen = published.shares[(west > 10) & (published.shares[:, column] > 0), column]
    assert found == [(len(chosen), int(chosen.sum()))]
    shown = duckdb.execute("select id, ST_AsWKB(geometry) from read_parquet(?)", [str(path)]).fetchall()
    outlines = {name: bytes(text) for name, text in shown}
    assert [outlines[name] for name in published.ids[:50]] == shapely.to_wkb(published.shapes[:50]).tolist()


def test_files_come_in_any_order(published: Truth) -> None:
    folder = find_resources([published.folder / "resources"])
    assert find_resources([folder.mapping, folder.labels, folder.geometries]) == folder
    with pytest.raises(InvalidInputError, match=r"labels\.csv\.gz \(labels\)"):
        find_resources([folder.labels, folder.labels, folder.mapping])
    with pytest.raises(MissingKeyError, match=r"absent\.csv"):
        find_resources([published.folder / "absent.csv"])
    with pytest.raises(MissingKeyError, match="geometries"):
        find_resources([published.folder / "cache"])


def write_three(folder: Path, rows: dict[str, tuple[float, float]], outlines: dict[str, Any]) -> None:
    """The three files, by hand."""
    features = [
        {"type": "Feature", "properties": {"sample_id": name}, "geometry": shapely.geometry.mapping(shape)}
        for name, shape in outlines.items()
    ]
    with gzip.open(folder / "mine_geometries.geojson.gz", "wt", encoding="utf-8") as file:
        json.dump({"type": "FeatureCollection", "features": features}, file)
    with gzip.open(folder / "mine_labels.csv.gz", "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sample_id", "clc_311", "clc_999"])
        writer.writerows([name, *shares] for name, shares in rows.items())
    (folder / "mine_label_mappings.csv").write_text(
        "index,clc_level1_id,clc_level2_id,clc_level3_id,class_name\n"
        "clc_311,3,31,311,Broad-leaved forest\nclc_999,9,99,999,NODATA\n"
    )


def test_rounding_odd_outlines_and_names(tmp_path: Path) -> None:
    square = shapely.Polygon([(13.3, 52.5), (13.3, 52.505), (13.29, 52.505), (13.29, 52.5)])
    pentagon = shapely.Polygon([(13.3, 52.5), (13.3, 52.505), (13.295, 52.507), (13.29, 52.505), (13.29, 52.5)])
    names = ["33N_16E-243N_29_01", "33N_16E-243N_29_02", "33N_16E-243N_30_02"]
    rows = {names[0]: (2 / 3, 0.3333), names[1]: (0.25, 0.0), names[2]: (0.0, 1.0)}
    write_three(tmp_path, rows, {names[0]: square, names[1]: pentagon, names[2]: square})
    report = write_index(find_resources([tmp_path]), tmp_path, version="2.1", products=["s2"])
    assert report.odd == 3
    corpus = Corpus.open(tmp_path, cache=tmp_path / "cache")
    assert (corpus.name, corpus.version, corpus.products) == ("mine", "2.1", ("s2", "labels"))
    shares = corpus.select(names).fractions()
    order = np.argsort(corpus.query().ids)
    assert shares["clc_311"][order].tolist() == [0.666689, 0.25, 0.0]  # of a sum of 0.999967; of the land
    assert shares["clc_999"][order].tolist() == [0.333311, 0.75, 1.0]  # the rest of the second has no label
    found = dict(zip(corpus.query().ids, corpus.query().footprints(), strict=True))
    assert found[names[1]].equals(pentagon)
    assert len(corpus.query().assets) == 3 * 13


def test_what_cannot_be_indexed_is_named(published: Truth, tmp_path: Path) -> None:
    files = find_resources([published.folder])
    with pytest.raises(NotFoundError, match="pfsr"):
        write_index(files, tmp_path, products=["pfs"])
    square = shapely.box(13.29, 52.5, 13.3, 52.505)
    name = "33N_16E-243N_29_01"
    write_three(tmp_path, {name: (0.9, 0.2)}, {name: square})
    with pytest.raises(InvalidInputError, match=name):
        write_index(find_resources([tmp_path]), tmp_path)
    write_three(tmp_path, {name: (0.9, 0.1)}, {name: square, "33N_16E-243N_29_02": square})
    with pytest.raises(CorpusError, match="2 outlines"):
        write_index(find_resources([tmp_path]), tmp_path)
    unknown = tmp_path / "unknown"
    shutil.copytree(published.folder / "resources", unknown)
    for path in unknown.iterdir():
        if path.suffix == ".csv":
            path.write_text(path.read_text().replace("clc_", "xyz_"))
        elif "labels" in path.name:
            path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"clc_", b"xyz_")))
    with pytest.raises(InvalidInputError, match="xyz_111"):
        write_index(find_resources([unknown]), tmp_path)
    assert not (tmp_path / "index").exists()
