"""landloom: training corpora from satellite image time series and land-cover labels.

The public names are loaded on first use, so that `import landloom` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from landloom.archive.granule_cover import fewest_granules
    from landloom.engine.executors import executor_factory
    from landloom.engine.sources.parcels import read_parcels
    from landloom.errors import LandloomError, LandloomWarning
    from landloom.model.crosswalk import crosswalk
    from landloom.model.granules import granule_footprint, granules_in, world_granules
    from landloom.model.grid import Grid
    from landloom.model.ids import ChipId, GranuleId, SampleId, TileId, WindowId, Zone
    from landloom.model.sample import Sample
    from landloom.model.taxonomy import Taxonomy, taxonomy
    from landloom.model.time import Cadence, Period
    from landloom.pipelines.build import build
    from landloom.pipelines.registry import Recipe
    from landloom.pipelines.splitting import split_corpus
    from landloom.products.parcels.rasterise import rasterise_files
    from landloom.publication.publish import publish
    from landloom.query.corpus import Corpus, open  # noqa: A004 - it is `landloom.open`
    from landloom.query.published import PRODUCTS, get_asset_hrefs
    from landloom.query.selection import Selection
    from landloom.sampling.granules import GranuleTable, draw_granules
    from landloom.training.splits.make import SplitSettings

_HOMES = {
    "Cadence": "model.time",
    "ChipId": "model.ids",
    "Corpus": "query.corpus",
    "GranuleId": "model.ids",
    "GranuleTable": "sampling.granules",
    "Grid": "model.grid",
    "LandloomError": "errors",
    "LandloomWarning": "errors",
    "PRODUCTS": "query.published",
    "Period": "model.time",
    "Recipe": "pipelines.registry",
    "Sample": "model.sample",
    "SampleId": "model.ids",
    "Selection": "query.selection",
    "SplitSettings": "training.splits.make",
    "Taxonomy": "model.taxonomy",
    "TileId": "model.ids",
    "WindowId": "model.ids",
    "Zone": "model.ids",
    "build": "pipelines.build",
    "crosswalk": "model.crosswalk",
    "draw_granules": "sampling.granules",
    "executor_factory": "engine.executors",
    "fewest_granules": "archive.granule_cover",
    "get_asset_hrefs": "query.published",
    "granule_footprint": "model.granules",
    "granules_in": "model.granules",
    "open": "query.corpus",
    "publish": "publication.publish",
    "rasterise_files": "products.parcels.rasterise",
    "read_parcels": "engine.sources.parcels",
    "split_corpus": "pipelines.splitting",
    "taxonomy": "model.taxonomy",
    "world_granules": "model.granules",
}

__all__ = [
    "PRODUCTS",
    "Cadence",
    "ChipId",
    "Corpus",
    "GranuleId",
    "GranuleTable",
    "Grid",
    "LandloomError",
    "LandloomWarning",
    "Period",
    "Recipe",
    "Sample",
    "SampleId",
    "Selection",
    "SplitSettings",
    "Taxonomy",
    "TileId",
    "WindowId",
    "Zone",
    "build",
    "crosswalk",
    "draw_granules",
    "executor_factory",
    "fewest_granules",
    "get_asset_hrefs",
    "granule_footprint",
    "granules_in",
    "open",
    "publish",
    "rasterise_files",
    "read_parcels",
    "split_corpus",
    "taxonomy",
    "world_granules",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - reading it costs more than importing this package

        return version("landloom")
    if name not in _HOMES:
        raise AttributeError(f"module 'landloom' has no attribute {name!r}")
    value = getattr(import_module(f"landloom.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted((*__all__, "__version__"))
