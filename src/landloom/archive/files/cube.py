"""One NetCDF or Zarr cube as an archive: a variable for each band, (time, y, x)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from landloom.archive.files.scenes import FileArchive, Header, SceneName, scene_file, scene_of, stored_names
from landloom.errors import FaultError, InvalidValueError, PermanentFaultError
from landloom.model.time import parse_instant
from landloom.store.raster import cube_variables

if TYPE_CHECKING:
    from landloom.model.grid import Grid
    from landloom.model.scene import Scene
    from landloom.store.drivers import CubeVariable

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


def _axis(header: Header, known: tuple[datetime, ...]) -> tuple[datetime, ...]:
    """Times of a variable, which are those of the other variables.

    Raises:
        InvalidValueError: it has none, or other ones.
    """
    if header.times is None:
        raise InvalidValueError("got no times, expected a variable (time, y, x) with CF units of time")
    own = instants(*header.times)
    if known and own != known:
        raise InvalidValueError("got another time axis than that of the other variables")
    return own


class CubeArchive(FileArchive):
    """The dates of a NetCDF file, or of the folder of a Zarr cube, as scenes; bands of the sensor are its variables."""

    def _read(self) -> tuple[Scene, ...]:
        variables = cube_variables(str(self._place))
        known = {text.lower(): name for text, name in stored_names(self._sensor).items()}
        bands = {known[one.name.lower()]: one for one in variables if one.name.lower() in known}
        if not bands:
            wanted, got = ", ".join(stored_names(self._sensor)), ", ".join(one.name for one in variables) or "none"
            raise PermanentFaultError(f"{self._place}: got variables {got}, expected some of {wanted}")
        axis: tuple[datetime, ...] = ()
        usable: dict[str, CubeVariable] = {}
        grids: list[Grid] = []
        for name, variable in bands.items():
            try:
                header = Header.of(str(variable))
                own = _axis(header, axis)
            except (FaultError, InvalidValueError) as error:
                self._report(f"{self._place}: {variable.name}", f"{error}; left out")
                continue
            axis, usable[name] = own, variable
            grids.append(header.grid)
        if not usable:
            raise PermanentFaultError("; ".join(str(problem) for problem in self._problems))
        return self._dates(axis, usable, grids[0])

    def _dates(self, axis: tuple[datetime, ...], usable: dict[str, CubeVariable], grid: Grid) -> tuple[Scene, ...]:
        scenes = []
        for number, time in enumerate(axis, start=1):
            files = {name: scene_file(str(one), self._sensor, number, path=self._place) for name, one in usable.items()}
            name = SceneName(id=f"{self._place.stem}_{time:%Y-%m-%dT%H%M%S}", time=time)
            scenes.append(scene_of(name, self._sensor, files, grid))
        return tuple(scenes)
