"""A folder of rasters, one band or all bands to a file, whose names say date and band."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from landloom.archive.files.scenes import (
    FileArchive,
    SceneName,
    first_header,
    layer_names,
    scene_file,
    scene_of,
    stacked,
    stored_names,
)
from landloom.errors import InvalidInputError, PermanentFaultError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from landloom.archive.files.pattern import FileName, FilePattern
    from landloom.model.scene import Scene, SceneFile
    from landloom.model.sensor import Sensor

_BESIDE: Final = (".aux.xml", ".ovr", ".msk", ".tfw", ".prj")
"""Endings of files that belong to a raster beside them."""
MOST_NAMED: Final = 10
"""Files that one message lists."""


@dataclass(slots=True)
class _Found:
    """The files of one scene."""

    name: SceneName
    bands: dict[str, Path] = field(default_factory=dict)
    whole: Path | None = None
    """The file with all bands."""


class FolderArchive(FileArchive):
    """Scenes of a folder of rasters; see `landloom.archive.protocol.Archive`.

    The folder is listed once. Files whose names do not match, and bands that the sensor lacks, are left out and listed
    in `problems`.
    """

    def __init__(self, folder: Path, patterns: Sequence[FilePattern], sensor: Sensor) -> None:
        """Set the folder; nothing is read yet.

        Args:
            folder: that holds the files, in sub-folders or not.
            patterns: of paths below the folder; the first that matches a file counts.
            sensor: of all scenes.
        """
        super().__init__(folder, sensor)
        self._patterns = tuple(patterns)
        self._beside: tuple[FilePattern, ...] = ()

    def leave_to_others(self, patterns: Iterable[FilePattern]) -> None:
        """Do not report files of these patterns: other archives read them."""
        self._beside = tuple(patterns)

    def _read(self) -> Iterator[Scene]:
        if not self._place.is_dir():
            raise PermanentFaultError(f"{self._place}: no such folder")
        self._say_no_offset("file names do")
        for found in self._found().values():
            scene = self._scene(found)
            if scene is not None:
                yield scene

    def _found(self) -> dict[str, _Found]:
        """Id → files of each scene."""
        scenes: dict[str, _Found] = {}
        strangers: list[Path] = []
        unknown: dict[str, list[Path]] = {}
        known = {text.lower(): name for text, name in stored_names(self._sensor).items()}
        for path in self._files():
            said = self._said(path)
            if said is None:
                if not any(one.match(path.relative_to(self._place).as_posix()) for one in self._beside):
                    strangers.append(path)
                continue
            name = None if said.band is None else known.get(said.band.lower())
            if said.band is not None and name is None:
                unknown.setdefault(said.band, []).append(path)
                continue
            self._take(scenes, said, name, path)
        self._tell(strangers, unknown, matched=bool(scenes))
        return scenes

    def _files(self) -> list[Path]:
        found = (path for path in self._place.rglob("*") if path.is_file())
        return sorted(p for p in found if not p.name.startswith(".") and not p.name.lower().endswith(_BESIDE))

    def _said(self, path: Path) -> FileName | None:
        below = path.relative_to(self._place).as_posix()
        return next((said for one in self._patterns if (said := one.match(below)) is not None), None)

    def _take(self, scenes: dict[str, _Found], said: FileName, band: str | None, path: Path) -> None:
        name = SceneName(id=said.scene, time=said.time, granule=said.granule)
        own = scenes.setdefault(said.scene, _Found(name=name))
        there = own.whole if band is None else own.bands.get(band)
        if there is not None:
            what = f"is {band or 'all bands'} of {said.scene}, as {there.name} is: left out; tell them by {{place}}"
            self._report(path, what)
        elif band is None:
            own.whole = path
        else:
            own.bands[band] = path

    def _tell(self, strangers: Sequence[Path], unknown: dict[str, list[Path]], *, matched: bool) -> None:
        """Name what was left out; a folder of which nothing matches is a fault."""
        patterns = " or ".join(one.text for one in self._patterns)
        if not matched:
            named = ", ".join(path.relative_to(self._place).as_posix() for path in [*strangers][:MOST_NAMED])
            more = f" and {len(strangers) - MOST_NAMED} more" if len(strangers) > MOST_NAMED else ""
            bands = f"; {', '.join(sorted(unknown))} are no bands of {self._sensor.title}" if unknown else ""
            got = f"got {named}{more}" if strangers else "got no file" if not unknown else "got only other bands"
            raise PermanentFaultError(f"{self._place}: no file matches {patterns}: {got}{bands}")
        for path in strangers:
            self._report(path, f"does not match {patterns}: left out")
        for band, paths in sorted(unknown.items()):
            wanted = ", ".join(layer_names(self._sensor))
            what = f"band {band} in {len(paths)} files is none of {self._sensor.title}: left out; expected {wanted}"
            self._report(paths[0], what)

    def _scene(self, found: _Found) -> Scene | None:
        """The scene of some files; None if none of them can be read."""
        paths = [found.whole] if found.whole is not None else [*found.bands.values()]
        header, faults = first_header([str(path) for path in paths])
        for address, what in faults:
            self._report(Path(address), what)
        if header is None:
            return None
        files: dict[str, SceneFile] = {}
        if found.whole is not None:
            try:
                numbers = stacked(self._sensor, header)
            except InvalidInputError as error:
                self._report(found.whole, f"{error}; left out")
                return None
            files = {name: scene_file(str(found.whole), self._sensor, number) for name, number in numbers.items()}
        files |= {name: scene_file(str(path), self._sensor) for name, path in found.bands.items()}
        return scene_of(found.name, self._sensor, files, header.grid)
