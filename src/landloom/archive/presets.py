"""Well-known STAC APIs by their names in recipes. To add one, add a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from landloom.formats.stac.profiles import COPERNICUS, EARTH_SEARCH, LANDSAT, PLANETARY_COMPUTER

if TYPE_CHECKING:
    from landloom.formats.stac.profiles import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A well-known STAC API."""

    url: str
    """Its landing page."""
    collection: str
    """Its collection of surface reflectance."""
    profile: Profile
    """Its asset naming."""
    page: int = 100
    """Items per page; a number that the service answers quickly."""
    signed: bool = False
    """Whether its files need a token (`landloom.archive.signing`)."""


PRESETS: Final = {
    "earth-search": Preset(
        url="https://earth-search.aws.element84.com/v1", collection="sentinel-2-l2a", profile=EARTH_SEARCH
    ),
    "planetary-computer": Preset(
        url="https://planetarycomputer.microsoft.com/api/stac/v1",
        collection="sentinel-2-l2a",
        profile=PLANETARY_COMPUTER,
        signed=True,
    ),
    "copernicus-data-space": Preset(
        url="https://stac.dataspace.copernicus.eu/v1", collection="sentinel-2-l2a", profile=COPERNICUS
    ),
    "landsat-look": Preset(
        url="https://landsatlook.usgs.gov/stac-server", collection="landsat-c2l2-sr", profile=LANDSAT
    ),
}
"""Name → API."""
