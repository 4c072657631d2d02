"""landloom: training corpora from satellite image time series and land-cover labels.

The public names are loaded on first use, so that `import landloom` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from landloom.errors import LandloomError
    from landloom.model.crosswalk import crosswalk
    from landloom.model.grid import Grid
    from landloom.model.ids import ChipId, GranuleId, SampleId, TileId, WindowId, Zone
    from landloom.model.sample import Sample
    from landloom.model.taxonomy import Taxonomy, taxonomy
    from landloom.model.time import Cadence, Period
    from landloom.pipelines.build import build
    from landloom.pipelines.registry import Recipe
    from landloom.query.corpus import Corpus
    from landloom.query.published import PRODUCTS, get_asset_hrefs
    from landloom.query.selection import Selection

_HOMES = {
    "Cadence": "model.time",
    "ChipId": "model.ids",
    "Corpus": "query.corpus",
    "GranuleId": "model.ids",
    "Grid": "model.grid",
    "LandloomError": "errors",
    "PRODUCTS": "query.published",
    "Period": "model.time",
    "Recipe": "pipelines.registry",
    "Sample": "model.sample",
    "SampleId": "model.ids",
    "Selection": "query.selection",
    "Taxonomy": "model.taxonomy",
    "TileId": "model.ids",
    "WindowId": "model.ids",
    "Zone": "model.ids",
    "build": "pipelines.build",
    "crosswalk": "model.crosswalk",
    "get_asset_hrefs": "query.published",
    "taxonomy": "model.taxonomy",
}

__all__ = [
    "PRODUCTS",
    "Cadence",
    "ChipId",
    "Corpus",
    "GranuleId",
    "Grid",
    "LandloomError",
    "Period",
    "Recipe",
    "Sample",
    "SampleId",
    "Selection",
    "Taxonomy",
    "TileId",
    "WindowId",
    "Zone",
    "build",
    "crosswalk",
    "get_asset_hrefs",
    "taxonomy",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'landloom' has no attribute {name!r}")
    value = getattr(import_module(f"landloom.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
