"""One NetCDF or Zarr cube as an archive: a variable for each band, or an axis of bands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from landloom.archive.files.scenes import (
    FileArchive,
    Header,
    SceneName,
    layer_names,
    scene_file,
    scene_of,
    stored_names,
)
from landloom.errors import FaultError, InvalidValueError, PermanentFaultError
from landloom.model.time import parse_instant
from landloom.store.raster import cube_layers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from landloom.model.grid import Grid
    from landloom.model.scene import Scene, SceneFile
    from landloom.store.cubes.group import CubeLayer

_UNITS: Final = re.compile(r"(seconds?|minutes?|hours?|days?)\s+since\s+(.+)", re.IGNORECASE)
_STEPS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def instants(values: tuple[float, ...], units: str) -> tuple[datetime, ...]:
    """Times of a cube, from numbers and the CF units.

    Raises:
        InvalidValueError: units that are not understood.

    Example:
        >>> instants((0.0, 1.5), "days since 2018-06-03 10:00:00")[1].isoformat()
        '2018-06-04T22:00:00+00:00'
    """
    found = _UNITS.fullmatch(units.strip())
    if found is None:
        raise InvalidValueError(f"got {units!r} as units of time, expected such as 'days since 2018-01-01'")
    start = parse_instant(found[2].strip().replace(" UTC", "").replace(" ", "T", 1).split(" ")[0])
    step = _STEPS[found[1][0].lower()]
    return tuple(start.astimezone(UTC) + timedelta(seconds=round(value * step)) for value in values)


@dataclass(slots=True)
class _Place:
    """The scenes of a place: of a sample, or of the whole cube."""

    grid: Grid
    files: dict[datetime, dict[str, SceneFile]] = field(default_factory=dict)
    """Time → band or mask → where it lies."""


class CubeArchive(FileArchive):
    """The dates of a NetCDF file, or of the folder of a Zarr cube, as scenes.

    The bands of the sensor are variables (time, y, x), or lie along an axis of bands. Of the cubes that landloom
    writes, every timestep of every sample is a scene.
    """

    def _read(self) -> Iterable[Scene]:
        layers = cube_layers(str(self._place))
        known = {text.lower(): name for text, name in stored_names(self._sensor).items()}
        known |= {name.lower(): name for name in layer_names(self._sensor)}
        usable = [layer for layer in layers if any(name.lower() in known for name in layer.names)]
        if not usable:
            wanted, got = ", ".join(stored_names(self._sensor)), ", ".join(_names(layers)) or "none"
            raise PermanentFaultError(f"{self._place}: got variables {got}, expected some of {wanted}")
        if any(layer.place is None for layer in usable):
            self._say_no_offset("cubes do")
        places: dict[str | None, _Place] = {}
        for layer in usable:
            try:
                self._take(places, layer, known)
            except (FaultError, InvalidValueError) as error:
                what = str(error).removeprefix(f"{layer.variable}: ")
                self._report(f"{self._place}: {layer.variable.name}", f"{what}; left out")
        if not places:
            raise PermanentFaultError("; ".join(str(problem) for problem in self._problems))
        for name, place in places.items():
            yield from self._scenes_of(name, place)

    def _take(self, places: dict[str | None, _Place], layer: CubeLayer, known: dict[str, str]) -> None:
        """Add a variable to its place.

        Raises:
            FaultError: it cannot be read.
            InvalidValueError: it has no times, or other ones than the variables before it.
        """
        header = Header.of(str(layer.variable))
        if header.times is None:
            raise InvalidValueError("got no times, expected a variable (time, y, x) with CF units of time")
        own = instants(*header.times)
        place = places.get(layer.place)
        if place is not None and set(own) != set(place.files):
            raise InvalidValueError("got another time axis than that of the other variables")
        place = places.setdefault(layer.place, _Place(grid=header.grid))
        for number, (time, said) in enumerate(zip(own, header.bands, strict=True), start=1):
            name = known.get((layer.names[0] if len(layer.names) == 1 else said).lower())
            files = place.files.setdefault(time, {})
            if name is not None:
                files[name] = scene_file(str(layer.variable), self._sensor, number, path=self._place)

    def _scenes_of(self, name: str | None, place: _Place) -> Iterator[Scene]:
        for time, files in place.files.items():
            own = "_".join(part for part in (self._place.stem, name, f"{time:%Y-%m-%dT%H%M%S}") if part)
            yield scene_of(SceneName(id=own, time=time), self._sensor, files, place.grid)


def _names(layers: Iterable[CubeLayer]) -> dict[str, None]:
    """What the layers hold, each once: variables, and the bands along an axis."""
    return dict.fromkeys(name for layer in layers for name in (layer.variable.name, *layer.names))
