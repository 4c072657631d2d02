"""The archives of a recipe, each opened once per build; searches are cached."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from landloom.archive.batches import search_each
from landloom.archive.files.folder import FolderArchive
from landloom.archive.files.pattern import FilePattern
from landloom.archive.open import archive_kinds, archive_sensor, open_archive
from landloom.archive.orders.odata import ODataArchive
from landloom.archive.orders.states import orders_of
from landloom.archive.protocol import FoundScenes
from landloom.engine.scenes.choose import choose, granule_scenes, read_choice
from landloom.engine.scenes.fetching import JournalOrders, fetch_orders
from landloom.errors import InvalidInputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

    from landloom.archive.choice import SceneChoice
    from landloom.archive.orders.odata import ODataProducts
    from landloom.archive.orders.states import Order
    from landloom.archive.protocol import Archive
    from landloom.engine.context import BuildContext
    from landloom.engine.project import Project
    from landloom.engine.scenes.granules import GranuleScenes
    from landloom.model.ids import GranuleId
    from landloom.model.recipe import ArchiveSection
    from landloom.model.scene import Scene
    from landloom.model.time import Period


def recipe_archive(project: Project, name: str, provider: ODataProducts | None = None) -> Archive:
    """An archive of a recipe; for a provider of whole products, its catalogue.

    Args:
        project: the recipe in its folder.
        name: of the archive.
        provider: serves whole products, instead of the provider named in the recipe.
    """
    section = project.recipe.named_archives()[name]
    kind = archive_kinds()[section.kind]
    if kind.fetched and provider is not None:
        return ODataArchive(provider, level=section.level)
    href = None if section.href is None else project.path(section.href)
    collection = section.level if "level" in kind.takes else section.collection
    archive = open_archive(section.kind, href, collection, sensor=archive_sensor(section), pattern=section.pattern)
    if isinstance(archive, FolderArchive):
        others = (one for one in project.recipe.named_archives().values() if one.href == section.href)
        archive.leave_to_others(FilePattern.parse(text) for one in others for text in one.pattern)
    return archive


class Archives:
    """Searches of a build.

    If the recipe chooses scenes, each archive is searched once, for the whole region, and tiles get their scenes from
    that result; products of a provider are downloaded first, however long that takes. If a file makes the choice and
    all its products are on disk, the provider is not contacted.
    """

    def __init__(
        self, project: Project, context: BuildContext, *, fetch: bool = True, allow_missing: bool = False
    ) -> None:
        """Set the recipe; nothing is opened yet.

        Args:
            project: the recipe in its folder.
            context: of the build.
            fetch: whether to download products from a provider; if not, only its catalogue is searched.
            allow_missing: continue without products that could not be downloaded.
        """
        self._project = project
        self._context = context
        self._fetch = fetch
        self._allow_missing = allow_missing
        self._opened: dict[str, Archive] = {}
        self._supplies: dict[str, tuple[Archive, frozenset[str] | None]] = {}
        self._found: dict[tuple[str, str, Period], tuple[Scene, ...]] = {}
        self._missing: dict[Problem, None] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Problems of the archives' documents and products that could not be downloaded, each listed once."""
        told = [problem for archive in self._opened.values() for problem in archive.problems]
        return tuple(dict.fromkeys([*self._missing, *told]))

    def search(self, name: str, footprints: Mapping[str, BaseGeometry], period: Period) -> dict[str, tuple[Scene, ...]]:
        """Scenes for each of many footprints, limited to those that the recipe chooses.

        Args:
            name: of the archive.
            footprints: tile → outline in WGS84.
            period: half-open.

        Raises:
            BuildError: products could not be downloaded; the next build tries again.
            FaultError: the archive is not available.
        """
        archive, chosen = self._supply(name)
        missing = {tile: shape for tile, shape in footprints.items() if (name, tile, period) not in self._found}
        if missing:
            self._context.listener.started("searching the archive", len(missing))
        for tile, scenes in search_each(archive, missing, period):
            taken = tuple(scene for scene in scenes if chosen is None or scene.id in chosen)
            self._require_sensor(name, taken)
            self._found[name, tile, period] = taken
            self._context.listener.advanced(tile, None)
        return {tile: self._found[name, tile, period] for tile in footprints}

    def granules(self, name: str, granules: Sequence[GranuleId], period: Period) -> dict[GranuleId, GranuleScenes]:
        """The scenes of granules in an archive, and those that the recipe chooses.

        Raises:
            BuildError: products could not be downloaded; the next build tries again.
            FaultError: the archive is not available.
        """
        self._context.listener.started("searching the archive", 1)
        if not archive_kinds()[self._section(name).kind].fetched:
            found = granule_scenes(self._project, self._open(name), granules, period)
        else:
            found = self._fetched_granules(name, granules, period)
        for one in found.values():
            self._require_sensor(name, one.choice().apply(one.candidates))
        self._context.listener.advanced(name, None)
        return found

    def _require_sensor(self, name: str, scenes: Iterable[Scene]) -> None:
        """Refuse scenes of another sensor or level than the one that bands and masks were chosen for."""
        sensor = archive_sensor(self._section(name))
        other = next((scene for scene in scenes if scene.sensor != sensor.name), None)
        if other is not None:
            raise InvalidInputError(
                f"{name}: got the scene {other.id} of {other.sensor}, expected {sensor.name}: name the archive's sensor"
            )

    def _fetched_granules(
        self, name: str, granules: Sequence[GranuleId], period: Period
    ) -> dict[GranuleId, GranuleScenes]:
        orders = self._known()
        if orders is None:
            found = granule_scenes(self._project, self._open(name), granules, period)
            if not self._fetch:
                return found
            for one in found.values():
                told = chain.from_iterable(one.passed_over().values())
                self._missing |= {Problem(where=scene, what=reason): None for scene, reason in told}
            orders = orders_of([scene for one in found.values() for scene in one.choice().apply(one.candidates)])
        archive, received = self._receive(name, orders)
        found = granule_scenes(self._project, archive, granules, period, "all")
        return {granule: replace(one, fixed=received) for granule, one in found.items()}

    def _section(self, name: str) -> ArchiveSection:
        return self._project.recipe.named_archives()[name]

    def _open(self, name: str) -> Archive:
        if name not in self._opened:
            self._opened[name] = recipe_archive(self._project, name, self._context.provider)
        return self._opened[name]

    def _supply(self, name: str) -> tuple[Archive, frozenset[str] | None]:
        """The source of scenes for tiles, and the ids of those received from a provider; all if None."""
        if name not in self._supplies:
            self._supplies[name] = self._supplied(name)
        return self._supplies[name]

    def _supplied(self, name: str) -> tuple[Archive, frozenset[str] | None]:
        if not archive_kinds()[self._section(name).kind].fetched:
            archive = self._open(name)
            return archive if self._project.recipe.scenes is None else self._chosen(archive), None
        orders = self._known()
        if orders is None:
            found = self._chosen(self._open(name))
            if not self._fetch:
                return found, None
            orders = orders_of(found.scenes)
        return self._receive(name, orders)

    def _chosen(self, archive: Archive) -> FoundScenes:
        """The scenes that the recipe chooses in an archive."""
        found = choose(self._project, archive)
        self._require_choice(found.choice)
        return FoundScenes(scenes=found.scenes)

    def _known(self) -> Sequence[Order] | None:
        """The orders for the scenes chosen in a file, if all are known; then the catalogue need not be searched."""
        section = self._project.recipe.scenes
        if not self._fetch or section is None or section.file is None:
            return None
        choice = read_choice(self._project.path(section.file))
        book = JournalOrders(self._context.journal).load()
        self._require_choice(choice)
        return [book[one] for one in choice.ids] if all(one in book for one in choice.ids) else None

    def _receive(self, name: str, orders: Sequence[Order]) -> tuple[Archive, frozenset[str]]:
        """Download products; from then on the archive is the folder that contains them.

        Returns:
            The folder's archive, and the ids of the products in it.
        """
        section = self._section(name)
        if name in self._opened:
            self._missing |= dict.fromkeys(self._opened[name].problems)
        folder = Path(self._project.path(section.fetch.folder))
        there, missing = fetch_orders(orders, section, folder, self._context, allow_missing=self._allow_missing)
        self._missing |= dict.fromkeys(missing)
        self._opened[name] = open_archive("safe", str(folder), section.level)
        return self._opened[name], there

    def _require_choice(self, choice: SceneChoice) -> None:
        """Refuse an empty choice before an empty corpus is built."""
        if choice.ids or not choice.candidates:
            return
        section, count = self._project.recipe.scenes, len(choice.candidates)
        if section is not None and section.file is not None:
            raise InvalidInputError(f"{section.file}: got {count} lines without a yes, expected at least one")
        raise InvalidInputError(f"scenes: none of {count} passes cloud, overlap, valid, levels and size; relax them")


def all_scenes(found: Iterable[Mapping[str, tuple[Scene, ...]]]) -> set[str]:
    """Ids of all scenes in several results."""
    return {scene.id for answer in found for scenes in answer.values() for scene in scenes}
