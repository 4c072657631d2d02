"""Reading the datastrips of one overpass as one scene."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from landloom.engine.pixels.reading import SceneReader
    from landloom.model.grid import Grid

Pixels = TypeVar("Pixels", bound=np.generic)


class OverpassReader:
    """The open scenes of one overpass of a granule: a pixel shows the first one that has data there.

    Faults are those of `SceneReader`, and name the scene.
    """

    def __init__(self, readers: Sequence[SceneReader]) -> None:
        """Set the scenes, by precedence; whoever opened them closes them."""
        self._readers = tuple(readers)
        self.scene = self._readers[0].scene
        """The first one."""

    def release(self) -> None:
        """Close the files; they are opened again on the next use."""
        for reader in self._readers:
            reader.release()

    def grid(self, band: str) -> Grid:
        """Grid of a band's file; one granule has one grid."""
        return self._readers[0].grid(band)

    def band(self, name: str, target: Grid) -> NDArray[np.uint16] | None:
        """One band on a grid, 0 without data; None outside all scenes."""
        return _first(reader.band(name, target) for reader in self._readers)

    def classes(self, target: Grid) -> NDArray[Any] | None:
        """Values of the classification on a grid, 0 without data; None outside all scenes."""
        return _first(reader.classes(target) for reader in self._readers)

    def clear(self, target: Grid) -> NDArray[np.bool_] | None:
        """Usable pixels by the classification of the scene that is shown; None if none covers the grid."""
        found: NDArray[np.bool_] | None = None
        empty = np.ones(target.shape, np.bool_)
        for reader in self._readers:
            own, classes = reader.clear(target), reader.classes(target)
            if own is None or classes is None:
                continue
            found = np.zeros(target.shape, np.bool_) if found is None else found
            fresh = empty & (classes != 0)
            np.copyto(found, own, where=fresh)
            empty &= ~fresh
            if not empty.any():
                break
        return found


def _first(parts: Iterable[NDArray[Pixels] | None]) -> NDArray[Pixels] | None:
    """The first number that is not 0, of each pixel; what nothing needs is not read."""
    found: NDArray[Pixels] | None = None
    for part in parts:
        if part is None:
            continue
        found = part if found is None else np.where(found == 0, part, found)
        if found.all():
            break
    return found
