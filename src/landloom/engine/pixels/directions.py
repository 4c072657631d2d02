"""Scenes brought to a nadir view and a fixed sun as they are read, where their angles are known."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.corpus.lineage import NadirRecord
from landloom.errors import InvalidDocumentError, InvalidInputError, MissingKeyError, PermanentFaultError
from landloom.formats.safe.directions import parse_angles
from landloom.imagery.harmonise.directions import factors_on, multiplied, node_factors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.model.grid import Grid
    from landloom.model.scene import Angles, Scene

ALREADY: Final = "already at nadir, under its own sun"
"""Published of scenes whose provider has normalised them."""
NO_ANGLES: Final = "no angles"
"""Published of scenes without angles."""


@dataclass(slots=True)
class SceneDirections:
    """The factors of a scene; its angles are read on first use.

    Example:
        >>> from datetime import datetime, UTC
        >>> from shapely import box
        >>> from landloom.model.scene import Scene
        >>> place, time = box(0, 0, 1, 1), datetime(2018, 6, 3, tzinfo=UTC)
        >>> scene = Scene(
        ...     id="a", time=time, granule=None, epsg=32633, footprint=place, bands={}, sensor="hls-s30"
        ... )
        >>> SceneDirections(scene, 45.0).record().absent
        'already at nadir, under its own sun'
    """

    scene: Scene
    to_sun: float
    """Zenith of the fixed sun, in degrees."""
    _angles: Angles | None = None
    _absent: str | None = None
    _nodes: dict[str, NDArray[np.float32] | None] | None = None

    def applied(self, band: str, numbers: NDArray[np.uint16], window: Grid) -> NDArray[np.uint16]:
        """Stored numbers of a window of a band, brought to nadir; unchanged where the angles are not known.

        Raises:
            TransientFaultError: the document of the angles is temporarily unreadable.
        """
        nodes = self._factors(band)
        if nodes is None or self._angles is None or window.epsg != self.scene.epsg:
            return numbers
        return multiplied(numbers, factors_on(nodes, self._angles, window))

    def record(self) -> NadirRecord:
        """What lineage says: mean angles and factors of the bands read so far, or why there are none."""
        known = {name: nodes for name, nodes in sorted((self._nodes or {}).items()) if nodes is not None}
        if self._angles is None or not known:
            return NadirRecord(absent=self._absent or (ALREADY if self.scene.made_by.nadir else NO_ANGLES))
        views = [self._angles.view[name].zenith for name in known]
        return NadirRecord(
            sun=round(float(np.nanmean(self._angles.sun.zenith)), 2),
            view=round(float(np.nanmean(views)), 2),
            factors={name: round(float(nodes.mean()), 4) for name, nodes in known.items()},
        )

    def _factors(self, band: str) -> NDArray[np.float32] | None:
        if self._nodes is None:
            self._nodes, self._angles = {}, self._read()
        if band not in self._nodes:
            own = self.scene.made_by.bands.get(band)
            unknown = self._angles is None or own is None
            self._nodes[band] = None if unknown else node_factors(self._angles, own, self.to_sun)  # type: ignore[arg-type]
        return self._nodes[band]

    def _read(self) -> Angles | None:
        from landloom.store.href_documents import HrefDocuments  # noqa: PLC0415 - needs a client for the network

        scene = self.scene
        if scene.made_by.nadir or scene.angles is not None or scene.angles_at is None:
            return None if scene.made_by.nadir else scene.angles
        file = scene.angles_at
        address = file.href if file.signing is None else file.signing.signed(file.href)
        try:
            return parse_angles("metadata of the granule", HrefDocuments().read(address, scene.found_at or scene.href))
        except (PermanentFaultError, MissingKeyError):
            self._absent = f"{NO_ANGLES}: the metadata of the granule is missing"
        except (InvalidDocumentError, InvalidInputError) as error:
            self._absent = f"{NO_ANGLES}: {error}"
        return None


def angles_identity(scene: Scene) -> list[str]:
    """What tells the angles of a scene from others."""
    if scene.angles is not None:
        parts = (scene.angles.sun, *scene.angles.view.values())
        values = b"".join(np.asarray([one.zenith, one.azimuth], np.float64).tobytes() for one in parts)
        return [sha256(values).hexdigest()]
    return [] if scene.angles_at is None else [scene.angles_at.checksum or str(scene.angles_at.size)]
