from __future__ import annotations

import io
import posixpath
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import orjson
import pyarrow.parquet as pq
import stac_geoparquet.arrow

from landloom.corpus.stac.by_date import by_date
from landloom.corpus.stac.items import item_documents

if TYPE_CHECKING:
    from tests.corpus.conftest import World

TABLES = ("labels", "source_pf", "source_pf_by_date", "source_s2", "source_s2_by_date")


def rows(world: World, name: str) -> list[dict[str, Any]]:
    key = f"stac-v1.0/demo_v1_{name}/items.parquet"
    table = pq.read_table(io.BytesIO(world.store.get(key)), use_threads=False)
    return [compared(item, key) for item in stac_geoparquet.arrow.stac_table_to_items(table)]


def compared(item: dict[str, Any], key: str) -> dict[str, Any]:
    """An item with addresses from the root of the corpus, and without what tables write as null."""
    for part in (*item["links"], *item["assets"].values()):
        part["href"] = posixpath.normpath(posixpath.join(posixpath.dirname(key), part["href"]))
    own = {name: value for name, value in item["properties"].items() if value is not None or name == "datetime"}
    for name in ("datetime", "start_datetime", "end_datetime"):
        own[name] = own[name] and own[name].replace(".000000Z", "Z")
    return item | {"properties": own, "bbox": list(item["bbox"])}


def test_rows_are_the_json_items(world: World) -> None:
    for name in ("labels", "source_pf", "source_s2"):
        folder = f"stac-v1.0/demo_v1_{name}"
        keys = [entry.key for entry in world.store.list(folder) if entry.key.startswith(f"{folder}/")]
        keys = [key for key in keys if key.rpartition("/")[2].startswith("demo_v1")]
        stored = [compared(orjson.loads(world.store.get(key)), key) for key in keys if "collection" not in key]
        found = rows(world, name)
        assert len(found) == 10
        assert sorted(found, key=lambda item: item["id"]) == sorted(stored, key=lambda item: item["id"])


def test_rows_by_date_are_the_items_of_the_view(world: World) -> None:
    view = by_date(world.info)
    assert view is not None
    wanted = {
        item["id"]: compared(item, key)
        for content in world.contents
        for key, data in item_documents(view, content)
        if (item := orjson.loads(data))
    }
    found = {item["id"]: item for name in TABLES[2::2] for item in rows(world, name)}
    assert found == wanted
    assert len(found) == 10 * 2 - 2 + 10 * 12
    assert {item["properties"]["datetime"][:7] for item in found.values()} == {"2018-01", "2018-02"}


def test_geopandas_opens_them(world: World) -> None:
    found = {entry.key for entry in world.store.list("stac-v1.0") if entry.key.endswith(".parquet")}
    assert found == {f"stac-v1.0/demo_v1_{name}/items.parquet" for name in TABLES}
    for key in found:
        frame = gpd.read_parquet(io.BytesIO(world.store.get(key)))
        assert len(frame) >= 10
        assert frame.crs.equals("EPSG:4326", ignore_axis_order=True)
