"""The interface of archives, and the narrow capabilities that they use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from shapely import intersects, touches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shapely.geometry.base import BaseGeometry

    from landloom.errors import Problem
    from landloom.model.scene import Scene
    from landloom.model.time import Period


@runtime_checkable
class Archive(Protocol):
    """A searchable collection of scenes."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Problems of the documents read so far (dangling links, unreadable items), each listed once."""
        ...

    def search(self, footprint: BaseGeometry, period: Period) -> tuple[Scene, ...]:
        """The scenes whose outline shares area with a footprint and whose sensing starts within a period.

        Args:
            footprint: outline in WGS84, longitude latitude; a multipolygon across the antimeridian.
            period: half-open.

        Returns:
            In order of time, then id. Reprocessed duplicates are resolved (`landloom.archive.dedupe`).

        Raises:
            TransientFaultError: the archive is temporarily unavailable, after retries.
            PermanentFaultError: it is permanently unavailable (no such collection, no such file).
        """
        ...


class Documents(Protocol):
    """Reads small whole files by path or URL."""

    def read(self, href: str, document: str | None = None) -> bytes:
        """The bytes of a document.

        Args:
            href: its path or address.
            document: address of the document that names it; None or empty if the user does.

        Raises:
            MissingKeyError: there is no such document.
            TransientFaultError: it is temporarily unreadable.
            PermanentFaultError: it is permanently unreadable.
        """
        ...


def in_order(scenes: Iterable[Scene]) -> tuple[Scene, ...]:
    """Scenes by time, then id: the order of search results.

    Example:
        >>> in_order([])
        ()
    """
    return tuple(sorted(scenes, key=lambda scene: (scene.time, scene.id)))


def is_wanted(scene: Scene, footprint: BaseGeometry, period: Period) -> bool:
    """Whether a scene matches a search: sharing only an edge or corner does not count.

    Example:
        >>> from shapely import box
        >>> from landloom.model.scene import Scene
        >>> from landloom.model.time import Period, parse_instant
        >>> scene = Scene(
        ...     id="a", time=parse_instant("2018-05-01"), granule=None, epsg=None, footprint=box(0, 0, 1, 1), bands={}
        ... )
        >>> is_wanted(scene, box(0.5, 0, 2, 1), Period.year(2018)), is_wanted(scene, box(1, 0, 2, 1), Period.year(2018))
        (True, False)
    """
    return bool(
        scene.time in period and intersects(scene.footprint, footprint) and not touches(scene.footprint, footprint)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundScenes:
    """The scenes of an earlier search as an `Archive`: searching them again costs no request.

    Example:
        >>> from shapely import box
        >>> from landloom.model.time import Period
        >>> FoundScenes(scenes=()).search(box(0, 0, 1, 1), Period.year(2018))
        ()
    """

    scenes: tuple[Scene, ...]
    """Without reprocessed duplicates."""
    problems: tuple[Problem, ...] = ()
    """Problems of that search."""

    def search(self, footprint: BaseGeometry, period: Period) -> tuple[Scene, ...]:
        """See `Archive`."""
        return in_order(scene for scene in self.scenes if is_wanted(scene, footprint, period))
