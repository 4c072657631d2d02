"""What GDAL says of the variables of a cube, of NetCDF and of Zarr version 2."""

from __future__ import annotations

import re
from typing import Any, Final

from landloom.errors import PermanentFaultError
from landloom.store.cubes.axes import CALENDARS
from landloom.store.cubes.group import CubeLayer
from landloom.store.drivers import CubeVariable

_AXIS: Final = re.compile(r"NETCDF_DIM_(\w+)|DIM_(\w+)_VALUE")


def gdal_layers(path: str, driver: str, dataset: Any) -> tuple[CubeLayer, ...]:
    """The variables of an open file.

    Args:
        path: of the file, or the folder of the group.
        driver: `netCDF` or `Zarr`.
        dataset: of rasterio.
    """
    names = [name.rpartition(":")[2].removeprefix("/") for name in dataset.subdatasets]
    names = names or [str(dataset.tags(band).get("NETCDF_VARNAME", "")) for band in dataset.indexes[:1]]
    variables = (CubeVariable(file=path, driver=driver, name=name) for name in names if name)
    return tuple(CubeLayer(variable=one, names=(one.name,)) for one in variables)


def gdal_times(href: str, dataset: Any) -> tuple[tuple[float, ...], str] | None:
    """Times of the bands of a variable and their CF units; None if it does not give them.

    Raises:
        PermanentFaultError: they follow another calendar.
    """
    whole, tags = dataset.tags(), [dataset.tags(band) for band in dataset.indexes]
    axes = {match[1] or match[2] for key in tags[0] if (match := _AXIS.fullmatch(key))}
    if len(axes) != 1:
        return None
    axis = axes.pop()
    calendar = whole.get(f"{axis}#calendar", "standard").lower()
    if calendar not in CALENDARS:
        raise PermanentFaultError(
            f"{href}: got times of the calendar {calendar}, expected {', '.join(sorted(CALENDARS))}"
        )
    values = [one.get(f"NETCDF_DIM_{axis}", one.get(f"DIM_{axis}_VALUE", "")) for one in tags]
    units = whole.get(f"{axis}#units") or tags[0].get(f"DIM_{axis}_UNIT")
    try:
        return (tuple(float(value) for value in values), str(units)) if units else None
    except ValueError:
        return None
