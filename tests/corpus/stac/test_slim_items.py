from __future__ import annotations

import io
from typing import TYPE_CHECKING

import orjson
import pyarrow.parquet as pq

from landloom.corpus.audit.index import read_index
from landloom.corpus.stac.slim_items import asset_templates, items_tables

if TYPE_CHECKING:
    from tests.corpus.conftest import World


def test_rows_and_templates_give_the_assets_of_the_json_items(world: World) -> None:
    """Equal to the JSON tree: same items, same assets, same files."""
    base = "https://example.org/corpus"
    for key, content in items_tables(world.info, read_index(world.store), base):
        table = pq.read_table(io.BytesIO(content))
        described = orjson.loads(table.schema.metadata[b"landloom"])
        for row in table.to_pylist():
            item = orjson.loads(world.store.get(key.replace("items.parquet", "") + _place(row) + f"/{row['id']}.json"))
            assert (item["id"], item["collection"], item["bbox"][0]) == (
                row["id"],
                described["collection"],
                round(row["bbox"]["xmin"], 7),
            )
            assert item["properties"]["title"] == row["title"]
            assert item["properties"]["proj:code"] == row["proj:code"]
            zone, _, tile = _place(row).partition("/")
            expanded = {
                name: asset["href"].format(zone=zone, tile=tile, sample=row["sample_id"])
                for name, asset in described["assets"].items()
                if row[f"{asset['product']}_available"][asset["bit"] // 8] >> asset["bit"] % 8 & 1
            }
            stored = {name: f"{base}/{asset['href'].replace('../', '')}" for name, asset in item["assets"].items()}
            assert expanded == stored


def _place(row: dict[str, str]) -> str:
    zone, tile = row["sample_id"].split("_")[:2]
    return f"{zone}/{tile}"


def test_templates_are_relative_to_the_corpus_unless_told(world: World) -> None:
    templates = asset_templates(world.info, "source_s2")
    assert templates["s2_2018-02"] == {
        "href": "imagery/{zone}/{tile}/{sample}/S2-SR/2018-02.tif",
        "type": "image/tiff; application=geotiff",
        "datetime": "2018-02-15T10:30:00Z",
        "roles": ["data"],
        "product": "s2",
        "bit": 1,
    }
