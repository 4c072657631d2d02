"""Well-known STAC APIs by their names in recipes. To add one, add a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from landloom.formats.stac.profiles import (
    COPERNICUS,
    EARTH_SEARCH,
    HLS_LANDSAT,
    HLS_SENTINEL,
    LANDSAT,
    PLANETARY_COMPUTER,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from landloom.formats.stac.profiles import Profile
    from landloom.model.recipe.archives import ArchiveSection


COPERNICUS_CONNECTIONS: Final = {"dataspace.copernicus.eu": 4}
"""Of a free account of the Copernicus Data Space, to catalogue, object store and downloads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A well-known STAC API."""

    url: str
    """Its landing page."""
    collection: str
    """Its collection of surface reflectance."""
    profile: Profile
    """Its asset naming."""
    others: Mapping[str, Profile] = field(default_factory=dict)
    """Further collection → its asset naming, if it is another one."""
    page: int = 100
    """Items per page; a number that the service answers quickly."""
    connections: Mapping[str, int] = field(default_factory=dict)
    """Host, or the end of its name → most connections to it at a time."""
    signed: bool = False
    """Whether its files need a token (`landloom.archive.signing`)."""

    def profile_of(self, collection: str | None) -> Profile:
        """Asset naming of a collection; of the default one if None.

        Example:
            >>> PRESETS["planetary-computer"].profile_of("hls2-l30").sensor
            'hls-l30'
        """
        return self.others.get(collection or self.collection, self.profile)


def connection_limits(sections: Iterable[ArchiveSection]) -> dict[str, int]:
    """The limits of connections of archives: those that they state, or else those of the services that they name."""
    found: dict[str, int] = {}
    for section in sections:
        preset = PRESETS.get(section.kind)
        known = {} if preset is None else preset.connections
        if section.kind == "odata" and section.href is None:
            known = COPERNICUS_CONNECTIONS
        found |= {**known, **section.connections}
    return found


PRESETS: Final = {
    "earth-search": Preset(
        url="https://earth-search.aws.element84.com/v1",
        collection="sentinel-2-l2a",
        profile=EARTH_SEARCH,
        others={"landsat-c2-l2": LANDSAT},
    ),
    "planetary-computer": Preset(
        url="https://planetarycomputer.microsoft.com/api/stac/v1",
        collection="sentinel-2-l2a",
        profile=PLANETARY_COMPUTER,
        others={"landsat-c2-l2": LANDSAT, "hls2-s30": HLS_SENTINEL, "hls2-l30": HLS_LANDSAT},
        signed=True,
    ),
    "copernicus-data-space": Preset(
        url="https://stac.dataspace.copernicus.eu/v1",
        collection="sentinel-2-l2a",
        profile=COPERNICUS,
        connections=COPERNICUS_CONNECTIONS,
    ),
    "landsat-look": Preset(
        url="https://landsatlook.usgs.gov/stac-server", collection="landsat-c2l2-sr", profile=LANDSAT
    ),
    "lp-daac": Preset(
        url="https://cmr.earthdata.nasa.gov/stac/LPCLOUD",
        collection="HLSS30_2.0",
        profile=HLS_SENTINEL,
        others={"HLSL30_2.0": HLS_LANDSAT, "HLSL30.v2.0": HLS_LANDSAT},
    ),
}
"""Name → API."""
