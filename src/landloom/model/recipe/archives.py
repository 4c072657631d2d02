"""Sections of a recipe that define where scenes come from and which of them are used."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from landloom.model.recipe.sections import Name, Section, Share, is_none
from landloom.model.recipe.sensors import SensorSection


class FetchSection(Section):
    """How whole products of a provider are downloaded before a build; this can take days and can be interrupted.

    The account comes from the environment variables `LANDLOOM_USER` and `LANDLOOM_PASSWORD`.
    """

    folder: str = "products"
    """Folder for the zip files."""
    download: str | None = None
    """Root URL of the downloads if it differs from that of the search; preset for the Copernicus Data Space."""
    tokens: str | None = None
    """URL that issues an access token for the account; preset for the Copernicus Data Space."""
    order_action: str | None = None
    """Action that orders offline products, `OData.CSC.Order`; if absent, a download request is the order."""
    order_every: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(minutes=30)
    """Minimum time between two orders: `PT30M`, or seconds."""
    poll_every: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(minutes=10)
    """Time between two status requests for an ordered product."""
    first_retry: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(seconds=30)
    """Wait after the first failed attempt; it doubles with each further one, up to an hour."""


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _is_empty(value: object) -> bool:
    return not value


class ArchiveSection(Section):
    """Where scenes come from."""

    kind: str
    """`static` (a STAC catalogue of JSON files), `table` (stac-geoparquet), `stac-api`, `safe` (products on disk),
    `odata` (a provider of whole products), `files` (rasters or a cube on disk), or the name of a known STAC API such as
    `earth-search`."""
    href: str | None = None
    """`catalog.json`, the Parquet file, the folder of SAFE products or of `files`, a NetCDF or Zarr cube, or the API's
    root; preset for known APIs and `odata`."""
    collection: str | None = None
    """Collection of a STAC API; preset for known APIs."""
    level: Literal["L1C", "L2A"] = "L2A"
    """Processing level of `safe` and `odata`."""
    fetch: FetchSection = FetchSection()
    """Only for `odata`: how products are downloaded."""
    sensor: Annotated[Name | None, Field(exclude_if=is_none)] = None
    """Sensor of its scenes; if absent, that of the known API and collection, or Sentinel-2."""
    own_sensor: Annotated[SensorSection | None, Field(exclude_if=is_none)] = None
    """A sensor that landloom does not know, described here; instead of `sensor`."""
    pattern: Annotated[tuple[str, ...], BeforeValidator(_listed), Field(exclude_if=_is_empty)] = ()
    """Only for a folder of `files`: pattern of the paths below it, or several, of which the first that matches counts:
    `{date}_{band}.tif`. Fields are `{date}`, `{band}` (absent if a file holds all bands), `{granule}` and `{place}`;
    `*` and `**` stand for any text."""

    connections: Annotated[dict[str, Annotated[int, Field(ge=1)]], Field(exclude_if=_is_empty)] = {}
    """Host, or the end of its name → most connections to it at a time, of all workers together:
    `{dataspace.copernicus.eu: 4}`, which is preset for the Copernicus Data Space."""

    @model_validator(mode="after")
    def _one_sensor(self) -> Self:
        if self.sensor is not None and self.own_sensor is not None:
            raise ValueError("got sensor and own_sensor, expected one of them")
        return self


class ScenesSection(Section):
    """Which of the archive's scenes are used, granule by granule."""

    policy: str | None = None
    """`all`, `least-cloudy n`, `uniform n` or `monthly + n`; if absent, `all`, and `monthly + 12` for granules."""
    file: str | None = None
    """A table written by `landloom scenes` and possibly edited by hand; it replaces the policy."""
    cloud: tuple[float, float] = (0.0, 100.0)
    """Minimum and maximum cloud cover, percent."""
    overlap: Share = 0.0
    """Minimum share of the region, or of the granule, that a scene's outline covers."""
    valid: Share = 0.0
    """Minimum share of the granule that holds data."""
    levels: tuple[Literal["L1C", "L2A"], ...] = ()
    """Processing levels; any if empty."""
    size: tuple[int, int | None] = (0, None)
    """Minimum and maximum size of a product in bytes."""
    cloud_weight: Annotated[float, Field(ge=0)] = 0.25
    """Only for `uniform`: penalty of full cloud cover, in slots away from the ideal time."""
