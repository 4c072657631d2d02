"""The scenes of one search, as they come in: an id is taken once, and what is left out or odd is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landloom.archive.protocol import is_wanted
from landloom.errors import InvalidDocumentError, Problem
from landloom.formats.stac.items import parse_scene
from landloom.formats.stac.profiles import detect_profile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from shapely.geometry.base import BaseGeometry

    from landloom.formats.stac.profiles import Profile
    from landloom.model.scene import Scene
    from landloom.model.sensor import Sensor
    from landloom.model.time import Period


class ItemGate:
    """Where STAC items become scenes; each archive of items has one, and it keeps what was wrong with them."""

    def __init__(self, profile: Profile | None = None, sensor: Sensor | None = None) -> None:
        """Say what items are expected to be.

        Args:
            profile: how the provider names assets; found from each item when None.
            sensor: that the archive is of; any when None.
        """
        self._profile = profile
        self._sensor = sensor
        self._problems: dict[Problem, None] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that was left out or ignored so far, each once."""
        return tuple(self._problems)

    def report(self, where: str, what: str) -> None:
        """Keep a problem."""
        self._problems[Problem(where=where, what=what)] = None

    def scene(self, item: Mapping[str, Any], href: str, where: str) -> Scene | None:
        """The scene of an item; None where it cannot be used, which is kept as a problem.

        Args:
            item: its document.
            href: address of the document, which relative hrefs start from.
            where: what problems call it.
        """
        try:
            return parse_scene(item, href, self._profile or detect_profile(item), self._sensor)
        except InvalidDocumentError as error:
            for problem in error.problems:
                self.report(where, str(problem))
            return None

    def gather(
        self, found: dict[str, Scene], scene: Scene, footprint: BaseGeometry, period: Period, where: str
    ) -> None:
        """Take a scene into the answer of a search, if it belongs there and its id is not taken.

        Args:
            found: id → scene so far.
            scene: to take in.
            footprint: that is searched for.
            period: that is searched for.
            where: what problems call it.
        """
        if not is_wanted(scene, footprint, period):
            return
        there = found.get(scene.id)
        if there is not None:
            if (there.href, there.collection, dict(there.bands)) != (scene.href, scene.collection, dict(scene.bands)):
                self.report(where, f"id {scene.id!r} is taken by {_named(there)}; left out")
            return
        found[scene.id] = scene
        for note in scene.notes:
            self.report(where, note)


def _named(scene: Scene) -> str:
    """Document and collection of a scene."""
    return ", collection ".join(part for part in (scene.href, scene.collection) if part) or scene.id
