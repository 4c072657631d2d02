from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shapely import box, equals
from stac_geoparquet.arrow import parse_stac_items_to_arrow, to_parquet

from landloom.archive.table import TableArchive
from landloom.errors import PermanentFaultError
from landloom.formats.stac.items import parse_scene
from landloom.formats.stac.profiles import EARTH_SEARCH
from landloom.model.time import Period

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archive.conftest import ItemFactory

REGION = box(15.2, 45.2, 15.3, 45.3)
YEAR = Period.year(2023)


def table(path: Path, items: list[dict[str, Any]]) -> Path:
    to_parquet(parse_stac_items_to_arrow(items), path)
    return path


def test_a_table_gives_the_scenes_of_its_items(tmp_path: Path, make_item: ItemFactory) -> None:
    items = [
        make_item("later", "2023-06-01T10:00:00Z"),
        make_item("cloudless", "2023-05-01T10:00:00.072000Z", cloud=None),
        make_item("old", "2022-12-31T23:59:59Z"),
        make_item("next", "2024-01-01T00:00:00Z"),
        make_item("far", "2023-05-01T10:00:00Z", bounds=(100.0, 0.0, 101.0, 1.0)),
        make_item("superseded", "2023-06-01T10:00:02Z", **{"s2:processing_baseline": "02.01"}),
    ]
    items[1]["assets"]["red"] = {"href": "only here", "file:size": 3}
    path = table(tmp_path / "items.parquet", items)
    archive = TableArchive(path)
    scenes = archive.search(REGION, YEAR)
    assert [scene.id for scene in scenes] == ["cloudless", "later"]
    assert archive.problems == ()
    wanted = [parse_scene(item, str(path), EARTH_SEARCH) for item in (items[1], items[0])]
    for scene, expected in zip(scenes, wanted, strict=True):
        assert scene == expected
        assert (scene.bands, scene.layers) == (expected.bands, expected.layers)
        assert equals(scene.footprint, expected.footprint)


def test_a_table_of_several_collections(tmp_path: Path, make_item: ItemFactory) -> None:
    items = [make_item("a", "2023-06-01T10:00:00Z"), make_item("b", "2023-07-01T10:00:00Z") | {"collection": "other"}]
    path = table(tmp_path / "items.parquet", items)
    assert [scene.id for scene in TableArchive(path, EARTH_SEARCH, "other").search(REGION, YEAR)] == ["b"]


def test_rows_that_cannot_be_read_are_listed(tmp_path: Path, make_item: ItemFactory) -> None:
    items = [make_item("a", "2023-06-01T10:00:00Z"), make_item("b", "2023-07-01T10:00:00Z")]
    items[0]["properties"]["platform"] = "landsat-7"
    archive = TableArchive(table(tmp_path / "items.parquet", items))
    assert [scene.id for scene in archive.search(REGION, YEAR)] == ["b"]
    assert [problem.where.rpartition("/")[2] for problem in archive.problems] == ["a"]


def test_files_that_are_no_item_table(tmp_path: Path) -> None:
    with pytest.raises(PermanentFaultError, match="no such file"):
        TableArchive(tmp_path / "none.parquet").search(REGION, YEAR)
    (tmp_path / "text.parquet").write_text("text", encoding="utf-8")
    with pytest.raises(PermanentFaultError, match=r"text\.parquet"):
        TableArchive(tmp_path / "text.parquet").search(REGION, YEAR)
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "other.parquet")
    with pytest.raises(PermanentFaultError, match="without assets, bbox, geometry"):
        TableArchive(tmp_path / "other.parquet").search(REGION, YEAR)


def test_a_table_without_boxes_is_refused(tmp_path: Path, make_item: ItemFactory) -> None:
    path = table(tmp_path / "items.parquet", [make_item("a", "2023-06-01T10:00:00Z")])
    rows = pq.read_table(path, use_threads=False)
    pq.write_table(rows.set_column(rows.schema.get_field_index("bbox"), "bbox", [[[0.0] * 4]]), path)
    with pytest.raises(PermanentFaultError, match="bbox is no struct"):
        TableArchive(path).search(REGION, YEAR)
    pq.write_table(rows.drop_columns(["bbox"]), path)
    with pytest.raises(PermanentFaultError, match="without bbox"):
        TableArchive(path).search(REGION, YEAR)
