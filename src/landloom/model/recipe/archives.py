"""Parts of a recipe that say where scenes come from, and which are taken."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from landloom.model.recipe.sections import Name, Section, Share, is_none


class FetchSection(Section):
    """How whole products of a provider come onto disk before a build; it may take days and be killed at any time.

    The account is that of the environment variables `LANDLOOM_USER` and `LANDLOOM_PASSWORD`.
    """

    folder: str = "products"
    """Where the zip files go."""
    download: str | None = None
    """Root of the downloads, where it is not that of the search; the Copernicus Data Space has its own."""
    tokens: str | None = None
    """Where name and password get a token; the Copernicus Data Space has its own."""
    order_action: str | None = None
    """Action that orders what is offline, `OData.CSC.Order`; a download is its order if absent."""
    order_every: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(minutes=30)
    """Least time between two orders: `PT30M`, or seconds."""
    poll_every: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(minutes=10)
    """Time between two questions after one ordered product."""
    first_retry: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(seconds=30)
    """Wait after the first failed try; it doubles with each, up to an hour."""


class ArchiveSection(Section):
    """Where scenes come from."""

    kind: str
    """`static` (a STAC catalogue of JSON files), `table` (stac-geoparquet), `stac-api`, `safe` (products on disk),
    `odata` (a provider of whole products), or the name of a known STAC API such as `earth-search`."""
    href: str | None = None
    """`catalog.json`, the Parquet file, the folder of SAFE folders and zip files, or the API's root; a known API, and
    `odata`, have their own."""
    collection: str | None = None
    """Which collection of a STAC API; a known API has its own."""
    level: Literal["L1C", "L2A"] = "L2A"
    """Processing level of `safe` and `odata`."""
    fetch: FetchSection = FetchSection()
    """Of `odata`: how products come onto disk."""
    sensor: Annotated[Name | None, Field(exclude_if=is_none)] = None
    """Which sensor's scenes it holds; that of the known API, or Sentinel-2, if absent."""


class ScenesSection(Section):
    """Which of the archive's scenes are taken, granule by granule."""

    policy: str | None = None
    """`all`, `least-cloudy n`, `uniform n` or `monthly + n`; if absent, `all`, and `monthly + 12` for granules."""
    file: str | None = None
    """What `landloom scenes` wrote and a person may have edited; it decides instead of the policy."""
    cloud: tuple[float, float] = (0.0, 100.0)
    """Least and most cloud cover, percent."""
    overlap: Share = 0.0
    """Least share of the region, or of the granule, that a scene's outline covers."""
    valid: Share = 0.0
    """Least share of the granule that holds data."""
    levels: tuple[Literal["L1C", "L2A"], ...] = ()
    """Processing levels; any if empty."""
    size: tuple[int, int | None] = (0, None)
    """Least and most bytes of a product."""
    cloud_weight: Annotated[float, Field(ge=0)] = 0.25
    """Of `uniform`: what full cloud costs, in slots off the ideal time."""
