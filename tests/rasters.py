"""Reading one window of a file, as tests do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.model.grid import Grid
    from landloom.store.patience import Patience


def read_window(
    href: str, window: Grid, *, band: int = 1, fill: float = 0, patience: Patience | None = None
) -> NDArray[Any]:
    """Open a file and read a window of a band."""
    with open_raster(href, patience=patience) as raster:
        return raster.read(window, band=band, fill=fill)
