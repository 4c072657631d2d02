"""How good the image of an item by date is: its share of pixels with data, and the clouds of the scenes behind it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.layout import TileKey
from landloom.corpus.lineage import read_lineage
from landloom.errors import InvalidDocumentError, InvalidInputError
from landloom.formats.geotiff import decode_geotiff
from landloom.model.ids import parse_sample_id

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.server.stac.item_index import ItemCollection

_KEPT: Final = 4096
"""Chips whose share is kept."""


class ItemQuality:
    """Properties of items by date, read from chips and lineage on this machine.

    Args:
        folder: of the corpus.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shares = lru_cache(maxsize=_KEPT)(self._share)
        self._clouds = lru_cache(maxsize=_KEPT)(self._clouds_of)

    def of(self, collection: ItemCollection, sample: str, step: int) -> dict[str, Any]:
        """`valid_share`, 0 to 1, and `eo:cloud_cover`, the mean of the scenes used in the tile in percent, if known.

        Args:
            collection: by date.
            sample: id.
            step: index of the timestep.
        """
        imagery = next((item for item in collection.members if item.product.kind == "imagery"), None)
        if imagery is None or step >= len(imagery.timesteps):
            return {}
        layout, name = collection.layout, imagery.timesteps[step].name
        identity = parse_sample_id(collection.info.scheme, sample)
        band = None if layout.patterns.band_asset is None else imagery.product.bands[0].name
        share = self._shares(layout.chip(identity, imagery.product, name, band), imagery.product.nodata)
        clouds = self._clouds(layout.lineage(TileKey.of(identity), imagery.product)).get(name)
        found = {"valid_share": share, "eo:cloud_cover": clouds}
        return {key: value for key, value in found.items() if value is not None}

    def _share(self, key: str, nodata: float | None) -> float | None:
        """Share of pixels with data in every band of a file."""
        path = self._folder / key
        if nodata is None or not path.is_file():
            return None
        try:
            pixels = decode_geotiff(path.read_bytes())[0]
        except InvalidInputError:
            return None
        there = ~np.isnan(pixels) if np.isnan(nodata) else pixels != nodata
        return round(float(there.all(axis=0).mean()), 4)

    def _clouds_of(self, key: str) -> dict[str, float]:
        """Timestep → mean cloud cover of its scenes; `validate` reports a lineage that cannot be read."""
        path, found = self._folder / key, {}
        if not path.is_file():
            return {}
        try:
            lineage = read_lineage(path.read_bytes(), key)[2]
        except InvalidDocumentError:
            return {}
        for step in lineage.timesteps:
            known = [scene.cloud_cover for scene in step.scenes if scene.cloud_cover is not None]
            if known:
                found[step.timestep] = round(float(np.mean(known)), 3)
        return found
