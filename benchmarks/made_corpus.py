"""A corpus of any number of samples in the shape of RapidAI4EO's Sentinel-2 part, whose chips are made up.

Recipe, item table, labels, plan, journal and all documents are real, and written by landloom's own build; only the
composites are not made from pixels: their units are recorded as done, and each chip is the same small GeoTIFF with its
own name behind it. What checks, lists, joins, publishes and validates is no wiser.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import yaml
from shapely import box
from shapely.geometry import mapping

from landloom.corpus.lineage import Lineage, LineageStep, SceneRecord
from landloom.corpus.manifest import FileEntry
from landloom.engine.context import build_context
from landloom.engine.executors import executor_factory
from landloom.engine.plan import gather, make_plan
from landloom.engine.project import CORPUS_FOLDER
from landloom.engine.timesteps import TimestepTask
from landloom.engine.units import Observed, Outcome
from landloom.formats.geotiff import encode_geotiff
from landloom.model.ids import SampleId, TileId, Zone
from landloom.pipelines.build import build
from landloom.pipelines.registry import REGISTRY
from landloom.pipelines.starters import write_starter
from landloom.simulate.stac_items import ASSET_KEYS
from landloom.store.versions import Version

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.context import BuildContext
    from landloom.engine.units import Unit

A_TILE: Final = 357
"""Samples of a tile, as published: 500,000 in 1,402."""
PASSES: Final = 73
"""Scenes of a tile in the year: one every five days."""
BYTES: Final = 61_587
"""Stated size of a source file; nothing of it is there."""


def tiles(samples: int) -> list[TileId]:
    """As many tiles as the samples need, none beside another; those of 500,000 lie in 12 zones of Europe."""
    count = -(-samples // A_TILE)
    return [TileId(Zone(27 + place % 12), 12 + place // 12 % 10, 180 + place // 120) for place in range(count)]


def write_project(folder: Path, samples: int) -> None:
    """Recipe, list of samples, labels and item table."""
    rng, folder_name = np.random.default_rng(0), "inputs"
    (folder / folder_name).mkdir(parents=True)
    places = tiles(samples)
    cells = [
        SampleId(tile, cell // 40 + 1, cell % 40 + 1)
        for tile in places
        for cell in sorted(rng.permutation(1_600)[:A_TILE].tolist())
    ][:samples]
    (folder / folder_name / "samples.txt").write_text("\n".join(map(str, cells)) + "\n", encoding="utf-8")
    _write_labels(folder / folder_name / "labels.gpkg", places)
    _write_items(folder / folder_name / "items.parquet", places)
    write_starter("rapidai4eo", folder / "landloom.yaml")
    recipe = yaml.safe_load((folder / "landloom.yaml").read_text(encoding="utf-8"))
    recipe |= {
        "region": {"bounds": [-30.0, 30.0, 50.0, 75.0]},
        "samples": {"draw": "list", "file": f"{folder_name}/samples.txt"},
        "archive": {"kind": "table", "href": f"{folder_name}/items.parquet"},
        "products": {"s2": recipe["products"]["s2"]},
    }
    recipe["labels"]["clc"] |= {"file": f"{folder_name}/labels.gpkg", "column": "code"}
    (folder / "landloom.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")


def _write_labels(path: Path, places: list[TileId]) -> None:
    """Squares of a twentieth of a degree around the tiles."""
    from geopandas import GeoDataFrame

    rng = np.random.default_rng(1)
    corners: set[tuple[int, int]] = set()
    for tile in places:
        west, south, east, north = tile.grid(24_000).footprint().bounds
        columns = range(int(west * 20) - 1, int(east * 20) + 2)
        corners |= {(x, y) for x in columns for y in range(int(south * 20) - 1, int(north * 20) + 2)}
    found = sorted(corners)
    codes = np.array(["111", "112", "211", "231", "311", "312", "313", "324", "512"])[rng.integers(0, 9, len(found))]
    shapes = [box(x / 20, y / 20, (x + 1) / 20, (y + 1) / 20) for x, y in found]
    GeoDataFrame({"code": codes}, geometry=shapes, crs=4326).to_file(path, layer="labels")


def _write_items(path: Path, places: list[TileId]) -> None:
    """A row for each pass over each tile, in the form of Earth Search; their files are nowhere."""
    from stac_geoparquet.arrow import parse_stac_items_to_arrow, to_parquet

    items = (_item(tile, number) for tile in places for number in range(PASSES))
    to_parquet(parse_stac_items_to_arrow(items), path)


def _item(tile: TileId, number: int) -> dict[str, Any]:
    shape = tile.grid(24_000).footprint()
    when = datetime(2018, 1, 1, 10, 30, tzinfo=UTC) + timedelta(days=5 * number)
    name = f"S2A_{str(tile).replace('_', '').replace('-', '')}_{when:%Y%m%d}_0_L2A"
    folder = f"https://nowhere.example.org/sentinel-s2-l2a-cogs/{tile}/2018/{when.month}/{name}"
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "collection": "sentinel-2-l2a",
        "geometry": mapping(shape),
        "bbox": list(shape.bounds),
        "properties": {
            "datetime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
            "updated": "2023-01-01T00:00:00Z",
            "platform": "sentinel-2a",
            "proj:epsg": tile.zone.epsg,
            "eo:cloud_cover": 20.0,
            "s2:processing_baseline": "02.06",
            "earthsearch:boa_offset_applied": False,
        },
        "links": [],
        "assets": {
            key: {"href": f"{folder}/{band}.tif", "type": "image/tiff", "roles": ["data"], "file:size": BYTES}
            for band, key in ASSET_KEYS.items()
        },
    }


def record_composites(context: BuildContext, units: tuple[Unit, ...]) -> None:
    """Write the chips of the composites, and record their units as done."""
    chip: bytes | None = None
    for unit in units:
        task = unit.task
        if not isinstance(task, TimestepTask):
            continue
        if chip is None:
            pixels = np.random.default_rng(2).integers(1, 9, (12, 4, 4)).astype(np.uint16).repeat(15, 1).repeat(15, 2)
            chip = encode_geotiff(pixels, task.samples[0].grid(10), nodata=0)
        files = []
        for key in (
            task.layout.chip(sample.id, task.products[0], step.name, None)
            for sample in task.samples
            for step in task.timesteps
        ):
            content = chip + key.encode()  # no two have the same digest, which would compress well
            path = context.store.path(key)  # type: ignore[attr-defined]
            try:
                path.write_bytes(content)
            except FileNotFoundError:
                path.parent.mkdir(parents=True)
                path.write_bytes(content)
            files.append(FileEntry.of(key, content))
        outcome = Outcome(
            files=tuple(files),
            observed=(
                Observed(
                    product="s2",
                    timesteps=task.timesteps,
                    table=np.ones((len(task.samples), len(task.timesteps)), np.bool_),
                ),
            ),
            lineage=_lineage(task),
            inputs={
                file.href: Version(size=BYTES, etag='"1"')
                for scene in task.scenes
                for file in (*scene.bands.values(), *scene.layers.values())
            },
        )
        context.journal.record_outcome(unit, outcome, seconds=60.0)


def _lineage(task: TimestepTask) -> Lineage:
    return Lineage(
        timesteps=tuple(
            LineageStep(
                timestep=step.name,
                scenes=tuple(
                    SceneRecord.of(scene, clamped=0, validity="SCL")
                    for scene in task.scenes
                    if scene.time in step.period
                ),
                left_out=(),
                without_data=(),
                observations=4.0,
            )
            for step in task.timesteps
        )
    )


def make_corpus(folder: Path, samples: int, workers: int = 2) -> Path:
    """A project and its built corpus; returns the folder of the corpus.

    Args:
        folder: of the project.
        samples: how many.
        workers: processes of the build.
    """
    write_project(folder, samples)
    project, out = REGISTRY.open(folder), folder / CORPUS_FOLDER
    with build_context(out) as context:
        inputs, problems = gather(project, REGISTRY, context, fetch=False)
        record_composites(context, make_plan(project, REGISTRY, inputs, problems).units)
    build(folder, factory=executor_factory(workers))
    return out
