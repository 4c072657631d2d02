"""Composites: the products they publish, and the units that make them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.corpus.info import ProductInfo
from landloom.engine.kinds import ProductKind, ProductRequest, ReportFacts, SceneRequest
from landloom.engine.pixels.bands import band_problems, completed_bands, sensor_of
from landloom.engine.pixels.mask_sections import pixel_mask
from landloom.engine.pixels.registration import Register
from landloom.engine.reducers import Objection
from landloom.engine.timesteps import timestep_units
from landloom.errors import Problem
from landloom.imagery.composite import Composite, Observation, blank_reason, composite, flatness
from landloom.imagery.layers import composite_layers
from landloom.model.product import PRODUCTS, RAPIDAI4EO_BANDS, Product
from landloom.model.rendering.known import OBSERVATIONS
from landloom.model.sensor import SENTINEL_2_L2A, Band
from landloom.model.time import Cadence
from landloom.products.composite.section import CompositeProduct
from landloom.reports.drawn import captioned, observation_grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from landloom.engine.kinds import PlanInputs
    from landloom.engine.placement import Placement
    from landloom.engine.units import Unit
    from landloom.imagery.layers import Layer
    from landloom.model.recipe import Recipe, Sections
    from landloom.model.sensor import Sensor
    from landloom.model.time import Timestep

COUNT = Product(
    key="count",
    folder="S2-COUNT",
    collection="source_s2",
    prefix="count",
    kind="quality",
    title="Valid observations behind each composite",
    resolution=10,
    cadence="month",
    dtype="uint8",
    nodata=None,
    bands=(Band(name="count", description="Number of valid observations", resolution=10, rendering=OBSERVATIONS),),
)
"""Number of observations behind each pixel of the published composites."""
PUBLISHED = "s2"
"""Key of the published composites."""


@dataclass(frozen=True, slots=True)
class MedianReducer:
    """Medians of all valid observations and, if published, the number of observations."""

    count: bool
    pixels: tuple[int, ...] = ()
    """For each band, the product's pixels along a side of one of its own; 1 for every band if empty."""

    def reduce(
        self, observations: Sequence[Observation], shape: tuple[int, int], bands: int
    ) -> tuple[NDArray[Any], ...]:
        """See `landloom.engine.reducers.Reducer`."""
        return self._products(composite(observations, shape, bands))

    def reduce_layers(self, layers: Sequence[Layer], shape: tuple[int, int], bands: int) -> tuple[NDArray[Any], ...]:
        """See `landloom.engine.reducers.LayerReducer`."""
        return self._products(composite_layers(layers, shape, bands))

    def _products(self, made: Composite) -> tuple[NDArray[Any], ...]:
        counted = np.minimum(made.count, 255).astype(np.uint8)[None]
        return (made.bands, counted) if self.count else (made.bands,)

    def objection(self, chips: Sequence[NDArray[Any]], count: NDArray[np.uint16]) -> Objection | None:
        """See `landloom.engine.reducers.Reducer`."""
        reason = blank_reason(chips[0], count)
        if reason is not None:
            return Objection(reason=reason)
        flat = flatness(chips[0], count, self.pixels)
        return Objection(reason=str(flat), certain=flat.is_certain) if flat.values else None


class CompositeKind(ProductKind[CompositeProduct]):
    """Per-pixel medians of each timestep."""

    name = "composite"
    section = CompositeProduct

    def misfits(self, key: str, section: CompositeProduct, read: Sections) -> Iterator[Problem]:
        """Bands must be bands of the sensor."""
        yield from super().misfits(key, section, read)
        yield from band_problems(f"products.{key}", section, read)
        sensor = sensor_of(section, read)
        if sensor is not None and key == PUBLISHED and sensor.title != SENTINEL_2_L2A.title:
            what = (
                f"is the published product of {SENTINEL_2_L2A.title}; call composites of {sensor.title} by their name"
            )
            yield Problem(where=f"products.{key}", what=what)
        if key in PRODUCTS and key != PUBLISHED:
            yield Problem(where=f"products.{key}", what=f"is another published product; call composites {PUBLISHED}, …")

    def completed(self, section: CompositeProduct, recipe: Recipe) -> CompositeProduct:
        """Bands and clear classes by sensor."""
        return section.model_copy(update=completed_bands(section, recipe, bands=RAPIDAI4EO_BANDS))

    def describe(
        self, request: ProductRequest[CompositeProduct], placement: Placement | None = None
    ) -> tuple[ProductInfo, ...]:
        """The composite and, if published, its count."""
        steps = timesteps(request)
        return tuple(
            ProductInfo(product=product, terms=request.section.terms, timesteps=steps) for product in products(request)
        )

    def scenes(self, request: ProductRequest[CompositeProduct]) -> SceneRequest:
        """All scenes of the period."""
        return request.scenes

    def units(self, request: ProductRequest[CompositeProduct], inputs: PlanInputs) -> list[Unit]:
        """One unit per tile."""
        made = products(request)
        pixels = tuple(max(1, round(band.resolution / float(made[0].resolution or 10))) for band in made[0].bands)
        return timestep_units(
            request,
            inputs,
            reducer=MedianReducer(request.section.count, pixels),
            products=made,
            timesteps=timesteps(request),
            bands=request.section.bands or (),
            mask=pixel_mask(request.section, _sensor(request)),
            register=Register(request.section.registration or Register.OFF),
        )

    def report(self, request: ProductRequest[CompositeProduct], facts: ReportFacts) -> list[str]:
        """Observations by tile and timestep."""
        rows = [(one.tile, one.outcome.lineage) for one in facts.of(request) if one.outcome.lineage is not None]
        if not rows:
            return []
        means = np.array([[step.observations or 0.0 for step in lineage.timesteps] for _, lineage in rows])
        steps = [step.timestep for step in rows[0][1].timesteps]
        grid = observation_grid([tile for tile, _ in rows], steps, means)
        title = products(request)[0].title
        return ["<h2>Observations</h2>", captioned(grid, f"{title}: mean valid observations per pixel.")]


def timesteps(request: ProductRequest[CompositeProduct]) -> tuple[Timestep, ...]:
    """The timesteps of the composites."""
    return Cadence.parse(request.section.cadence).timesteps(request.period)


def products(request: ProductRequest[CompositeProduct]) -> list[Product]:
    """The composite and, if published, its count, as defined by the recipe."""
    key, section = request.key, request.section
    sensor = _sensor(request)
    title = f"{sensor.name_of_level} median composites, {section.cadence}"
    if key == PUBLISHED:
        row, count = PRODUCTS[key], COUNT
        if sensor is not SENTINEL_2_L2A:
            row = replace(row, folder=f"S2-{sensor.level}", title=title)
    else:
        row = replace(_named(PRODUCTS[PUBLISHED], key, row_of=key), title=title)
        count = _named(COUNT, f"count_{key}", row_of=key)
    bands = tuple(sensor.bands[name] for name in section.bands or ())
    made = [replace(row, bands=bands, resolution=section.resolution, cadence=section.cadence)]
    if section.count:
        made.append(replace(count, resolution=section.resolution, cadence=section.cadence))
    return made


def _sensor(request: ProductRequest[CompositeProduct]) -> Sensor:
    sensor = sensor_of(request.section, dict(request.project.recipe))
    if sensor is None:
        raise TypeError("the recipe has not been checked")
    return sensor


def _named(row: Product, key: str, *, row_of: str) -> Product:
    """The product's row with names derived from the key of the recipe."""
    folder = key.upper().replace("_", "-")
    return replace(row, key=key, folder=folder, collection=f"source_{row_of}", prefix=key)
