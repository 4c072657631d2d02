"""The product kinds and samplers of landloom, and those of other packages."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

from landloom.engine.registry import Registry
from landloom.products.composite.kind import CompositeKind
from landloom.products.external.kind import ExternalKind
from landloom.products.fractions.kind import FractionsKind
from landloom.products.fused.kind import FusedKind
from landloom.products.granule_series.kind import GranuleSeriesKind
from landloom.products.guess.kind import GuessKind
from landloom.products.parcels.kind import ParcelsKind
from landloom.products.series.kind import SeriesKind
from landloom.samplers.cells.sampler import AllCellsSampler, AreaClassSampler, ListedCellsSampler
from landloom.samplers.granules.sampler import GranuleChipsSampler
from landloom.samplers.windows.sampler import ParcelWindowsSampler, WindowGridSampler

if TYPE_CHECKING:
    from landloom.engine.kinds import ProductKind, Sampler
    from landloom.model.recipe import Recipe as BaseRecipe

PRODUCTS: Final[tuple[ProductKind[Any], ...]] = (
    CompositeKind(),
    SeriesKind(),
    GranuleSeriesKind(),
    FusedKind(),
    ExternalKind(),
    FractionsKind(),
    ParcelsKind(),
    GuessKind(),
)
"""In the order of their sections in documents."""
SAMPLERS: Final[tuple[Sampler[Any], ...]] = (
    AreaClassSampler(),
    AllCellsSampler(),
    ListedCellsSampler(),
    WindowGridSampler(),
    ParcelWindowsSampler(),
    GranuleChipsSampler(),
)


def _brought(group: str) -> list[Any]:
    """Instances registered by other packages under an entry point group, ordered by name."""
    return [point.load()() for point in sorted(entry_points(group=group), key=lambda point: point.name)]


REGISTRY: Final = Registry(
    products=(*PRODUCTS, *_brought("landloom.products")), samplers=(*SAMPLERS, *_brought("landloom.samplers"))
)
"""The registry of all product kinds and samplers."""
Recipe: type[BaseRecipe] = REGISTRY.recipe
"""The recipe class for all of them."""
