"""Scenes of files: which band lies in which file, and where the files lie."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from landloom.archive.protocol import in_order, is_wanted
from landloom.errors import FaultError, InvalidInputError, Problem
from landloom.model.scene import Role, Scene, SceneFile
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from shapely.geometry.base import BaseGeometry

    from landloom.model.grid import Grid
    from landloom.model.sensor import Sensor
    from landloom.model.time import Period


class FileArchive(ABC):
    """Scenes of files that are listed once, by the first search; see `landloom.archive.protocol.Archive`.

    Args:
        place: file or folder; nothing is read yet.
        sensor: of all scenes.
    """

    def __init__(self, place: Path, sensor: Sensor) -> None:
        self._place = place
        self._sensor = sensor
        self._problems: dict[Problem, None] = {}
        self._scenes: tuple[Scene, ...] | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was left out."""
        return tuple(self._problems)

    def search(self, footprint: BaseGeometry, period: Period) -> tuple[Scene, ...]:
        """See `landloom.archive.protocol.Archive`.

        Raises:
            PermanentFaultError: there is no such place, or no scene in it.
        """
        if self._scenes is None:
            self._scenes = in_order(self._read())
        return in_order(scene for scene in self._scenes if is_wanted(scene, footprint, period))

    @abstractmethod
    def _read(self) -> Iterable[Scene]:
        """All scenes, in any order."""

    def _say_no_offset(self, what: str) -> None:
        """Say that the offset of a sensor's later processing baselines is not applied."""
        if self._sensor.offset is not None:
            told = f"{what} not tell the processing baseline of {self._sensor.title}: no offset is applied"
            self._report(self._place, told)

    def _report(self, where: str | Path, what: str) -> None:
        self._problems[Problem(where=str(where), what=what)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What is read from a file when it is found."""

    grid: Grid
    count: int
    bands: tuple[str, ...]
    """Descriptions of its bands, empty where there is none."""
    times: tuple[tuple[float, ...], str] | None = None
    """Times of the bands and their CF units, of a variable of a cube."""

    @classmethod
    def of(cls, address: str) -> Header:
        """The header of a file.

        Raises:
            FaultError: it cannot be read.
        """
        with open_raster(address) as file:
            return cls(grid=file.grid, count=file.count, bands=file.bands, times=file.times)


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneName:
    """The names of a scene."""

    id: str
    time: datetime
    granule: str | None = None


def stored_names(sensor: Sensor) -> dict[str, str]:
    """What stands for a band or mask in file names → its name; the sensor's own names stand for themselves.

    Example:
        >>> from landloom.model.sensor import HLS_L30
        >>> stored_names(HLS_L30)["Fmask"]
        'Fmask'
    """
    names = {name: name for name in layer_names(sensor)}
    return {file: name for name, (file, _) in sensor.stored.items()} if sensor.is_described else names


def layer_names(sensor: Sensor) -> list[str]:
    """Bands of a sensor, then its mask: the order of a file that holds them all."""
    layer = sensor.classification
    return [*sensor.bands, *([] if layer is None else [layer.name])]


def scene_of(name: SceneName, sensor: Sensor, files: Mapping[str, SceneFile], grid: Grid) -> Scene:
    """The scene of some files.

    Args:
        name: its names.
        sensor: of the archive.
        files: band or mask → file.
        grid: of any of the files.
    """
    layer = sensor.classification
    mask = None if layer is None else files.get(layer.name)
    return Scene(
        id=name.id,
        time=name.time,
        granule=name.granule,
        epsg=grid.epsg,
        footprint=grid.footprint(),
        bands={band: file for band, file in files.items() if band in sensor.bands},
        layers={} if mask is None else {Role.CLASSIFICATION: mask},
        sensor=sensor.name,
        described=sensor if sensor.is_described else None,
        level=sensor.level,
    )


def scene_file(address: str, sensor: Sensor, band: int = 1, path: Path | None = None) -> SceneFile:
    """A band of a file.

    Args:
        address: the path, or that of a variable in a cube.
        sensor: of the archive.
        band: number in the file.
        path: of the file, if the address is another one.
    """
    place = Path(address) if path is None else path
    return SceneFile(
        href=address,
        band=band,
        conversion=sensor.conversion,
        scale_known=sensor.conversion is not None,
        size=place.stat().st_size if place.is_file() else None,
    )


def stacked(sensor: Sensor, header: Header) -> dict[str, int]:
    """Band or mask → its number in a file that holds several.

    Numbers are those of the recipe; else those of bands with the right descriptions; else their order, if there are as
    many as the sensor has.

    Raises:
        InvalidInputError: nothing tells them.
    """
    stated = {name: number for name, (_, number) in sensor.stored.items() if number is not None}
    if stated:
        return {name: number for name, number in stated.items() if number <= header.count}
    known = {text.lower(): name for text, name in stored_names(sensor).items()}
    known |= {name.lower(): name for name in layer_names(sensor)}
    named = [(known.get(text.strip().lower()), number) for number, text in enumerate(header.bands, start=1)]
    found = {name: number for name, number in reversed(named) if name is not None}
    if found:
        return found
    for names in (layer_names(sensor), list(sensor.bands)):
        if header.count == len(names):
            return {name: number for number, name in enumerate(names, start=1)}
    raise InvalidInputError(
        f"got {header.count} bands without known descriptions, expected {', '.join(layer_names(sensor))}: "
        "give the number of each band in the sensor's description"
    )


def first_header(addresses: Sequence[str]) -> tuple[Header | None, list[tuple[str, str]]]:
    """The header of the first file that can be read, and the faults of those before it."""
    faults: list[tuple[str, str]] = []
    for address in addresses:
        try:
            return Header.of(address), faults
        except FaultError as error:
            faults.append((address, str(error).removeprefix(f"{address}: ")))
    return None, faults
