"""Memory that reading scenes from cubes takes beside what a unit holds itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landloom.store.cubes.dataset import HELD
from landloom.store.drivers import CubeVariable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from landloom.model.scene import Scene


def held_chunks(scenes: Iterable[Scene]) -> int:
    """Bytes of decoded chunks that a worker holds while it reads scenes: some if any lies in a Zarr cube, else none.

    Args:
        scenes: of a unit.

    Example:
        >>> held_chunks([])
        0
    """
    assets = (asset for scene in scenes for asset in (*scene.bands.values(), *scene.layers.values()))
    variables = (CubeVariable.of(asset.href) for asset in assets)
    return HELD if any(one is not None and one.driver == "Zarr" for one in variables) else 0
