"""Series of the chips of granules: the products they publish, and the units that cut them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from landloom.corpus.info import ProductInfo
from landloom.engine.kinds import ProductKind, ProductRequest
from landloom.engine.pixels.bands import band_problems, completed_bands, pixel_mask, sensor_of
from landloom.engine.units import Unit, unit_digest
from landloom.errors import Problem
from landloom.model.product import LANDCOVERNET_BANDS, Product
from landloom.model.sensor import LANDCOVERNET_CLEAR, SENTINEL2, SENTINEL_2_L2A, Band
from landloom.products.granule_series.section import GranuleSeries
from landloom.products.granule_series.task import CLASSES, FILLED, MEMORY, OBSERVED, SCENES, GranuleSeriesTask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.engine.kinds import PlanInputs
    from landloom.engine.placement import Placement
    from landloom.model.recipe import Recipe, Sections


class GranuleSeriesKind(ProductKind[GranuleSeries]):
    """The chosen scenes of each granule, cut into chips."""

    name = "granule-series"
    section = GranuleSeries
    schemes = frozenset({"granule"})

    def misfits(self, key: str, section: GranuleSeries, read: Sections) -> Iterator[Problem]:
        """Bands must be those of Sentinel-2 Level-2A, whose scene classification is published."""
        yield from super().misfits(key, section, read)
        yield from band_problems(f"products.{key}", section, read)
        sensor = sensor_of(section, read)
        if sensor is not None and sensor is not SENTINEL_2_L2A:
            where = f"products.{key}"
            yield Problem(where=where, what=f"made of {SENTINEL_2_L2A.title} L2A, not of {sensor.title} {sensor.level}")

    def completed(self, section: GranuleSeries, recipe: Recipe) -> GranuleSeries:
        """Published bands and clear classes."""
        return section.model_copy(
            update=completed_bands(section, recipe, bands=LANDCOVERNET_BANDS, clear=LANDCOVERNET_CLEAR)
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
        made, bands = tuple(products(request)), section.bands or ()
        for tile, samples in inputs.tiles.items():
            scenes = inputs.placement.granules[tile]
            task = GranuleSeriesTask(
                store=inputs.store,
                layout=inputs.layout,
                layouts=project.recipe.layouts,
                products=made,
                bands=bands,
                mask=pixel_mask(section),
                samples=samples,
                scenes=scenes,
            )
            archive = request.scenes.archive
            identities = [project.scene_identity(scene, bands, archive) for scene in scenes.candidates]
            decides = unit_digest(
                section.model_dump(mode="json", exclude={"terms"}),
                project.recipe.layouts,
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
                memory=MEMORY,
                task=task,
            )
            units.append(unit)
        return units


def products(request: ProductRequest[GranuleSeries]) -> list[Product]:
    """Scenes and classification; filled series and validity, if published."""
    bands = tuple(SENTINEL2[name] for name in request.section.bands or ())
    made = [
        _row(SCENES, "S2-L2A", "source_sentinel_2", "s2", title="Sentinel-2 scenes", bands=bands),
        _row(
            CLASSES,
            "SCL",
            "source_sentinel_2",
            "scl",
            title="Scene classification",
            dtype="uint8",
            kind="quality",
            bands=(Band(name="SCL", description="Scene classes of Sen2Cor", resolution=20),),
        ),
    ]
    if request.section.filled:
        title = "Sentinel-2 series, masked and filled"
        made.append(_row(FILLED, "S2-FILLED", "series_sentinel_2", "filled", title=title, bands=bands))
        made.append(
            _row(
                OBSERVED,
                "S2-OBSERVED",
                "series_sentinel_2",
                "observed",
                title="Observed pixels of the series",
                dtype="uint8",
                kind="quality",
                nodata=None,
                bands=(Band(name="observed", description="1 = observed, 0 = filled", resolution=10),),
            )
        )
    return made


def _row(key: str, folder: str, collection: str, prefix: str, **rest: Any) -> Product:
    row: dict[str, Any] = {"kind": "imagery", "resolution": 10, "cadence": "acquired"} | rest
    return Product(key=key, folder=folder, collection=collection, prefix=prefix, **row)
