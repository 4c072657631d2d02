"""A second sensor over the simulated land: 30 m every eight days, in its own bandpasses and under other clouds.

`simulate_second` writes it as Landsat Collection 2 Level 2, in the form of Earth Search:

```
catalog.json
LC08_L2SP_…/LC08_L2SP_….json, blue.tif, green.tif, red.tif, nir08.tif, qa_pixel.tif
```
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError
from landloom.formats.geotiff import encode_cog
from landloom.model.grid import Grid
from landloom.model.sensor import CLEAR, REFLECTANCE_SCALE
from landloom.model.time import format_instant
from landloom.simulate.schedule import cloud_cover
from landloom.simulate.world import SceneSpec, World
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from landloom.simulate.spec import WorldSpec

STEP: Final = 8
"""Days between scenes."""
ORBIT: Final = 37
COARSE: Final = 3
"""Pixels of the first sensor along a side of one of the second."""
BANDS: Final = ("blue", "green", "red", "nir08")
"""Asset keys, in the order of the bandpasses."""
QA_CLEAR, QA_CLOUD = 21_824, 22_280
"""Values of QA_PIXEL."""
SCALE, OFFSET = 0.0000275, -0.2
"""Stored numbers to reflectance, in Collection 2 Level 2."""
_FIRST: Final = 5
_SOURCES: Final = ("B01", "B02", "B03", "B04", "B08", "B8A")
# Bandpasses of the second sensor: shares of the first one's bands, and an offset in 1e-4.
_BANDPASS: Final = np.array(
    [
        [0.25, 0.70, 0.05, 0.00, 0.00, 0.00],
        [0.00, 0.12, 0.83, 0.05, 0.00, 0.00],
        [0.00, 0.00, 0.10, 0.92, 0.00, 0.00],
        [0.00, 0.00, 0.00, 0.03, 0.17, 0.82],
    ],
    dtype=np.float32,
)
_SHIFT: Final = np.array([12.0, -8.0, 5.0, -20.0], dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SecondView:
    """A scene of the second sensor at 30 m."""

    pixels: NDArray[np.uint16]
    """(band, y, x) 10,000 × reflectance in the sensor's own bandpasses, with clouds."""
    clear: NDArray[np.bool_]
    """(y, x) clear according to its mask."""
    cloudy: NDArray[np.bool_]
    """(y, x) truth: cloud or shadow."""


def second_view(world: World, scene: SceneSpec, grid: Grid) -> SecondView:
    """What the second sensor sees.

    Args:
        world: the land.
        scene: time, orbit and cover.
        grid: at 10 m, of whole pixels of 30 m.
    """
    view = world.observe(scene, grid, _SOURCES)
    mixed = np.tensordot(_BANDPASS, view.pixels.astype(np.float32), axes=1) + _SHIFT[:, None, None]
    return SecondView(
        pixels=np.clip(np.rint(_blocks(mixed).mean(axis=(-1, -3))), 1, 65_534).astype(np.uint16),
        clear=np.asarray(_blocks(np.isin(view.scl, list(CLEAR))).all(axis=(-1, -3)), np.bool_),
        cloudy=np.asarray(_blocks(view.cloudy).any(axis=(-1, -3)), np.bool_),
    )


def _blocks(values: NDArray[Any]) -> NDArray[Any]:
    """(…, y, x) → (…, y/3, 3, x/3, 3)."""
    *outer, height, width = values.shape
    return values.reshape(*outer, height // COARSE, COARSE, width // COARSE, COARSE)


def simulate_second(
    spec: WorldSpec, folder: str | Path, *, pool: Callable[[], AbstractContextManager[Executor]] | None = None
) -> int:
    """Write the archive of the second sensor over all places of a world, for the days of its views.

    An existing archive of the same world is left unchanged.

    Args:
        spec: the world.
        folder: of the archive.
        pool: makes the executor that renders scenes; by default this process.

    Returns:
        Number of scenes.

    Raises:
        InvalidInputError: the folder contains the archive of another world.
    """
    store, mine = LocalStore(Path(folder)), repr(spec)
    days = range(_FIRST, max(view.last for view in spec.views) + 1, STEP)
    jobs = [(number, day) for number in range(len(spec.places)) for day in days]
    if store.exists("catalog.json"):
        if json.loads(store.get("catalog.json")).get("landloom:world") != mine:
            raise InvalidInputError(f"{folder}: got the archive of another world, expected an empty folder: remove it")
        return len(jobs)
    links = []
    if pool is None:
        links = [_put(store, files) for files in map(partial(_scene_files, spec), jobs)]
    else:
        with pool() as executor:
            links = [_put(store, files) for files in executor.map(partial(_scene_files, spec), jobs)]
    catalog = {
        "type": "Catalog",
        "stac_version": "1.0.0",
        "id": "landsat-c2-l2",
        "description": "A simulated world, in the shape of Landsat Collection 2 Level 2.",
        "landloom:world": mine,
        "links": [{"rel": "item", "href": f"./{link}"} for link in links],
    }
    store.put("catalog.json", _json(catalog))
    return len(jobs)


def _put(store: LocalStore, files: Iterable[tuple[str, bytes]]) -> str:
    """Write the files of a scene; returns the key of the item, which is the last."""
    written = list(files)
    for key, data in written:
        store.put(key, data)
    return written[-1][0]


def _scene_files(spec: WorldSpec, job: tuple[int, int]) -> list[tuple[str, bytes]]:
    number, day = job
    place = spec.places[number]
    time = datetime(spec.year, 1, 1, 10, 5, tzinfo=UTC) + timedelta(days=day - 1)
    name = f"LC08_L2SP_193{number:03d}_{time:%Y%m%d}_{time:%Y%m%d}_02_T1"
    fine = Grid.of_bounds(place.epsg, place.bounds, 10)
    cover = cloud_cover(spec, ORBIT, day)
    scene = SceneSpec(id=name, time=time, granule=spec.views[0].granule, grid=fine, orbit=ORBIT, cover=cover)
    view = second_view(World(spec), scene, fine)
    own = fine.at(10.0 * COARSE)
    numbers = np.rint((view.pixels / REFLECTANCE_SCALE - OFFSET) / SCALE).astype(np.uint16)
    layers = {**dict(zip(BANDS, numbers, strict=True)), "qa_pixel": np.where(view.clear, QA_CLEAR, QA_CLOUD)}
    files = [
        (f"{name}/{key}.tif", encode_cog(layer.astype(np.uint16), own, nodata=0, block=256, overviews=False, level=1))
        for key, layer in layers.items()
    ]
    return [*files, (f"{name}/{name}.json", _json(_item(name, time, own, 100 * (1 - float(view.clear.mean())))))]


def _item(name: str, time: datetime, grid: Grid, clouds: float) -> dict[str, Any]:
    outline = grid.footprint()
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "bbox": [round(value, 9) for value in outline.bounds],
        "geometry": json.loads(json.dumps(outline.__geo_interface__)),
        "properties": {
            "datetime": format_instant(time),
            "platform": "landsat-8",
            "proj:epsg": grid.epsg,
            "eo:cloud_cover": round(clouds, 2),
        },
        "assets": {key: {"href": f"./{key}.tif"} for key in (*BANDS, "qa_pixel")},
        "links": [],
    }


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
