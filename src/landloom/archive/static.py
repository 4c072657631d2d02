"""A static STAC directory: catalogs, collections and items as JSON files that link to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landloom.archive.dedupe import resolve_duplicates
from landloom.archive.gathered import ItemGate
from landloom.errors import PermanentFaultError
from landloom.formats.stac.walk import StaticStac

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shapely.geometry.base import BaseGeometry

    from landloom.archive.protocol import Documents
    from landloom.errors import Problem
    from landloom.formats.stac.profiles import Profile
    from landloom.model.scene import Scene
    from landloom.model.sensor import Sensor
    from landloom.model.time import Period


class StaticArchive:
    """Scenes of a static STAC directory.

    Dangling links and unreadable items are left out and listed in `problems`. Each document is read
    once. A collection whose extent does not meet the search is not read any further.
    """

    def __init__(
        self, href: str, documents: Documents, profile: Profile | None = None, sensor: Sensor | None = None
    ) -> None:
        """Set the address of the directory; nothing is read yet.

        Args:
            href: path or URL of `catalog.json`, `collection.json` or a single item.
            documents: file reader.
            profile: the provider's asset naming; None detects it from each item.
            sensor: expected sensor; items of others are left out. None accepts any.
        """
        self._stac = StaticStac(href, documents.read, self._scenes, self._report)
        self._gate = ItemGate(profile, sensor)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Problems of the documents read so far: file and problem."""
        return self._gate.problems

    def search(self, footprint: BaseGeometry, period: Period) -> tuple[Scene, ...]:
        """See `landloom.archive.protocol.Archive`.

        Raises:
            PermanentFaultError: the entry document itself is missing or not STAC.
        """
        found: dict[str, Scene] = {}
        for scene in self._stac.walk(footprint, period):
            self._gate.gather(found, scene, footprint, period, str(scene.href))
        entry = [problem for problem in self.problems if problem.where == self._stac.root]
        if not found and entry and not self._stac.reached:
            raise PermanentFaultError("; ".join(map(str, entry)))
        return resolve_duplicates(found.values())

    def _scenes(self, item: Mapping[str, Any], where: str, href: str) -> Iterator[Scene]:
        scene = self._gate.scene(item, href, where)
        if scene is not None:
            yield scene

    def _report(self, where: str, what: str, _: Exception) -> None:
        self._gate.report(where, what)
