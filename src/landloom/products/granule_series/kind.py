"""Series of the chips of granules: the products they publish, and the units that cut them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from landloom.corpus.info import ProductInfo
from landloom.engine.kinds import ProductKind, ProductRequest
from landloom.engine.pixels.bands import band_problems, completed_bands, sensor_of
from landloom.engine.pixels.cubes import held_chunks
from landloom.engine.pixels.mask_sections import pixel_mask
from landloom.engine.pixels.registration import Register
from landloom.engine.units import Unit, unit_digest
from landloom.errors import Problem
from landloom.model.product import LANDCOVERNET_BANDS, Product
from landloom.model.rendering.known import SCL, flag
from landloom.model.sensor import LANDCOVERNET_CLEAR, SEEN, SENTINEL2, SENTINEL_2_L2A, Band
from landloom.products.granule_series.section import GranuleSeries
from landloom.products.granule_series.task import CLASSES, FILLED, MEMORY, OBSERVED, SCENES, GranuleSeriesTask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.engine.kinds import PlanInputs
    from landloom.engine.placement import Placement
    from landloom.model.recipe import Recipe, Sections
    from landloom.model.sensor import Classification, Sensor

_OBSERVED: Final = "1 = observed, 0 = filled"
_FILLED_OR_NOT: Final = flag("filled", "observed")
ROLES: Final = (SCENES, CLASSES, FILLED, OBSERVED)
"""Of the products, in their order."""


class GranuleSeriesKind(ProductKind[GranuleSeries]):
    """The chosen scenes of each granule, cut into chips."""

    name = "granule-series"
    section = GranuleSeries
    schemes = frozenset({"granule"})

    def misfits(self, key: str, section: GranuleSeries, read: Sections) -> Iterator[Problem]:
        """Bands must be those of the sensor, whose scene classification is published."""
        yield from super().misfits(key, section, read)
        yield from band_problems(f"products.{key}", section, read)
        sensor = sensor_of(section, read)
        if sensor is not None and sensor.classification is None:
            what = f"{sensor.title} {sensor.level} has no layer that marks usable pixels, which is published too"
            yield Problem(where=f"products.{key}", what=what)

    def completed(self, section: GranuleSeries, recipe: Recipe) -> GranuleSeries:
        """Published bands and clear classes."""
        return section.model_copy(
            update=completed_bands(section, recipe, bands=LANDCOVERNET_BANDS, clear=_clear(section, recipe))
        )

    def describe(
        self, request: ProductRequest[GranuleSeries], placement: Placement | None = None
    ) -> tuple[ProductInfo, ...]:
        """Scenes and classification; filled series and validity, if published."""
        return tuple(
            ProductInfo(product=product, terms=request.section.terms, acquired=True) for product in products(request)
        )

    def units(self, request: ProductRequest[GranuleSeries], inputs: PlanInputs) -> list[Unit]:
        """One unit per granule."""
        project, section, units = request.project, request.section, []
        made, bands, mask = tuple(products(request)), section.bands or (), pixel_mask(section, _sensor(request))
        for tile, samples in inputs.tiles.items():
            scenes = inputs.placement.granules[tile]
            task = GranuleSeriesTask(
                store=inputs.store,
                layout=inputs.layout,
                layouts=project.recipe.layouts,
                products=tuple(zip(ROLES, made, strict=False)),
                bands=bands,
                mask=mask,
                samples=samples,
                scenes=scenes,
                register=Register(section.registration or Register.OFF),
            )
            archive = request.scenes.archive
            identities = [project.scene_identity(scene, mask.with_bands(bands), archive) for scene in scenes.candidates]
            decides = unit_digest(
                section.model_dump(mode="json", exclude={"terms"}),
                project.stored,
                [[asdict(product) for product in made], inputs.layout.name],
                [(str(sample.id), sample.bounds) for sample in samples],
                scenes.identity(identities),
            )
            unit = Unit(
                kind=self.name,
                product=request.unit,
                tile=tile,
                makes=tuple(product.key for product in made),
                samples=samples,
                key=decides,
                memory=MEMORY + held_chunks(scenes.candidates),
                task=task,
                reads=tuple(scenes.candidates),
            )
            units.append(unit)
        return units


def _sensor(request: ProductRequest[GranuleSeries]) -> Sensor:
    sensor = sensor_of(request.section, dict(request.project.recipe))
    if sensor is None:
        raise TypeError("the recipe has not been checked")
    return sensor


def _clear(section: GranuleSeries, recipe: Recipe) -> tuple[int, ...] | None:
    """LandCoverNet's clear classes, for Sen2Cor's classification."""
    sensor = sensor_of(section, dict(recipe))
    own = sensor is not None and sensor.classification is not None and sensor.classification.is_sen2cor
    return LANDCOVERNET_CLEAR if own else None


def products(request: ProductRequest[GranuleSeries]) -> list[Product]:
    """Scenes and classification; filled series and validity, if published."""
    sensor = _sensor(request)
    if sensor is not SENTINEL_2_L2A and sensor.classification is not None:
        return _products_of(sensor, sensor.classification, request)
    bands = tuple(SENTINEL2[name] for name in request.section.bands or ())
    made = [
        _row("s2_scenes", "S2-L2A", "source_sentinel_2", "s2", title="Sentinel-2 scenes", bands=bands),
        _row(
            "scl",
            "SCL",
            "source_sentinel_2",
            "scl",
            title="Scene classification",
            dtype="uint8",
            kind="quality",
            bands=(Band(name="SCL", description="Scene classes of Sen2Cor", resolution=20, rendering=SCL),),
        ),
    ]
    if request.section.filled:
        title = "Sentinel-2 series, masked and filled"
        made.append(_row("s2_filled", "S2-FILLED", "series_sentinel_2", "filled", title=title, bands=bands))
        made.append(
            _row(
                "s2_observed",
                "S2-OBSERVED",
                "series_sentinel_2",
                "observed",
                title="Observed pixels of the series",
                dtype="uint8",
                kind="quality",
                nodata=None,
                bands=(Band(name=OBSERVED, description=_OBSERVED, resolution=10, rendering=_FILLED_OR_NOT),),
            )
        )
    return made


def _products_of(sensor: Sensor, layer: Classification, request: ProductRequest[GranuleSeries]) -> list[Product]:
    """The same products of another sensor, named by the key of the section."""
    key, folder = request.key, request.key.upper().replace("_", "-")
    bands = tuple(sensor.bands[name] for name in request.section.bands or ())
    text = f"Values of {layer.name} of {sensor.title}"
    nodata = (SEEN - 1 if layer.nodata is None else layer.nodata) if layer.zero else 0
    source, series = f"source_{key}", f"series_{key}"
    values = Band(name=layer.name, description=text, resolution=layer.resolution)
    made = [
        _row(f"{key}_{SCENES}", folder, source, key, title=f"{sensor.title} scenes", bands=bands),
        _row(
            f"{key}_{CLASSES}",
            f"{folder}-CLASSES",
            source,
            f"{key}_{CLASSES}",
            title="Scene classification",
            dtype="uint16",
            kind="quality",
            nodata=nodata,
            bands=(values,),
        ),
    ]
    if request.section.filled:
        title = f"{sensor.title} series, masked and filled"
        observed = Band(name=OBSERVED, description=_OBSERVED, resolution=10, rendering=_FILLED_OR_NOT)
        name = f"{key}_{OBSERVED}"
        rest: dict[str, Any] = {"dtype": "uint8", "kind": "quality", "nodata": None, "bands": (observed,)}
        made += [
            _row(f"{key}_{FILLED}", f"{folder}-FILLED", series, f"{key}_{FILLED}", title=title, bands=bands),
            _row(name, f"{folder}-OBSERVED", series, name, title="Observed pixels of the series", **rest),
        ]
    return made


def _row(key: str, folder: str, collection: str, prefix: str, **rest: Any) -> Product:
    row: dict[str, Any] = {"kind": "imagery", "resolution": 10, "cadence": "acquired"} | rest
    return Product(key=key, folder=folder, collection=collection, prefix=prefix, **row)
