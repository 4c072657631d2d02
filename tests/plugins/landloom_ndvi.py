"""A package of somebody else: a product kind for monthly maxima of the vegetation index NDVI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from landloom.corpus.info import ProductInfo
from landloom.engine.kinds import PlanInputs, ProductKind, ProductRequest, SceneRequest
from landloom.engine.pixels.masks import PixelMask
from landloom.engine.timesteps import timestep_units
from landloom.model.product import Product
from landloom.model.recipe import PeriodSection, ProductSection, Terms
from landloom.model.sensor import Band
from landloom.model.time import Cadence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.engine.kinds import ReportFacts
    from landloom.engine.units import Unit
    from landloom.imagery.composite import Observation

NODATA = -32_768


class NdviMaximum(ProductSection):
    """Largest NDVI of each month, 10,000 × its value."""

    kind: Literal["ndvi-maximum"] = "ndvi-maximum"
    period: PeriodSection | None = None
    terms: Terms


@dataclass(frozen=True, slots=True)
class MaximumReducer:
    def reduce(
        self, observations: Sequence[Observation], shape: tuple[int, int], bands: int
    ) -> tuple[NDArray[Any], ...]:
        best = np.full(shape, NODATA, np.int16)
        for seen in observations:
            red, nir = seen.bands[0].astype(np.float64), seen.bands[1].astype(np.float64)
            ndvi = np.rint(10_000 * (nir - red) / np.maximum(nir + red, 1)).astype(np.int16)
            best = np.where(seen.valid, np.maximum(best, ndvi), best)
        return (best[None],)

    def objection(self, chips: Sequence[NDArray[Any]], count: NDArray[np.uint16]) -> None:
        return None


class NdviMaximumKind(ProductKind[NdviMaximum]):
    name = "ndvi-maximum"
    section = NdviMaximum

    def describe(self, request: ProductRequest[NdviMaximum], placement: object = None) -> tuple[ProductInfo, ...]:
        steps = Cadence.parse("month").timesteps(request.period)
        return (ProductInfo(product=self._product(request), terms=request.section.terms, timesteps=steps),)

    def scenes(self, request: ProductRequest[NdviMaximum]) -> SceneRequest:
        return request.scenes

    def units(self, request: ProductRequest[NdviMaximum], inputs: PlanInputs) -> list[Unit]:
        (info,) = self.describe(request)
        return timestep_units(
            request,
            inputs,
            reducer=MaximumReducer(),
            products=[info.product],
            timesteps=info.timesteps,
            bands=("B04", "B08"),
            mask=PixelMask(),
        )

    def report(self, request: ProductRequest[NdviMaximum], facts: ReportFacts) -> list[str]:
        return [f"<h2>NDVI</h2><p>{len(facts.of(request))} tiles of {request.key}.</p>"]

    @staticmethod
    def _product(request: ProductRequest[NdviMaximum]) -> Product:
        band = Band(name="ndvi", description="Normalised difference vegetation index × 10,000", resolution=10)
        return Product(
            key=request.key,
            folder="NDVI",
            collection="ndvi",
            prefix="ndvi",
            title="Monthly maximum of NDVI",
            kind="imagery",
            bands=(band,),
            dtype="int16",
            nodata=NODATA,
            resolution=10,
            cadence="month",
        )
