"""Scenes of a few hundred pixels, written as GeoTIFFs from known numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.formats.geotiff import encode_cog
from landloom.model.grid import Grid
from landloom.model.scene import Role, Scene, SceneFile
from landloom.model.sensor import SENTINEL2, SENTINEL_2_L2A

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

AREA = Grid.of_bounds(32633, (500_040, 5_000_040, 502_440, 5_002_440), 10)
"""2.4 km on multiples of 60 m."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Small:
    """A scene, and the numbers in its files."""

    scene: Scene
    grids: Mapping[str, Grid]
    numbers: Mapping[str, NDArray[Any]]


def numbers_of(seed: int, names: tuple[str, ...], area: Grid = AREA) -> dict[str, NDArray[Any]]:
    """Random numbers of bands in their native resolution, a corner without data; of SCL, patches of classes."""
    rng, found = np.random.default_rng(seed), {}
    for name in names:
        grid = area.at(native(name))
        if name == "SCL":
            small = rng.choice([4, 4, 4, 4, 5, 6, 8, 9, 3, 0], (grid.height // 4, grid.width // 4))
            array = small.repeat(4, 0).repeat(4, 1).astype(np.uint8)
        else:
            array = rng.integers(1, 4_000, grid.shape).astype(np.uint16)
        edge = round(300 / grid.pixel_width)
        array[:edge, :edge] = 0
        found[name] = array
    return found


def native(name: str) -> float:
    """Metres of a pixel of a band or of SCL."""
    return 20 if name == "SCL" else SENTINEL2[name].resolution


def write_scene(
    folder: Path,
    numbers: Mapping[str, NDArray[Any]],
    *,
    name: str = "S2A_1",
    area: Grid = AREA,
    offset: int = 0,
    **rest: Any,
) -> Small:
    """Write bands and SCL, and describe them.

    Args:
        folder: gets a folder of the scene's name.
        numbers: band or SCL → what its file holds.
        name: id of the scene.
        area: where it lies.
        offset: that stored numbers still carry.
        **rest: of the scene.
    """
    (folder / name).mkdir(parents=True, exist_ok=True)
    grids, assets = {key: area.at(native(key)) for key in numbers}, {}
    for key, array in numbers.items():
        path = folder / name / f"{key}.tif"
        path.write_bytes(encode_cog(array[None], grids[key], nodata=0))
        assets[key] = SceneFile(href=str(path), offset=0 if key == "SCL" else offset)
    layers = {Role.CLASSIFICATION: assets.pop("SCL")} if "SCL" in assets else {}
    said: dict[str, Any] = {
        "time": datetime(2018, 6, 1, 10, tzinfo=UTC),
        "granule": "33TWL",
        "sensor": SENTINEL_2_L2A.name,
    }
    said |= rest
    scene = Scene(id=name, epsg=area.epsg, footprint=area.footprint(), bands=assets, layers=layers, **said)
    return Small(scene=scene, grids=grids, numbers=numbers)
